/** A history runs again to the same end, wherever it is run, and whatever comes out otherwise is named. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'

import { systemClock } from '../../host/clock.ts'
import { FolderHistory } from '../../host/history/folder-history.ts'
import { replay } from '../../host/history/replay.ts'
import type { ReplayReport } from '../../host/history/replay.ts'
import { openHost } from '../../host/open-host.ts'
import { GuestModule } from '../../host/sandbox/guest-module.ts'
import { repository } from '../cli/command-fixture.ts'
import { ledgerComponent } from '../reducer/ledger.ts'
import { checked, first } from '../shard/versions.ts'
import { DataFolder } from '../storage/folder.ts'
import { spoilText, trimLog } from './damage.ts'
import { contentOf, forgeSnapshot, HistoryFixture } from './history-fixture.ts'

let fixture: HistoryFixture
before(async () => (fixture = await HistoryFixture.make()))
after(() => fixture[Symbol.dispose]())

/** What a replay found, without what it took. */
function outcomeOf({ from, to, calls, callsDiffering, otherRecords, recordsRebuilt, stopped }: ReplayReport): readonly unknown[] {
  assert.equal(stopped, null)
  return [from, to, calls, callsDiffering, otherRecords, recordsRebuilt]
}

test('every call of a history comes out as recorded, over new versions and changed limits', async () => {
  assert.deepEqual(outcomeOf(await replay(fixture.history('ledger'))), ['1', '24', 19, 0, 5, 0])
  assert.deepEqual(outcomeOf(await replay(fixture.history('stamps'))), ['1', '9', 4, 0, 5, 0])
})

test('policies, uniques and ids, counted ones and those of chance, see what the call saw', async () => {
  const { calls, callsDiffering, otherRecords } = await replay(fixture.history('bank'))
  assert.deepEqual([calls, callsDiffering, otherRecords], [5, 0, 5])
})

test('a range begins with a snapshot and the records after it', async () => {
  assert.deepEqual(outcomeOf(await replay(fixture.history('ledger'), { from: 20n, to: 22n })), ['20', '22', 3, 0, 0, 3])
  assert.deepEqual(outcomeOf(await replay(fixture.history('ledger'), { from: 15n, to: 15n })), ['15', '15', 1, 0, 0, 14])
})

test('progress is told record by record', async () => {
  const positions: bigint[] = []
  await replay(fixture.history('ledger'), { from: 18n, to: 21n, onProgress: ({ position }) => positions.push(position) })
  assert.deepEqual(positions, [18n, 19n, 20n, 21n])
})

for (const [what, flags] of [
  ['with the baseline compiler alone', ['--liftoff-only']],
  ['with the optimising compiler alone', ['--no-liftoff']],
  ['with functions that are compiled when they are first called', ['--wasm-lazy-compilation', '--wasm-tiering-budget=1000']],
] as const) {
  test(`a history comes out as recorded in another process ${what}`, async () => {
    const command = [...flags, join(repository, 'bin/remembrancer.js'), 'replay', '--data', fixture.path, '--database', 'ledger', '--json']
    const { stdout } = await promisify(execFile)(process.execPath, command)
    assert.deepEqual(outcomeOf(JSON.parse(stdout) as ReplayReport), ['1', '24', 19, 0, 5, 0])
  })
}

test('a state that is not what the calls found shows in what they wrote', async () => {
  using folder = fixture.copy()
  await forgeSnapshot(folder, 'ledger', "UPDATE notes SET content = 'forged' WHERE id = 1")
  const { calls, callsDiffering, first: found } = await replay(folder.history('ledger'), { from: 17n })
  assert.deepEqual([calls, callsDiffering], [7, 1])
  assert.deepEqual([found?.position, found?.reducer], ['18', 'read_own_writes'])
  assert.deepEqual(
    found?.differences.map(({ what, recorded, replayed }) => [
      what,
      JSON.stringify(recorded).includes('1:the first, changed'),
      JSON.stringify(replayed).includes('1:forged'),
    ]),
    [
      ['result', true, true],
      ['fuel', false, false],
    ],
  )
})

