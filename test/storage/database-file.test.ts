/** One SQLite file: what it means to be durable, locked, damaged or of somebody else. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import Sqlite from 'better-sqlite3'

import { systemClock } from '../../host/clock.ts'
import { HostError } from '../../host/errors.ts'
import * as limits from '../../host/limits.ts'
import { openHost } from '../../host/open-host.ts'
import { Database } from '../../host/reducer/database.ts'
import { CatalogueFile } from '../../host/storage/catalogue-file.ts'
import { DatabaseFile } from '../../host/storage/database-file.ts'
import { DataFolder } from './folder.ts'

function openDatabase(path: string, create = false): Database {
  return new Database({ path, create, clock: systemClock })
}

/** A database's file with its system tables. */
function made(folder: DataFolder): string {
  const path = folder.at('state.sqlite')
  openDatabase(path, true).close()
  return path
}

function codeOf(work: () => Disposable): string {
  try {
    using _opened = work()
    return 'opened'
  } catch (error) {
    assert(error instanceof HostError, String(error))
    return error.code
  }
}

/** Descriptors of this process on a file: one that is left open keeps what was deleted, and its locks. */
function isOpen(path: string): boolean {
  const inUse = new Sqlite(path, { timeout: 0 })
  try {
    inUse.pragma('locking_mode = EXCLUSIVE')
    inUse.exec('BEGIN EXCLUSIVE; COMMIT')
    return false
  } catch {
    return true
  } finally {
    inUse.close()
  }
}

test('a database is opened again with the keys it was made with', () => {
  using folder = new DataFolder()
  const path = folder.at('state.sqlite')
  using first = openDatabase(path, true)
  const { issuer } = first.keyRing
  first.close()
  using again = openDatabase(path)
  assert.equal(again.keyRing.issuer, issuer)
})

test('only its owner can read a file, because keys are in it', () => {
  using folder = new DataFolder()
  assert.equal(statSync(made(folder)).mode & 0o777, 0o600)
})

test('a file that is not there is an error unless it is to be made', () => {
  using folder = new DataFolder()
  assert.equal(
    codeOf(() => openDatabase(folder.at('none.sqlite'))),
    'ERR_STORAGE',
  )
})

test('a file that is no SQLite file is refused and left as it was', () => {
  using folder = new DataFolder()
  const path = folder.at('state.sqlite')
  writeFileSync(path, 'x'.repeat(10_000))
  for (const create of [false, true])
    assert.equal(
      codeOf(() => openDatabase(path, create)),
      'ERR_STORAGE',
    )
  assert.equal(readFileSync(path, 'utf8'), 'x'.repeat(10_000))
})

test('the SQLite file of another program is refused and left as it was', () => {
  using folder = new DataFolder()
  const path = folder.at('state.sqlite')
  new Sqlite(path).exec('CREATE TABLE recipes (name TEXT)').close()
  for (const create of [false, true])
    assert.equal(
      codeOf(() => openDatabase(path, create)),
      'ERR_STORAGE',
    )
  assert.deepEqual(new Sqlite(path, { readonly: true }).prepare('SELECT name FROM sqlite_schema').pluck().all(), ['recipes'])
})

test('a file that was cut to nothing is not taken for a new one', () => {
  using folder = new DataFolder()
  const path = made(folder)
  truncateSync(path, 0)
  assert.equal(
    codeOf(() => openDatabase(path)),
    'ERR_STORAGE',
  )
})

test('a file that was cut in the middle is refused', () => {
  using folder = new DataFolder()
  const path = made(folder)
  truncateSync(path, 8_192)
  assert.equal(
    codeOf(() => openDatabase(path)),
    'ERR_STORAGE',
  )
})

test('a file of a later format is refused', () => {
  using folder = new DataFolder()
  const path = made(folder)
  new Sqlite(path).exec("UPDATE _meta SET value = 2 WHERE key = 'format'").close()
  assert.equal(
    codeOf(() => openDatabase(path)),
    'ERR_STORAGE',
  )
})

test('a file that is refused is not held open', () => {
  using folder = new DataFolder()
  const path = made(folder)
  new Sqlite(path).exec("UPDATE _meta SET value = 2 WHERE key = 'format'").close()
  codeOf(() => openDatabase(path))
  assert.equal(isOpen(path), false)
})

test('an error names no path of the data folder', () => {
  using folder = new DataFolder()
  const path = folder.at('state.sqlite')
  writeFileSync(path, 'x'.repeat(10_000))
  assert.throws(
    () => openDatabase(path),
    (error: Error) => !error.message.includes(folder.path),
  )
})

test('a transaction is all or nothing', () => {
  using folder = new DataFolder()
  using file = new DatabaseFile({ path: folder.at('state.sqlite'), create: true })
  file.execute('CREATE TABLE t (a INTEGER) STRICT')
  const insert = file.statement('INSERT INTO t VALUES (?)')
  const failing = (): void =>
    file.transaction(() => {
      insert.run([1n])
      throw new Error('half way')
    })
  assert.throws(failing, /half way/)
  file.transaction(() => insert.run([2n]))
  assert.deepEqual(file.statement('SELECT a FROM t').rows([]), [[2n]])
})

