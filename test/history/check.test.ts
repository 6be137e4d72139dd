/** A check of a data folder names what is wrong, where, and what can be done, and changes nothing. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { crc32 } from 'node:zlib'

import Sqlite from 'better-sqlite3'

import { systemClock } from '../../host/clock.ts'
import { checkFolder } from '../../host/history/check.ts'
import type { CheckReport } from '../../host/history/check.ts'
import { openHost } from '../../host/open-host.ts'
import { CatalogueFile } from '../../host/storage/catalogue-file.ts'
import { sumFile } from '../../host/storage/durable-file.ts'
import { Random } from '../fuzz/random.ts'
import { DataFolder } from '../storage/folder.ts'
import { spoilText, trimLog } from './damage.ts'
import { contentOf, forgeSnapshot, HistoryFixture } from './history-fixture.ts'

let fixture: HistoryFixture
before(async () => (fixture = await HistoryFixture.make()))
after(() => fixture[Symbol.dispose]())

function check(folder: DataFolder): Promise<CheckReport> {
  return checkFolder(folder.path, { now: systemClock.now() })
}

/** What is found, a line each: which part, of which database, in which file, and the first words of what. */
async function foundIn(folder: DataFolder): Promise<readonly string[]> {
  const { findings } = await check(folder)
  for (const { todo } of findings) assert.ok(todo.length > 10 && !todo.includes('\n'))
  return findings.map(({ part, database, file, what }) => `${part} ${database ?? '-'} ${file}: ${what}`)
}

test('a folder that was closed is sound, and stays as it is, byte for byte', async () => {
  const earlier = contentOf(fixture.path)
  const { findings, notes, leftOut, looked } = await check(fixture)
  assert.deepEqual([findings, notes, leftOut], [[], [], []])
  assert.deepEqual({ ...looked, logBytes: 0 }, { segments: 3, logBytes: 0, databases: 3, snapshots: 1, states: 3 })
  assert.deepEqual(contentOf(fixture.path), earlier)
})

test('a folder whose host was killed is sound, and it is said what the next start does', async () => {
  using folder = fixture.copy()
  using killed = new DataFolder()
  {
    await using host = await openHost({ data: folder.path })
    await (await (await host.database('ledger')).as({ subject: 'sarah' })).call('remember', { content: 'unclosed', score: 1 })
    cpSync(folder.path, killed.path, { recursive: true })
  }
  const { findings, notes, leftOut } = await check(killed)
  assert.deepEqual([findings, leftOut], [[], []])
  // The call's, which nobody had committed yet.
  assert.deepEqual(notes, ['ledger was left by: killed; the next start replays 1 records'])
})

test('while a host runs its log and snapshots are looked at, and what is left out is said', async () => {
  using folder = fixture.copy()
  folder.flip('databases/ledger/snapshots/00000000000000000016.sqlite', 5_000)
  await using host = await openHost({ data: folder.path })
  const sarah = await (await host.database('ledger')).as({ subject: 'sarah' })
  const calls = Array.from({ length: 50 }, (_, score) => sarah.call('remember', { content: 'meanwhile', score }))
  const { findings, leftOut, looked } = await check(folder)
  await Promise.all(calls)
  assert.deepEqual(
    findings.map(({ part, file }) => `${part} ${file}`),
    ['snapshot databases/ledger/snapshots/00000000000000000016.sqlite'],
  )
  assert.deepEqual(leftOut, ['state files and the list of databases: a host runs on this folder'])
  assert.equal(looked.states, 0)
  await sarah.call('remember', { content: 'the host has kept its locks', score: 1 })
})

