/** remembrancer databases [create | drop]. */
import { Command } from 'commander'
import { z } from 'zod'

import { confirm } from '../confirm.ts'
import { pathOf } from '../host-client.ts'
import { connect, hostCommand } from '../host-command.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'
import { tableLines } from '../value-text.ts'

const databaseList = z.object({
  databases: z.array(z.object({ name: z.string(), tenant: z.string(), module: z.string().nullable(), version: z.number() })),
})
const created = z.object({ name: z.string(), tenant: z.string() })
const dropped = z.object({ dropped: z.string() })

export function databasesCommand(terminal: Terminal): Command {
  return new Command('databases')
    .description('list, create and drop databases')
    .addCommand(listCommand(terminal), { isDefault: true })
    .addCommand(createCommand(terminal))
    .addCommand(dropCommand(terminal))
}

function listCommand(terminal: Terminal): Command {
  return hostCommand('list', 'those that the token may see').action(async (options: TargetOptions) => {
    const { client } = connect(options)
    const answer = await client.get('/v1/databases', databaseList)
    terminal.result(answer, answer.databases.length === 0 ? [] : tableLines(answer.databases.map(databaseRow)))
    if (answer.databases.length === 0) terminal.note('no databases yet: remembrancer databases create <name>')
  })
}

type DatabaseRow = z.infer<typeof databaseList>['databases'][number]

/** Before the first publish nothing runs in it. */
function databaseRow({ module, version, ...row }: DatabaseRow): Record<string, unknown> {
  return { ...row, module: module ?? '–', version: module === null ? '–' : version }
}

function createCommand(terminal: Terminal): Command {
  return hostCommand('create', 'make an empty one')
    .argument('<name>')
    .option('--tenant <tenant>', 'whose it is; your own tenant when left out')
    .action(async (name: string, { tenant, ...options }: TargetOptions & { tenant?: string }) => {
      const { client } = connect(options)
      const answer = await client.post('/v1/databases', { name, ...(tenant !== undefined && { tenant }) }, created)
      terminal.result(answer, [answer.name])
    })
}

function dropCommand(terminal: Terminal): Command {
  return hostCommand('drop', 'remove one with all its rows')
    .argument('<name>')
    .option('--yes', 'do not ask')
    .action(async (name: string, { yes, ...options }: TargetOptions & { yes?: boolean }) => {
      const { client } = connect(options)
      await confirm(`Drop the database ${name} of ${client.url} and all its rows?`, yes === true)
      terminal.result(await client.delete(pathOf`/v1/databases/${name}`, dropped), [name])
    })
}