test('a savepoint undoes a part and leaves the rest of its transaction', () => {
  using folder = new DataFolder()
  using file = new DatabaseFile({ path: folder.at('state.sqlite'), create: true })
  file.execute('CREATE TABLE t (a INTEGER) STRICT')
  const insert = file.statement('INSERT INTO t VALUES (?)')
  file.begin()
  insert.run([1n])
  file.savepoint()
  insert.run([2n])
  file.rollbackToSavepoint()
  file.commit()
  assert.deepEqual(file.statement('SELECT a FROM t').rows([]), [[1n]])
})

test('a commit is synchronous to the disk, and deleted bytes are overwritten', () => {
  using folder = new DataFolder()
  using file = new DatabaseFile({ path: folder.at('state.sqlite'), create: true })
  const pragma = (name: string): unknown => file.statement(`PRAGMA ${name}`).row([])?.[0]
  assert.deepEqual([pragma('journal_mode'), pragma('synchronous'), pragma('secure_delete')], ['wal', 2n, 1n])
})

test('what was committed is there when a copy of file and WAL is opened, as after a power loss', () => {
  using folder = new DataFolder()
  const path = folder.at('state.sqlite')
  using file = new DatabaseFile({ path, create: true })
  file.execute('CREATE TABLE t (a INTEGER) STRICT')
  file.transaction(() => file.statement('INSERT INTO t VALUES (7)').run([]))
  file.begin()
  file.statement('INSERT INTO t VALUES (8)').run([])
  for (const suffix of ['', '-wal']) copyFileSync(path + suffix, folder.at(`copy.sqlite${suffix}`))
  using copy = new DatabaseFile({ path: folder.at('copy.sqlite'), create: false })
  assert.deepEqual(copy.statement('SELECT a FROM t').rows([]), [[7n]])
})

test('an idle moment empties a long WAL, and the next one has nothing to do', () => {
  using folder = new DataFolder()
  const path = folder.at('state.sqlite')
  using file = new DatabaseFile({ path, create: true })
  file.execute('CREATE TABLE t (a BLOB) STRICT')
  file.transaction(() => file.statement('INSERT INTO t VALUES (?)').run([Buffer.alloc(5 * 1024 * 1024)]))
  file.checkpoint(false)
  assert.ok(statSync(`${path}-wal`).size > 5 * 1024 * 1024)
  file.checkpoint(true)
  assert.equal(statSync(`${path}-wal`).size, 0)
})

test('a file keeps the statements used last, and no more of them', () => {
  using folder = new DataFolder()
  using file = new DatabaseFile({ path: folder.at('state.sqlite'), create: true })
  const [used, unused] = [file.statement('SELECT 1'), file.statement('SELECT 2')]
  for (let other = 0; other < limits.statementsCachedMax; other++) {
    file.statement(`SELECT 'other ${other}'`)
    file.statement('SELECT 1')
  }
  assert.equal(file.statement('SELECT 1'), used)
  assert.notEqual(file.statement('SELECT 2'), unused)
})

test('rows that are larger than the bytes asked for are given up while they are read', () => {
  using folder = new DataFolder()
  using file = new DatabaseFile({ path: folder.at('state.sqlite'), create: true })
  file.execute('CREATE TABLE t (a TEXT) STRICT')
  for (let row = 0; row < 10; row++) file.statement('INSERT INTO t VALUES (?)').run(['x'.repeat(100)])
  const select = file.statement('SELECT a FROM t')
  assert.equal(select.rowsWithin(1_000, []).length, 10)
  assert.throws(() => select.rowsWithin(999, []), { code: 'ERR_CALL_LIMIT' })
  assert.equal(select.rowsWithin(1_000, []).length, 10)
})

test('a second host on a data folder is refused', async () => {
  using folder = new DataFolder()
  await using _first = await openHost({ data: folder.path })
  await assert.rejects(openHost({ data: folder.path }), { code: 'ERR_FOLDER_LOCKED' })
})

test('a second host of another process is refused too, until the first one ends', async () => {
  using folder = new DataFolder()
  const other = fork(new URL('host-child.ts', import.meta.url), [folder.path], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  await once(other, 'message')
  await assert.rejects(openHost({ data: folder.path }), { code: 'ERR_FOLDER_LOCKED' })
  other.kill('SIGKILL')
  await once(other, 'exit')
  await (await openHost({ data: folder.path })).close()
})

test('a folder that could not be locked is not held', () => {
  using folder = new DataFolder()
  const path = folder.at('host.sqlite')
  new Sqlite(path).exec('CREATE TABLE other (a); CREATE INDEX tenants ON other (a)').close()
  assert.throws(() => new CatalogueFile(folder.path))
  assert.equal(isOpen(path), false)
})
