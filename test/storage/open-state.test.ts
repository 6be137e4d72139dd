/** A state file is opened at the end of its history however it was left, or its database is refused by name. */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import Sqlite from 'better-sqlite3'

import { HostError } from '../../host/errors.ts'
import type { StateReport } from '../../host/storage/open-state.ts'
import type { StateFile } from '../../host/storage/state-file.ts'
import { meta } from '../../host/storage/system-tables.ts'
import { StateFolder } from './state-fixture.ts'

/** A database with this many changes, left as it is after the last one. */
async function changed(folder: StateFolder, count: number, { withSnapshotAt = 0 } = {}): Promise<StateFile> {
  const opened = await folder.open()
  for (let change = 1; change <= count; change++) {
    folder.change(opened, 'colour', `shade ${change}`)
    if (change === withSnapshotAt) await opened.state.checkpoint(true)
  }
  return opened.state
}

/** What the next host finds, and how it got there. */
async function found(folder: StateFolder): Promise<Partial<StateReport> & { readonly colour: unknown }> {
  const { state, report } = await folder.open()
  const colour = meta(state.file, 'colour')
  await state.close()
  return { ...report, colour }
}

/** As a killed process leaves it: nothing is closed. */
function kill(state: StateFile): void {
  const path = state.file.path
  for (const suffix of ['', '-wal']) copyFileSync(path + suffix, `${path}.copy${suffix}`)
  const marks = readFileSync(path.replace('.sqlite', '.json'))
  state.file.close()
  for (const suffix of ['', '-wal']) copyFileSync(`${path}.copy${suffix}`, path + suffix)
  for (const suffix of ['', '-wal']) rmSync(`${path}.copy${suffix}`)
  writeFileSync(path.replace('.sqlite', '.json'), marks)
}

/** As a process leaves it that is killed when the log has all of these changes, and the file the first few. */
async function killedBehind(folder: StateFolder, inFile: number, inLog: number): Promise<void> {
  const opened = await folder.open()
  const { path } = opened.state.file
  let before: readonly Buffer[] = []
  for (let change = 1; change <= inLog; change++) {
    folder.change(opened, 'colour', `shade ${change}`)
    if (change === inFile) before = ['', '-wal'].map((suffix) => readFileSync(path + suffix))
  }
  opened.state.file.close()
  for (const [index, suffix] of ['', '-wal'].entries()) writeFileSync(path + suffix, before[index] ?? '')
}

/** As a machine that starts again after a power loss finds it: the marks are of an earlier start. */
function losePower(folder: StateFolder, state: StateFile): void {
  kill(state)
  const marks = JSON.parse(readFileSync(folder.at('state.json'), 'utf8')) as Record<string, unknown>
  writeFileSync(folder.at('state.json'), JSON.stringify({ ...marks, boot: 'an earlier start of the machine' }))
}

/** As a process leaves it that is killed when every other page has moved from the WAL into the file. */
async function killMoving(
  folder: StateFolder,
  { file, ...state }: { file: StateFile['file']; checkpoint: () => Promise<void>; close: () => Promise<void> },
): Promise<void> {
  const paths = ['state.sqlite', 'state.sqlite-wal', 'state.json'].map((name) => folder.at(name))
  const move = file.checkpoint.bind(file)
  let before: Buffer[] = []
  file.checkpoint = () => {
    before = paths.map((path) => readFileSync(path))
    move()
  }
  await state.checkpoint()
  const moved = readFileSync(folder.at('state.sqlite'))
  await state.close()
  const [main = Buffer.alloc(0), wal = '', marks = ''] = before
  for (let at = 0; at < moved.length; at += 8_192) moved.copy(main, at, at, at + 4_096)
  for (const [index, bytes] of [main, wal, marks].entries()) writeFileSync(paths[index] ?? '', bytes)
}