test('ids that are counted otherwise show in the row that got another one', async () => {
  using folder = fixture.copy()
  await forgeSnapshot(folder, 'ledger', 'UPDATE _last_ids SET last = 50')
  const { first: found } = await replay(folder.history('ledger'), { from: 18n, to: 18n })
  const [, operation] = found?.differences ?? []
  assert(operation?.what === 'operation')
  assert.deepEqual([operation.operation, operation.recorded?.after?.['id'], operation.replayed?.after?.['id']], [0, '6', '51'])
})

test('other code than ran shows at its first call', async () => {
  using folder = fixture.copy()
  const { core } = await checked(first)
  await forgeSnapshot(folder, 'ledger', 'UPDATE _modules SET core = ?', core)
  const { callsDiffering, first: found } = await replay(folder.history('ledger'), { from: 17n })
  assert.equal(callsDiffering, 7)
  assert.deepEqual([found?.position, found?.differences[0]?.what], ['18', 'ending'])
})

test('a unique that was taken otherwise ends a call that was recorded with a result', async () => {
  using folder = fixture.copy()
  await forgeSnapshot(folder, 'ledger', "INSERT INTO names (caller, name, nick, badge) VALUES (zeroblob(32), 'eve', NULL, 'blue')")
  const { callsDiffering, first: found, stopped } = await replay(folder.history('ledger'), { from: 17n })
  assert.equal(callsDiffering, 1)
  assert.deepEqual(stopped, { position: '24', why: 'it cannot be applied to the state before it: UNIQUE constraint failed: names.badge' })
  assert.deepEqual(
    [found?.position, found?.differences],
    ['24', [{ what: 'ending', recorded: 'a result', replayed: 'ERR_ROW_DUPLICATE names has a row with this badge already' }]],
  )
})

test('fuel is not compared where other prices held', async () => {
  using folder = new DataFolder()
  {
    await using host = await openHost({ data: folder.path })
    const ledger = await host.database('ledger', { create: true })
    const compile = async (core: Uint8Array): Promise<Pick<GuestModule, 'run'>> => {
      const guest = await GuestModule.compile(core)
      return { run: (call) => ({ ...guest.run(call), fuel: 1 }) }
    }
    await ledger.publish(await ledgerComponent(), { compile })
    await (await ledger.as({ subject: 'sarah' })).call('remember', { content: 'cheap', score: 1 })
  }
  const { calls, callsDiffering, callsWithoutFuel } = await replay(FolderHistory.open(folder.path, systemClock.now()).database('ledger'))
  assert.deepEqual([calls, callsDiffering, callsWithoutFuel], [1, 0, 1])
})

test('what the log has forgotten is not run again, and what can be is named', async () => {
  using folder = fixture.copy()
  await trimLog(folder, systemClock)
  assert.deepEqual(outcomeOf(await replay(folder.history('ledger'))), ['17', '24', 7, 0, 1, 0])
  await assert.rejects(replay(folder.history('ledger'), { from: 5n }), { code: 'ERR_CALL_UNKNOWN', message: /positions 17 to 24/ })
  folder.flip('databases/ledger/snapshots/00000000000000000016.sqlite', 5_000)
  await assert.rejects(replay(folder.history('ledger'), { from: 20n }), {
    code: 'ERR_CALL_UNKNOWN',
    message: /before record 20 cannot be rebuilt: the log begins with record 17, and no snapshot from there on is intact/,
  })
})

test('a damaged record is not passed over: a replay ends before it, and one that begins later is refused', async () => {
  using folder = fixture.copy()
  spoilText(folder, 'note 2')
  for (const to of [8n, 12n]) {
    const { calls, callsDiffering, stopped } = await replay(folder.history('ledger'), { to })
    assert.deepEqual([calls, callsDiffering, stopped], [3, 0, { position: '8', why: 'the log has lost it: remembrancer check shows where' }])
  }
  await assert.rejects(replay(folder.history('ledger'), { from: 12n }), { code: 'ERR_LOG_DAMAGED', message: /does not follow record/ })
})

test('a replay leaves the data folder as it was, byte for byte', async () => {
  const earlier = contentOf(fixture.path)
  await replay(fixture.history('ledger'))
  assert.deepEqual(contentOf(fixture.path), earlier)
})
