/** remembrancer limits: what one call of a database may use, and, for the operator, how to change it. */
import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { z } from 'zod'

import { pathOf } from '../host-client.ts'
import { connect, hostCommand } from '../host-command.ts'
import { requireDatabase } from '../target.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

const limits = z.record(z.string(), z.number())
const answer = z.object({ limits, defaults: limits, ceilings: limits })

interface LimitsOptions extends TargetOptions {
  readonly set: Readonly<Record<string, number | null>>
}

export function limitsCommand(terminal: Terminal): Command {
  return hostCommand('limits', 'what one call of a database may use')
    .option('--set <limit=value>', 'change a limit, back to its default with =default; may be repeated', addChange, {})
    .action(async (options: LimitsOptions) => {
      const { client, target } = connect(options)
      const path = pathOf`/v1/databases/${requireDatabase(target)}/limits`
      const isChange = Object.keys(options.set).length > 0
      const found = isChange ? await client.post(path, { limits: options.set }, answer) : await client.get(path, answer)
      terminal.result(found, lines(found))
    })
}

function addChange(text: string, changes: Readonly<Record<string, number | null>>): Record<string, number | null> {
  const [, name, value = ''] = /^([A-Za-z]+)=(\d+|default)$/.exec(text) ?? []
  if (name === undefined) throw new InvalidArgumentError('a change is limit=number or limit=default, as in fuel=1000000')
  return { ...changes, [name]: value === 'default' ? null : Number(value) }
}

function lines({ limits: current, defaults, ceilings }: z.infer<typeof answer>): readonly string[] {
  const rows = Object.entries(current).map(([name, value]) => {
    const note = value === defaults[name] ? '' : `  (default ${defaults[name]?.toLocaleString('en')})`
    return [name, `${value.toLocaleString('en')}${note}`, `at most ${ceilings[name]?.toLocaleString('en')}`]
  })
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  return rows.map(([name = '', value = '', ceiling = '']) => `${name.padEnd(width(0))}  ${value.padEnd(width(1))}  ${ceiling}`)
}
