/**
 * The last 20 of a caller's rows among 1 M rows of 10,000 callers: the host-side read with its owner
 * policy against the same statement written by hand on better-sqlite3, and the guest query beside it, in fresh
 * and in reset instances, and as it would be without one: the handle's answer, which is packed as its result is
 * (docs/decisions/0006-queries-without-an-instance.md). Each operation picks another caller, the same one for every candidate of a round.
 */
import Sqlite from 'better-sqlite3'

import { identityToBytes } from '../host/identity.ts'
import type { LocalDatabase } from '../host/index.ts'
import { rowsExaminedPerCallMax } from '../host/limits.ts'
import { openOf } from '../host/local-database.ts'
import { PackedReader } from '../host/packed-bytes.ts'
import { Touched } from '../host/access-log/touched.ts'
import { CallBudget } from '../host/reducer/call-budget.ts'
import { CallTable } from '../host/reducer/call-table.ts'
import { RandomIds } from '../host/reducer/random-ids.ts'
import { CallOperations } from '../host/reducer/row-operations.ts'
import { unpackValue } from '../host/row-codec.ts'
import { cacheSizeKiB } from '../host/storage/database-file.ts'
import { claimsHost, fillTurns } from './claims-host.ts'
import { interleave, ratio, report, spreadFigures } from './measure.ts'
import type { Report } from './measure.ts'

const callers = 10_000
const turnsEach = 100
const wanted = 20

export async function benchRecall(): Promise<Report> {
  await using fixture = await claimsHost()
  await using resetting = await claimsHost('reset')
  const senders = await fillTurns(fixture.claims, callers, turnsEach)
  const resetSenders = await fillTurns(resetting.claims, callers, turnsEach)
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
      { name: 'guest query, reset', run: next((index) => resetSenders[index]?.query('last_turns', [wanted])) },
      { name: 'no instance', run: next((index) => withoutInstance(fixture.claims, identities[index] ?? Buffer.alloc(32))) },
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
      'guest query, reset / by hand': ratio(spreads, 'guest query, reset', 'by hand'),
      'no instance / by hand': ratio(spreads, 'no instance', 'by hand'),
    },
  )
}

/** What `turns.latest(20)` comes to when nothing but its handle runs: the rows, packed and unpacked again. */
function withoutInstance(claims: LocalDatabase, sender: Uint8Array): unknown {
  const { database } = openOf(claims)
  const module = database.requireModule()
  const caller = { sender, actor: sender, assurance: 'none', channel: 'process', claims: {}, reducer: 'last_turns' } as const
  const scope = {
    policy: caller,
    touched: new Touched(),
    operations: new CallOperations(database.file, database.operations, database.limits.rowOperations),
    nextIds: database.nextIds,
    randomIds: new RandomIds([1n, 2n]),
    budget: new CallBudget(database.limits),
    writer: database.rowWriter,
  }
  database.file.rowsExaminedLeft = rowsExaminedPerCallMax
  const packed = new CallTable(database.access(module, 'turns'), 'read', scope).scan(latestTwenty)
  return unpackValue(new PackedReader(packed, 'ERR_RESULT_MALFORMED'), rowsOfTurns, module.layouts)
}

/** Direction, limit, no terms (docs/row-format.md). */
const latestTwenty = Uint8Array.of(2, wanted, 0, 0, 0, 0)
const rowsOfTurns = { kind: 'array', element: { kind: 'row', table: 'turns', nullable: false } } as const