/** Killed so after this many changes, the last checkpoint before being that of the fourth. */
async function killedMoving(folder: StateFolder, count: number): Promise<void> {
  const state = await changed(folder, count, { withSnapshotAt: 4 })
  await killMoving(folder, { file: state.file, checkpoint: () => state.checkpoint(false), close: () => state.close() })
  assert.match(readFileSync(folder.at('state.json'), 'utf8'), /"checkpoint"/)
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

test('a file that was closed is used as it is', async () => {
  using folder = new StateFolder()
  await (await changed(folder, 5)).close()
  assert.deepEqual(await found(folder), { condition: 'closed', isRebuilt: false, recordsReplayed: 0, recordsAhead: 0n, colour: 'shade 5' })
})

test('what a killed process wrote is used, and what only the log has is replayed', async () => {
  using folder = new StateFolder()
  const state = await changed(folder, 5)
  kill(state)
  assert.deepEqual(await found(folder), { condition: 'killed', isRebuilt: false, recordsReplayed: 0, recordsAhead: 0n, colour: 'shade 5' })
  using other = new StateFolder()
  await killedBehind(other, 1, 8)
  assert.deepEqual(await found(other), { condition: 'killed', isRebuilt: false, recordsReplayed: 7, recordsAhead: 0n, colour: 'shade 8' })
})

test('a move of pages that was killed half way is ended, and the file used', async () => {
  using folder = new StateFolder()
  await killedMoving(folder, 9)
  assert.deepEqual(await found(folder), { condition: 'killed', isRebuilt: false, recordsReplayed: 0, recordsAhead: 0n, colour: 'shade 9' })
})

for (const [what, spoil] of [
  ['a page of the file', (folder: StateFolder): void => flip(folder.at('state.sqlite'), 9_000)],
  ['a frame of the WAL', (folder: StateFolder): void => flip(folder.at('state.sqlite-wal'), 5_000)],
  ['the end of the WAL', (folder: StateFolder): void => truncateSync(folder.at('state.sqlite-wal'), 10_000)],
  ['the WAL', (folder: StateFolder): void => rmSync(folder.at('state.sqlite-wal'))],
] as const) {
  test(`pages that moved when the host was killed, and ${what} spoiled since: rebuilt`, async () => {
    using folder = new StateFolder()
    await killedMoving(folder, 9)
    spoil(folder)
    assert.deepEqual(await found(folder), { condition: 'damaged', isRebuilt: true, recordsReplayed: 5, recordsAhead: 0n, colour: 'shade 9' })
  })
}

test('a page that the disk spoils under a running host is no part of a snapshot, and found at the next start', async () => {
  using folder = new StateFolder()
  const opened = await folder.open()
  for (let change = 1; change <= 6; change++) {
    folder.change(opened, 'colour', `shade ${change}`)
    if (change === 2) await opened.state.checkpoint(true)
    if (change === 4) flip(folder.at('state.sqlite'), 4_096 * 6 - 5)
  }
  await assert.rejects(opened.state.checkpoint(true), { code: 'ERR_STORAGE', message: /spoiled/ })
  await opened.state.close()
  assert.deepEqual(await found(folder), { condition: 'damaged', isRebuilt: true, recordsReplayed: 4, recordsAhead: 0n, colour: 'shade 6' })
})

test('after a power loss the file is taken as its last checkpoint left it, and the log is replayed from there', async () => {
  using folder = new StateFolder()
  const state = await changed(folder, 6, { withSnapshotAt: 4 })
  losePower(folder, state)
  assert.deepEqual(await found(folder), { condition: 'power loss', isRebuilt: false, recordsReplayed: 2, recordsAhead: 0n, colour: 'shade 6' })
})

test('a file whose bytes are not those that were written is rebuilt from its snapshot and the log', async () => {
  using folder = new StateFolder()
  await (await changed(folder, 6, { withSnapshotAt: 4 })).close()
  flip(folder.at('state.sqlite'), 9_000)
  assert.deepEqual(await found(folder), { condition: 'damaged', isRebuilt: true, recordsReplayed: 2, recordsAhead: 0n, colour: 'shade 6' })
})

test('a damaged snapshot is passed over for the one before it', async () => {
  using folder = new StateFolder()
  const opened = await folder.open()
  for (let change = 1; change <= 6; change++) {
    folder.change(opened, 'colour', `shade ${change}`)
    if (change === 2 || change === 4) await opened.state.checkpoint(true)
  }
  await opened.state.close()
  flip(folder.at('snapshots/00000000000000000004.sqlite'), 5_000)
  truncateSync(folder.at('state.sqlite'), 8_192)
  assert.deepEqual(await found(folder), { condition: 'damaged', isRebuilt: true, recordsReplayed: 4, recordsAhead: 0n, colour: 'shade 6' })
})

test('two snapshots are kept', async () => {
  using folder = new StateFolder()
  const opened = await folder.open()
  for (let change = 1; change <= 4; change++) {
    folder.change(opened, 'colour', `shade ${change}`)
    await opened.state.checkpoint(true)
  }
  await opened.state.close()
  const names = [1, 2, 3, 4].filter((position) => existsSync(folder.at(`snapshots/${String(position).padStart(20, '0')}.sqlite`)))
  assert.deepEqual(names, [3, 4])
})

for (const [what, spoil] of [
  ['lost', (path: string): void => rmSync(path)],
  ['cut to nothing', (path: string): void => truncateSync(path, 0)],
  ['cut in the middle', (path: string): void => truncateSync(path, 8_192)],
  ['no SQLite file', (path: string): void => writeFileSync(path, 'x'.repeat(10_000))],
] as const) {
  test(`a file that is ${what} is rebuilt from the log alone, when the log has all of it`, async () => {
    using folder = new StateFolder()
    await (await changed(folder, 3)).close()
    spoil(folder.at('state.sqlite'))
    const { isRebuilt, recordsReplayed, colour } = await found(folder)
    assert.deepEqual({ isRebuilt, recordsReplayed, colour }, { isRebuilt: true, recordsReplayed: 3, colour: 'shade 3' })
  })

  test(`a file that is ${what} is refused when neither snapshot nor log has it, and no empty one takes its place`, async () => {
    using folder = new StateFolder()
    await (await changed(folder, 3)).close()
    spoil(folder.at('state.sqlite'))
    folder.firstKept = 10n
    await assert.rejects(folder.open(), { code: 'ERR_STORAGE' })
    await assert.rejects(folder.open(), { code: 'ERR_STORAGE' })
  })
}

test('a database whose file, snapshots and log are gone is refused, and no empty one takes its place', async () => {
  using folder = new StateFolder()
  await (await changed(folder, 3)).close()
  rmSync(folder.at('state.sqlite'))
  folder.firstKept = 10n
  await assert.rejects(folder.open(), { code: 'ERR_STORAGE' })
  assert.equal(existsSync(folder.at('state.sqlite')), false)
})

test('a gap in the log before what is needed is refused by its name', async () => {
  using folder = new StateFolder()
  await (await changed(folder, 6)).close()
  flip(folder.at('state.sqlite'), 5_000)
  folder.firstKept = 3n
  await assert.rejects(folder.open(), { code: 'ERR_LOG_DAMAGED', message: /record 3 does not follow record 0/ })
})

test('a log that lost its end loses nothing that the file has, and a snapshot follows', async () => {
  using folder = new StateFolder()
  kill(await changed(folder, 6))
  folder.lastKept = 4n
  assert.deepEqual(await found(folder), { condition: 'killed', isRebuilt: false, recordsReplayed: 0, recordsAhead: 2n, colour: 'shade 6' })
})

test('a rebuilt file that does not come as far as the one that was lost had come is refused', async () => {
  using folder = new StateFolder()
  await (await changed(folder, 6, { withSnapshotAt: 3 })).close()
  flip(folder.at('state.sqlite'), 5_000)
  folder.lastKept = 4n
  await assert.rejects(folder.open(), { code: 'ERR_LOG_DAMAGED' })
})

test('nobody rebuilds over records of which nobody knows whose they were', async () => {
  using folder = new StateFolder()
  const state = await changed(folder, 3)
  await state.close()
  folder.hasLostRecords = true
  assert.equal((await found(folder)).colour, 'shade 3')
  flip(folder.at('state.sqlite'), 5_000)
  await assert.rejects(folder.open(), { code: 'ERR_LOG_DAMAGED' })
})

for (const [what, end] of [
  ['a power loss', losePower],
  ['a kill', (_folder: StateFolder, state: StateFile): void => kill(state)],
] as const) {
  test(`after ${what} nobody goes on without records of which nobody knows whose they were, nor does a later host`, async () => {
    using folder = new StateFolder()
    end(folder, await changed(folder, 6, { withSnapshotAt: 4 }))
    folder.lastKept = 5n
    folder.hasLostRecords = true
    await assert.rejects(folder.open(), { code: 'ERR_LOG_DAMAGED' })
    folder.hasLostRecords = false
    await assert.rejects(folder.open({ isCreation: false }), { code: 'ERR_LOG_DAMAGED' })
  })
}

test('a file that was closed has everything, whatever the log has lost', async () => {
  using folder = new StateFolder()
  await (await changed(folder, 6)).close()
  folder.hasLostRecords = true
  assert.equal((await found(folder)).colour, 'shade 6')
})

test('a file that was killed and waits for records which the log has lost is as good as before when the log is mended', async () => {
  using folder = new StateFolder()
  await killedBehind(folder, 3, 9)
  const lost = folder.records.splice(4, 1)
  for (let time = 0; time < 2; time++) await assert.rejects(folder.open(), { code: 'ERR_LOG_DAMAGED', message: /record 6 does not follow record/ })
  folder.firstKept = 4n
  folder.records.splice(4, 0, ...lost)
  const { colour, isRebuilt } = await found(folder)
  assert.deepEqual({ colour, isRebuilt }, { colour: 'shade 9', isRebuilt: false })
})

test('a file that a full disk keeps from following is as good as before when there is room', async () => {
  using folder = new StateFolder()
  await killedBehind(folder, 3, 9)
  folder.readFailure = new HostError('ERR_STORAGE', 'state.sqlite could not be used', { cause: Object.assign(new Error('full'), { code: 'SQLITE_FULL' }) })
  await assert.rejects(folder.open(), { code: 'ERR_STORAGE' })
  folder.readFailure = undefined
  folder.firstKept = 4n
  const { colour, isRebuilt } = await found(folder)
  assert.deepEqual({ colour, isRebuilt }, { colour: 'shade 9', isRebuilt: false })
})

test('a database that is refused keeps the files that it has', async () => {
  using folder = new StateFolder()
  await (await changed(folder, 6, { withSnapshotAt: 3 })).close()
  flip(folder.at('state.sqlite'), 5_000)
  folder.lastKept = 4n
  const before = readFileSync(folder.at('state.sqlite'))
  await assert.rejects(folder.open(), { code: 'ERR_LOG_DAMAGED' })
  assert.deepEqual(readFileSync(folder.at('state.sqlite')), before)
  assert.ok(!existsSync(folder.at('state.sqlite.new')))
  folder.lastKept = 6n
  assert.equal((await found(folder)).colour, 'shade 6')
})

test('a note that is not what was written is refused by its name, whatever of it is other', async () => {
  using folder = new StateFolder()
  await (await changed(folder, 2)).close()
  const note = readFileSync(folder.at('database.json'), 'utf8')
  for (const other of [note.replace('default', 'defauld'), note.replace(/[0-9a-f]"/, '_"'), note.slice(0, 40), '']) {
    writeFileSync(folder.at('database.json'), other)
    await assert.rejects(folder.open(), { code: 'ERR_STORAGE', message: /database\.json/ })
  }
  writeFileSync(folder.at('database.json'), note)
  assert.equal((await found(folder)).colour, 'shade 2')
})

test('a snapshot whose note has another position than its name is none', async () => {
  using folder = new StateFolder()
  await (await changed(folder, 6, { withSnapshotAt: 3 })).close()
  const path = folder.at('snapshots/00000000000000000003.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace('"3"', '"7"'))
  assert.equal((await folder.open().then(({ state }) => state)).snapshotPosition, 0n)
})

test('what hosts that were killed left of their snapshots goes with the next one', async () => {
  using folder = new StateFolder()
  const opened = await folder.open()
  folder.change(opened, 'colour', 'shade 1')
  await opened.state.checkpoint(true)
  for (const name of ['00000000000000000007.sqlite', '00000000000000000008.sqlite.new', '00000000000000000001.json.new'])
    writeFileSync(folder.at(`snapshots/${name}`), 'half')
  folder.change(opened, 'colour', 'shade 2')
  await opened.state.checkpoint(true)
  await opened.state.close()
  assert.deepEqual(
    readdirSync(folder.at('snapshots')).toSorted(),
    [1, 2].flatMap((position) => ['json', 'sqlite'].map((ending) => `${String(position).padStart(20, '0')}.${ending}`)),
  )
})

test('a database that is known to have been made is not made anew', async () => {
  using folder = new StateFolder()
  await assert.rejects(folder.open({ isCreation: false }), { code: 'ERR_STORAGE' })
  assert.equal(existsSync(folder.at('state.sqlite')), false)
})

test('a database is made beside whatever the log has lost of others', async () => {
  using folder = new StateFolder()
  folder.hasLostRecords = true
  assert.equal((await found(folder)).condition, 'new')
})

test('a database that was being made when its host was killed is made', async () => {
  using folder = new StateFolder()
  writeFileSync(folder.at('state.sqlite'), '')
  assert.equal((await found(folder)).condition, 'new')
})

test('the file of another program is refused and left as it was', async () => {
  using folder = new StateFolder()
  new Sqlite(folder.at('state.sqlite')).exec('CREATE TABLE recipes (name TEXT)').close()
  await assert.rejects(folder.open(), { code: 'ERR_STORAGE' })
  assert.deepEqual(new Sqlite(folder.at('state.sqlite'), { readonly: true }).prepare('SELECT name FROM sqlite_schema').pluck().all(), ['recipes'])
})

test('a file of a later format is refused', async () => {
  using folder = new StateFolder()
  await (await changed(folder, 1, { withSnapshotAt: 1 })).close()
  rmSync(folder.at('state.json'))
  folder.firstKept = 10n
  new Sqlite(folder.at('state.sqlite')).exec("UPDATE _meta SET value = 2 WHERE key = 'format'").close()
  await assert.rejects(folder.open(), { code: 'ERR_STORAGE', message: /format 2/ })
})

test('only its owner can read a file, because keys are in it', async () => {
  using folder = new StateFolder()
  await (await changed(folder, 1, { withSnapshotAt: 1 })).close()
  for (const name of ['state.sqlite', 'state.json', 'database.json', 'snapshots/00000000000000000001.sqlite']) {
    assert.equal(statSync(folder.at(name)).mode & 0o777, 0o600, name)
  }
})

test('an error names no path of the data folder', async () => {
  using folder = new StateFolder()
  await (await changed(folder, 3)).close()
  writeFileSync(folder.at('state.sqlite'), 'x'.repeat(10_000))
  folder.firstKept = 10n
  await assert.rejects(folder.open(), (error: Error) => !error.message.includes(folder.path))
})

test('a file that has taken many bytes gets a snapshot, however few records they were', async () => {
  using folder = new StateFolder()
  const opened = await folder.open()
  for (let change = 1; change <= 12 && opened.state.snapshotPosition === 0n; change++) {
    folder.change(opened, 'large', String.fromCharCode(96 + change).repeat(6 * 1024 * 1024))
    opened.state.moveOn(true)
    await opened.state.checkpoint(false)
  }
  assert.ok(opened.state.snapshotPosition > 0n)
  await opened.state.close()
})
