/** remembrancer sql "<statement>": a SELECT under the caller's policies. */
import type { Command } from 'commander'
import { z } from 'zod'

import { connectAsCaller } from '../caller.ts'
import { pathOf } from '../host-client.ts'
import { hostCommand } from '../host-command.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'
import { tableLines } from '../value-text.ts'

interface SqlOptions extends TargetOptions {
  readonly as?: string
  readonly explain?: boolean
}

const sqlAnswer = z.object({
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.array(z.array(z.unknown())),
  examined: z.number(),
  returned: z.number(),
  explanation: z.object({ plan: z.array(z.string()), policies: z.array(z.object({ table: z.string(), policies: z.array(z.string()) })) }).optional(),
})
type SqlAnswer = z.infer<typeof sqlAnswer>

export function sqlCommand(terminal: Terminal): Command {
  return hostCommand('sql', "a SELECT of PostgreSQL's language: it sees what its caller's policies show")
    .argument('<statement>', 'in quotes, as one argument')
    .argument('[params...]', 'the values of $1, $2 and so on, as text')
    .option('--as <subject>', "ask as this login of the database: as remembrancer call's")
    .option('--explain', 'say also how the rows were found, by which policies, and how many were examined')
    .action(async (sql: string, params: readonly string[], options: SqlOptions) => {
      const { client, database, sender } = await connectAsCaller(options)
      const body = { sql, params, explain: options.explain === true, ...(sender && { sender }) }
      const answer = await client.post(pathOf`/v1/databases/${database}/sql`, body, sqlAnswer)
      terminal.result(answer, answerLines(answer))
      terminal.note(`${answer.returned} ${answer.returned === 1 ? 'row' : 'rows'}`)
    })
}

function answerLines({ columns, rows, examined, returned, explanation }: SqlAnswer): readonly string[] {
  const names = uniqueNames(columns.map(({ name }) => name))
  const lines = rows.length === 0 ? [names.join('  ')] : tableLines(rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]]))))
  if (explanation === undefined) return lines
  return [
    ...lines,
    '',
    ...explanation.plan.map((step) => `plan      ${step}`),
    ...explanation.policies.map(({ table, policies }) => `policies  ${table}: ${policies.length === 0 ? 'none, so it is closed' : policies.join(' ')}`),
    `rows      ${examined} examined, ${returned} returned`,
  ]
}

/** A statement may give two columns one name, or a number, which an object would put first. */
function uniqueNames(names: readonly string[]): readonly string[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    const unique = count === 1 ? name : `${name} (${count})`
    return /^\d+$/.test(unique) ? `"${unique}"` : unique
  })
}
