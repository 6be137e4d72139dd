/** One SQLite file: what it means to be durable and locked. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import Sqlite from 'better-sqlite3'

import * as limits from '../../host/limits.ts'
import { openHost } from '../../host/open-host.ts'
import { CatalogueFile } from '../../host/storage/catalogue-file.ts'
import { DatabaseFile } from '../../host/storage/database-file.ts'
import { lockFolder } from '../../host/storage/folder-lock.ts'
import { DataFolder } from './folder.ts'

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
  file.savepoint('call')
  insert.run([2n])
  file.rollbackToSavepoint('call')
  file.commit()
  assert.deepEqual(file.statement('SELECT a FROM t').rows([]), [[1n]])
})

test('a batch that is kept is read here at once and by others after the commit, and one that is undone takes none with it', () => {
  using folder = new DataFolder()
  const path = folder.at('state.sqlite')
  using file = new DatabaseFile({ path, create: true })
  file.execute('CREATE TABLE t (a INTEGER) STRICT')
  const insert = file.statement('INSERT INTO t VALUES (?)')
  const here = (): unknown => file.statement('SELECT count(*) FROM t').row([])?.[0]
  const elsewhere = (): unknown => {
    using other = new DatabaseFile({ path, create: false })
    return other.statement('SELECT count(*) FROM t').row([])?.[0]
  }
  file.batch(() => insert.run([1n]))
  assert.throws(() =>
    file.batch(() => {
      insert.run([2n])
      throw new Error('half way')
    }),
  )
  file.batch(() => insert.run([3n]))
  assert.deepEqual([file.keptBatches, here(), elsewhere()], [2, 2n, 0n])
  file.commit()
  assert.deepEqual([file.keptBatches, here(), elsewhere()], [0, 2n, 2n])
})

test('a disk that fails a statement takes all batches that were kept, and the file says so until that is known', () => {
  using folder = new DataFolder()
  using file = new DatabaseFile({ path: folder.at('state.sqlite'), create: true })
  file.execute('CREATE TABLE t (a TEXT) STRICT')
  const insert = file.statement('INSERT INTO t VALUES (?)')
  file.batch(() => insert.run(['kept']))
  file.statement('PRAGMA max_page_count = 2').row([])
  assert.throws(() => file.batch(() => insert.run(['x'.repeat(100_000)])), { code: 'ERR_STORAGE' })
  assert.equal(file.hasLostBatches, true)
  assert.throws(() => file.begin(), /brought again/)
  file.forgetLostBatches()
  assert.equal(file.hasLostBatches, false)
  file.statement('PRAGMA max_page_count = 1000').row([])
  file.batch(() => insert.run(['again']))
  file.commit()
  assert.deepEqual(file.statement('SELECT a FROM t').rows([]), [['again']])
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

test('a file that follows a log waits for no disk', () => {
  using folder = new DataFolder()
  using file = new DatabaseFile({ path: folder.at('state.sqlite'), create: true, isDurable: false })
  assert.equal(file.statement('PRAGMA synchronous').row([])?.[0], 0n)
})

test('a checkpoint empties the WAL', () => {
  using folder = new DataFolder()
  using file = new DatabaseFile({ path: folder.at('state.sqlite'), create: true })
  file.execute('CREATE TABLE t (a BLOB) STRICT')
  assert.ok(file.walSizeBytes > 0)
  file.checkpoint()
  assert.equal(file.walSizeBytes, 0)
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

test('a lock whose file does not read is made anew, and while somebody has it nobody else gets it', () => {
  using folder = new DataFolder()
  for (const spoil of [(path: string): void => writeFileSync(path, 'x'.repeat(8_192)), (path: string): void => truncateSync(path, 5_000)]) {
    lockFolder(folder.path)[Symbol.dispose]()
    spoil(folder.at('lock.sqlite'))
    using held = lockFolder(folder.path)
    assert.ok(held)
    assert.throws(() => lockFolder(folder.path), { code: 'ERR_FOLDER_LOCKED' })
    writeFileSync(folder.at('lock.sqlite'), 'x'.repeat(8_192))
    assert.throws(() => lockFolder(folder.path), { code: 'ERR_FOLDER_LOCKED' })
  }
})
