/** `npm run bench -- <name> [--json]`: runs one benchmark, prints its table, and with --json ends in one line of JSON. */
import { benchAudit } from './audit.ts'
import { benchCall } from './call.ts'
import { benchDurable } from './durable.ts'
import { benchFuel } from './fuel.ts'
import { benchLog } from './log.ts'
import type { Report } from './measure.ts'
import { benchPublish } from './publish.ts'
import { benchRecallPeers } from './recall-peers.ts'
import { benchRecall } from './recall.ts'
import { benchRestart } from './restart.ts'
import { benchSandbox } from './sandbox.ts'
import { benchSql } from './sql.ts'
import { benchTurn } from './turn.ts'

const benches = new Map<string, () => Promise<Report>>([
  ['recall', benchRecall],
  ['recall-peers', benchRecallPeers],
  ['call', benchCall],
  ['publish', benchPublish],
  ['fuel', benchFuel],
  ['sandbox', benchSandbox],
  ['durable', benchDurable],
  ['restart', benchRestart],
  ['log', benchLog],
  ['sql', benchSql],
  ['audit', benchAudit],
  ['turn', benchTurn],
])

const [name = '', ...flags] = process.argv.slice(2)
const bench = benches.get(name)
if (bench === undefined) {
  process.stderr.write(`expected one of ${[...benches.keys()].join(', ')}, got ${name === '' ? 'nothing' : name}\n`)
  process.exit(2)
}
const result = await bench()
printTable(result)
if (flags.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`)

function printTable({ bench: title, load, figures, ratios }: Report): void {
  const rows = [...Object.entries(figures), ...Object.entries(ratios).map(([what, value]): [string, number] => [`${what} (ratio)`, value])]
  const width = Math.max(...rows.map(([what]) => what.length))
  process.stdout.write(`${title}, load ${load}\n`)
  for (const [what, value] of rows) process.stdout.write(`  ${what.padEnd(width)}  ${value}\n`)
}
