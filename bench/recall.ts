/**
 * The last 20 of a caller's rows among 1 M rows of 10,000 callers: the host-side read with its owner
 * policy against the same statement written by hand on better-sqlite3, and the guest query beside it.
 * Each operation picks another caller, the same one for every candidate of a round.
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

export async function benchRecall(): Promise<Report> {
  await using fixture = await claimsHost()
  const senders = await fillTurns(fixture.claims, callers, turnsEach)
  const byHand = new Sqlite(fixture.file, { readonly: true })
  byHand.pragma(`cache_size = -${cacheSizeKiB}`)
  const statement = (equals: string) =>
    byHand.prepare(`SELECT id, caller, role, content, at FROM turns WHERE caller = ${equals} ORDER BY id DESC LIMIT ?`).safeIntegers(true)
  const plain = statement('?')
  const unplanned = statement('+?')

  let turn = 0
  const next =
    <T>(read: (index: number) => T) =>
    () =>
      read((turn = (turn + 7_919) % callers))
  const identities = senders.map((sender) => identityToBytes(sender.identity))
  const spreads = await interleave(
    [
      { name: 'by hand', run: next((index) => plain.all(identities[index], wanted)) },
      { name: 'by hand, = +?', run: next((index) => unplanned.all(identities[index], wanted)) },
      { name: 'host-side read', run: next((index) => senders[index]?.rows('turns', { latest: wanted })) },
      { name: 'guest query', run: next((index) => senders[index]?.query('last_turns', [wanted])) },
    ],
    { rounds: 100, perRound: 100 },
  )
  byHand.close()

  return report(
    'recall',
    { rows: callers * turnsEach, ...spreadFigures(spreads) },
    {
      'host-side read / by hand': ratio(spreads, 'host-side read', 'by hand'),
      'host-side read / by hand, = +?': ratio(spreads, 'host-side read', 'by hand, = +?'),
      'guest query / by hand': ratio(spreads, 'guest query', 'by hand'),
    },
  )
}
