/**
 * The last 20 of a caller's rows among 1 M rows of 10,000 callers, as a client's statement with its compiled
 * form cached, beside the host-side read and the same statement written by hand; and what reading and
 * compiling a text costs that was never seen.
 */
import Sqlite from 'better-sqlite3'

import { identityToBytes } from '../host/identity.ts'
import { cacheSizeKiB } from '../host/storage/database-file.ts'
import { claimsHost, fillTurns } from './claims-host.ts'
import { interleave, ratio, report, spreadFigures } from './measure.ts'
import type { Report } from './measure.ts'

const callers = 10_000
const turnsEach = 100
const wanted = 20
const statement = `SELECT id, caller, role, content, at FROM turns WHERE caller = $1 ORDER BY id DESC LIMIT ${wanted}`

export async function benchSql(): Promise<Report> {
  await using fixture = await claimsHost()
  const senders = await fillTurns(fixture.claims, callers, turnsEach)
  const byHand = new Sqlite(fixture.file, { readonly: true })
  byHand.pragma(`cache_size = -${cacheSizeKiB}`)
  const plain = byHand.prepare('SELECT id, caller, role, content, at FROM turns WHERE caller = +? ORDER BY id DESC LIMIT ?').safeIntegers(true)

  let turn = 0
  const next =
    <T>(read: (index: number) => T) =>
    () =>
      read((turn = (turn + 7_919) % callers))
  const identities = senders.map((sender) => identityToBytes(sender.identity))
  let texts = 0
  const spreads = await interleave(
    [
      { name: 'by hand, = +?', run: next((index) => plain.all(identities[index], wanted)) },
      { name: 'host-side read', run: next((index) => senders[index]?.rows('turns', { latest: wanted })) },
      { name: 'sql', run: next((index) => senders[index]?.sql(statement, [senders[index]?.identity])) },
      { name: 'sql, one column', run: next((index) => senders[index]?.sql(`SELECT content FROM turns ORDER BY id DESC LIMIT ${wanted}`)) },
      { name: 'sql, new text', run: next((index) => senders[index]?.sql(`${statement} -- ${texts++}`, [senders[index]?.identity])) },
    ],
    { rounds: 100, perRound: 50 },
  )
  byHand.close()

  return report(
    'sql',
    { rows: callers * turnsEach, ...spreadFigures(spreads) },
    {
      'sql / host-side read': ratio(spreads, 'sql', 'host-side read'),
      'sql / by hand, = +?': ratio(spreads, 'sql', 'by hand, = +?'),
    },
  )
}
