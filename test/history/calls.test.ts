/** Calls that were recorded are found and read from the data folder alone. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { systemClock } from '../../host/clock.ts'
import { callsWithId, listCalls, recordAt } from '../../host/history/calls.ts'
import type { DatabaseHistory } from '../../host/history/folder-history.ts'
import type { ShownCall } from '../../host/history/shown-record.ts'
import { trimLog } from './damage.ts'
import { contentOf, HistoryFixture } from './history-fixture.ts'

let fixture: HistoryFixture
before(async () => (fixture = await HistoryFixture.make()))
after(() => fixture[Symbol.dispose]())

function listed(history: DatabaseHistory, range: { from?: bigint; to?: bigint; countMax?: number } = {}): Promise<readonly ShownCall[]> {
  return listCalls(history, { countMax: 1_000, ...range })
}

async function reducersOf(range: Parameters<typeof listed>[1]): Promise<readonly string[]> {
  return (await listed(fixture.history('ledger'), range)).map(({ position, reducer }) => `${position} ${reducer}`)
}

test('calls are listed in their order, refused ones and queries not among them', async () => {
  const calls = await listed(fixture.history('ledger'))
  assert.equal(calls.length, 19)
  assert.deepEqual(
    calls.filter(({ reducer }) => ['refuse', 'write_and_end', 'latest'].includes(reducer)),
    [],
  )
  const positions = calls.map(({ position }) => Number(position))
  assert.deepEqual(
    positions,
    positions.toSorted((left, right) => left - right),
  )
})

test('a range has both its ends, and of more calls than wanted the last ones are kept', async () => {
  assert.deepEqual(await reducersOf({ from: 14n, to: 16n }), ['14 change', '15 forget', '16 take'])
  assert.deepEqual(await reducersOf({ countMax: 2 }), ['23 remember', '24 rename'])
  assert.deepEqual(await reducersOf({ to: 16n, countMax: 1 }), ['16 take'])
})

test('a record says who called, what with, what came of it, and under which versions', async () => {
  const record = await recordAt(fixture.history('ledger'), 14n)
  assert(record.kind === 'call')
  const { sender, actor, operations, moduleHash, seed, chain, sequence, ...rest } = record
  const row = { id: '1', caller: sender.identity, score: 3 }
  assert.equal(sender.login?.subject, 'sarah')
  assert.deepEqual(actor, sender)
  assert.deepEqual(operations, [{ kind: 'update', table: 'notes', before: { ...row, content: 'the first' }, after: { ...row, content: 'the first, changed' } }])
  assert.match(moduleHash, /^[0-9a-f]{64}$/)
  assert.match(chain, /^[0-9a-f]{64}$/)
  assert.match(`${seed[0]}${seed[1]} ${sequence}`, /^[0-9a-f]+ \d+$/)
  assert.partialDeepStrictEqual(rest, {
    position: '14',
    at: '2027-01-15T08:00:00.000000Z',
    epoch: '1',
    reducer: 'change',
    module: 'ledger',
    version: 1,
    id: null,
    assurance: 'signed',
    channel: 'process',
    claims: { role: 'customer' },
    arguments: { id: '1', content: 'the first, changed' },
    result: true,
    schemaVersion: 1,
    fuelSchedule: 1,
    hostVersion: '0.1.0',
  })
  assert.ok(rest.fuel > 10_000)
})

test('who acts for somebody is told apart from them', async () => {
  const [call] = await callsWithId(fixture.history('ledger'), '7')
  assert.deepEqual([call?.sender.login?.subject, call?.actor.login?.subject, call?.assurance], ['sarah', 'desk', 'provider'])
})

test('a call is found by the id that its caller gave it', async () => {
  const found = await callsWithId(fixture.history('ledger'), 'first-note')
  assert.deepEqual(
    found.map(({ position, arguments: args, result }) => ({ position, args, result })),
    [{ position: '5', args: { content: 'the first', score: 3 }, result: '1' }],
  )
})

test('each call is read by the module and the schema that it ran under', async () => {
  const calls = await listed(fixture.history('stamps'))
  assert.deepEqual(
    calls.map(({ version, result, operations }) => [version, result, Object.keys(operations[0]?.after ?? {}).includes('mood')]),
    [
      [1, 'first', false],
      [2, 'second', true],
      [2, 'second', true],
      [2, 'second', true],
    ],
  )
})

test('records of other kinds are told in a line, and no key in any', async () => {
  const history = fixture.history('stamps')
  const lines = await Promise.all(
    [1n, 2n, 3n, 5n, 6n].map(async (position) => {
      const record = await recordAt(history, position)
      return record.kind === 'call' ? '' : `${record.kind}: ${record.what}`
    }),
  )
  assert.match(lines.join('\n'), /^key: the database's signing keys changed\npublish: version 1 \(\w{12}\) published by process: create table stamps\n/)
  assert.match(
    lines.join('\n'),
    /\nidentity: sarah of \S+ seen first: identity \w{64}\nlimit: limits set: \{"fuel":200000,"rowsRead":50\}\npublish: version 2 .*mood/,
  )
})

test('what the log does not have is refused with what it has', async () => {
  const history = fixture.history('ledger')
  const refusal = { code: 'ERR_CALL_UNKNOWN', message: /the log has its positions 1 to 24$/ }
  await assert.rejects(recordAt(history, 25n), refusal)
  await assert.rejects(callsWithId(history, 'no such id'), refusal)
  assert.throws(() => fixture.history('ledgers'), { code: 'ERR_DATABASE_UNKNOWN', message: /it has bank, ledger, stamps$/ })
})

test('where the log has forgotten its beginning, a snapshot knows modules and people', async () => {
  using folder = fixture.copy()
  await trimLog(folder, systemClock)
  const history = folder.history('ledger')
  assert.equal(history.range?.first, 17n)
  const [call] = await callsWithId(history, '7')
  assert.deepEqual([call?.sender.login?.subject, call?.arguments], ['sarah', { content: 'of the desk', score: 1 }])
  await assert.rejects(recordAt(history, 5n), { code: 'ERR_CALL_UNKNOWN', message: /positions 17 to 24/ })
})

test('without that snapshot such a call is refused by what is missing', async () => {
  using folder = fixture.copy()
  await trimLog(folder, systemClock)
  const history = folder.history('ledger')
  folder.flip('databases/ledger/snapshots/00000000000000000016.sqlite', 5_000)
  await assert.rejects(callsWithId(history, '7'), { code: 'ERR_MODULE_MISSING', message: /version 1 of the module is neither in the log nor in a snapshot/ })
})

test('looking leaves the data folder as it was, byte for byte', async () => {
  const earlier = contentOf(fixture.path)
  const history = fixture.history('ledger')
  await listed(history)
  await recordAt(history, 14n)
  assert.deepEqual(contentOf(fixture.path), earlier)
})