test('a damaged record is named with its place, and what it takes away of a database', async () => {
  using folder = fixture.copy()
  spoilText(folder, 'note 2')
  const { findings } = await check(folder)
  const [first, second] = findings
  assert.deepEqual(
    { ...first, offset: typeof first?.offset, sequences: first?.sequences?.map(Number), what: '', todo: '' },
    {
      part: 'log',
      database: 'ledger',
      file: 'log/0/00000000000000000001.log',
      offset: 'number',
      sequences: [9, 9],
      what: '',
      todo: '',
    },
  )
  assert.equal(first?.what, 'the payload of a record of database ledger is not what was written')
  assert.deepEqual(
    [findings.length, second?.part, second?.what],
    [2, 'history', 'record 9 does not follow record 7 of this database: what lay between is lost'],
  )
})

test('a segment that is gone is missed, by every database that had records in it', async () => {
  using folder = fixture.copy()
  const [, middle] = readdirSync(folder.at('log/0')).filter((name) => name.endsWith('.log'))
  rmSync(folder.at('log/0', middle ?? ''))
  const found = await foundIn(folder)
  assert.match(found[0] ?? '', /^log - log\/0\/0+\d+\.log: the segment is missing$/)
  assert.ok(
    found.some((line) => line.startsWith('history stamps log/0: ')),
    found.join('\n'),
  )
})

test('a log that has lost its end is told by the state files that have it', async () => {
  using folder = fixture.copy()
  const segments = readdirSync(folder.at('log/0')).filter((name) => name.endsWith('.log'))
  const last = segments.findLast((name) => statSync(folder.at('log/0', name)).size > 8_192) ?? ''
  for (const name of segments) if (name > last) rmSync(folder.at('log/0', name))
  truncateSync(folder.at('log/0', last), 8_192)
  assert.deepEqual((await foundIn(folder)).toSorted(), [
    'history ledger databases/ledger/state.sqlite: the log has lost the last 8 records, which the state file has',
    'history stamps databases/stamps/state.sqlite: the log has lost the last 4 records, which the state file has',
  ])
})

test('a log that has forgotten what snapshots have is sound', async () => {
  using folder = fixture.copy()
  for (const name of ['bank', 'stamps']) rmSync(folder.at('databases', name), { recursive: true })
  await trimLog(folder, systemClock)
  const found = await foundIn(folder)
  assert.deepEqual(
    found.filter((line) => line.includes('ledger')),
    [],
  )
})

test('a snapshot whose bytes are not what was written, and one that does not follow from the log, are named', async () => {
  using flipped = fixture.copy()
  flipped.flip('databases/ledger/snapshots/00000000000000000016.sqlite', 5_000)
  assert.deepEqual(await foundIn(flipped), ['snapshot ledger databases/ledger/snapshots/00000000000000000016.sqlite: its bytes are not what was written'])
  using unnoted = fixture.copy()
  unnoted.flip('databases/ledger/snapshots/00000000000000000016.json', 0)
  assert.deepEqual(await foundIn(unnoted), [
    'snapshot ledger databases/ledger/snapshots/00000000000000000016.json: the note of a snapshot is not what was written: nobody can use that',
  ])
  using forged = fixture.copy()
  await forgeSnapshot(forged, 'ledger', "UPDATE notes SET content = 'forged' WHERE id = 1")
  assert.deepEqual(await foundIn(forged), [
    'snapshot ledger databases/ledger/snapshots/00000000000000000016.sqlite: it does not follow from the log: notes differ',
  ])
})

test('a state file that is damaged or missing is named, and that the next start makes it anew', async () => {
  using flipped = fixture.copy()
  flipped.flip('databases/ledger/state.sqlite', 9_000)
  const { findings } = await check(flipped)
  assert.deepEqual(
    findings.map(({ part, file, what, todo }) => [part, file, what, todo]),
    [
      [
        'state',
        'databases/ledger/state.sqlite',
        'the state file is not what was written',
        'nothing: the next start makes it anew from a snapshot and 8 records',
      ],
    ],
  )
  using without = fixture.copy()
  rmSync(without.at('databases/stamps/state.sqlite'))
  assert.deepEqual(await foundIn(without), ['state stamps databases/stamps/state.sqlite: the state file is missing'])
})

test('marks that are lost make a state file one that nobody vouches for', async () => {
  using folder = fixture.copy()
  writeFileSync(folder.at('databases/bank/state.json'), '{')
  assert.deepEqual(await foundIn(folder), ['state bank databases/bank/state.sqlite: the state file is not what was written'])
})

test('a state file that was changed by somebody who knows how does not follow from the log', async () => {
  using folder = fixture.copy()
  const path = folder.at('databases/bank/state.sqlite')
  const file = new Sqlite(path)
  file.prepare('UPDATE accounts SET cents = cents + 1000').run()
  file.prepare("UPDATE _meta SET value = 'other' WHERE key = 'tenant'").run()
  file.prepare("UPDATE _meta SET value = 'default' WHERE key = 'tenant'").run()
  file.close()
  const marks = JSON.parse(readFileSync(folder.at('databases/bank/state.json'), 'utf8')) as object
  writeFileSync(folder.at('databases/bank/state.json'), JSON.stringify({ ...marks, ...(await sumFile(path)) }))
  assert.deepEqual(await foundIn(folder), ['state bank databases/bank/state.sqlite: it does not follow from the log: accounts differ'])
})

test('an index that is not that of its table is found', async () => {
  using folder = fixture.copy()
  const path = folder.at('databases/ledger/state.sqlite')
  const file = new Sqlite(path)
  file.unsafeMode()
  file.pragma('writable_schema = ON')
  const index = String(file.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'notes'").pluck().get())
  const root = Number(file.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(index))
  file.close()
  const bytes = readFileSync(path)
  // No cells any more: rows 3 and 4 of a b-tree page's head are their count.
  bytes.writeUInt16BE(0, (root - 1) * 4_096 + 3)
  writeFileSync(path, bytes)
  const marks = JSON.parse(readFileSync(folder.at('databases/ledger/state.json'), 'utf8')) as object
  writeFileSync(folder.at('databases/ledger/state.json'), JSON.stringify({ ...marks, ...(await sumFile(path)) }))
  const found = await foundIn(folder)
  assert.ok(
    found.some((line) => line.includes(index)),
    found.join('\n'),
  )
})

/** The findings about folders and the host's book. */
async function misplacedIn(folder: DataFolder): Promise<readonly string[]> {
  const found = await foundIn(folder)
  return found.filter((line) => line.startsWith('catalogue')).map((line) => line.replace(/^catalogue /, '').replace(/[0-9a-f]{32}/, '<uid>'))
}

test('folders and the list of databases are held against each other', async () => {
  using folder = fixture.copy()
  renameSync(folder.at('databases/bank'), folder.at('bank'))
  cpSync(folder.at('databases/stamps'), folder.at('databases/copied'), { recursive: true })
  mkdirSync(folder.at('databases/empty'))
  assert.deepEqual(await misplacedIn(folder), [
    '- log/0: there are records of a database <uid> whose folder is not there',
    'copied databases/copied/database.json: the files are those of stamps, says database.json',
    'empty databases/empty/database.json: the note of which database this is, database.json, is missing',
    'bank databases/bank: the database is listed, and its folder is not there',
    'copied databases/copied: the folder is there, and the database is not listed',
    'empty databases/empty: the folder is there, and the database is not listed',
  ])
})

test('one database in two folders, and one of another tenant than the listed one, are found by their notes', async () => {
  using folder = fixture.copy()
  cpSync(folder.at('databases/stamps'), folder.at('databases/copied'), { recursive: true })
  const note = JSON.parse(readFileSync(folder.at('databases/copied/database.json'), 'utf8'))
  const crc = crc32(`copied ${note.uid} ${note.tenant}`)
  writeFileSync(folder.at('databases/copied/database.json'), JSON.stringify({ ...note, name: 'copied', crc }))
  changeBook(folder, "INSERT INTO tenants (name) VALUES ('acme')", "UPDATE databases SET tenant = 'acme' WHERE name = 'bank'")
  assert.deepEqual(await misplacedIn(folder), [
    'stamps databases/stamps/database.json: it is the same database as copied',
    'copied databases/copied: the folder is there, and the database is not listed',
    "bank databases/bank/database.json: the folder is of a database of tenant default, and the listed one is acme's",
  ])
})

test('a book that knows of another number of logs is found by where the records are', async () => {
  using folder = fixture.copy()
  changeBook(folder, 'UPDATE lanes SET count = 3')
  const found = await misplacedIn(folder)
  assert.ok(found.length > 0)
  for (const line of found) assert.match(line, /: its records are in log 0, and a database of this name looks in log [12]$/)
})

/** As its host would have, if it could: without a sum that no longer fits. */
function changeBook(folder: DataFolder, ...statements: readonly string[]): void {
  const book = new Sqlite(folder.at('host.sqlite'))
  for (const statement of [...statements, 'DELETE FROM sums']) book.prepare(statement).run()
  book.close()
}

test('a host’s book that is missing or damaged is named, and the rest is looked at without it', async () => {
  using missing = fixture.copy()
  rmSync(missing.at('host.sqlite'))
  const { findings, leftOut } = await check(missing)
  assert.deepEqual(
    findings.map(({ file, what }) => [file, what]),
    [['host.sqlite', 'it is missing']],
  )
  assert.match(leftOut[0] ?? '', /without host\.sqlite nobody can lock the folder/)
  assert.ok(!existsSync(missing.at('host.sqlite')))
  using damaged = fixture.copy()
  writeFileSync(damaged.at('host.sqlite'), 'x'.repeat(10_000))
  assert.match((await foundIn(damaged)).join('\n'), /^catalogue - host\.sqlite: host\.sqlite could not be used \(SQLITE_NOTADB\)/)
})

test('a drop that was broken off is no damage', async () => {
  using folder = fixture.copy()
  {
    using catalogue = new CatalogueFile(folder.path)
    catalogue.beginDrop('bank')
  }
  const { findings, notes } = await check(folder)
  assert.deepEqual([findings, notes], [[], ['bank was being dropped: the next start finishes that']])
})

test('a bit that is flipped anywhere is named, or takes nothing away', async (context) => {
  const random = new Random(20_261_128)
  const files = readdirSync(fixture.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('lock'))
    .map((entry) => join(entry.parentPath, entry.name).slice(fixture.path.length + 1))
    // The access log is for `audit verify`.
    .filter((file) => !/^access\/|access\.sqlite/.test(file))
    .sort()
  let named = 0
  for (let round = 0; round < 24; round++) {
    using folder = fixture.copy()
    const file = files[round % files.length] ?? ''
    const offset = random.below(statSync(folder.at(file)).size)
    folder.flip(file, offset)
    if ((await check(folder)).findings.length > 0) named++
    else assert.deepEqual(await rowsOf(folder), await rowsOf(fixture), `${file} at ${offset}`)
  }
  context.diagnostic(`${named} of 24 named`)
  assert.ok(named > 12)
})

/** Everything that the module's people can read, by a host that starts on a copy. */
async function rowsOf(folder: DataFolder): Promise<unknown> {
  using copied = new DataFolder()
  cpSync(folder.path, copied.path, { recursive: true })
  await using host = await openHost({ data: copied.path })
  const rows: unknown[] = []
  for (const [name, tables] of [
    ['ledger', ['notes', 'names']],
    ['bank', ['accounts', 'payments']],
    ['stamps', ['stamps']],
  ] as const) {
    const sarah = await (await host.database(name)).as({ subject: 'sarah' })
    for (const table of tables) rows.push(table === 'payments' ? sarah.query('paid', { limit: 100 }) : sarah.rows(table))
  }
  return rows
}
