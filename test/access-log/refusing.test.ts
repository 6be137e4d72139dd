/** A disk that does not take a record: nothing that it would tell of is answered, and nothing of it is committed. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'

import { AccessLog } from '../../host/access-log/access-log.ts'
import { DeferredFiles } from '../../host/access-log/deferred-files.ts'
import { HostError } from '../../host/errors.ts'
import { systemFiles } from '../../host/log/log-files.ts'
import type { LogFile, LogFiles } from '../../host/log/log-files.ts'
import { checked, first } from '../shard/versions.ts'
import { callerNamed, OpenShard } from '../shard/open-shard.ts'
import { accessFolder } from '../../host/storage/data-folder.ts'
import { systemClock } from '../../host/clock.ts'
import { MemoryLog } from '../../host/log/memory-log.ts'
import { accessRecords } from './records.ts'

/** A disk of which a test says when it fails, and on which it sees what was synced. */
class Disk implements LogFiles {
  isFailing: 'write' | 'sync' | undefined
  syncs = 0
  makeFolder(folder: string): void {
    systemFiles.makeFolder(folder)
  }

  list(folder: string): readonly string[] {
    return systemFiles.list(folder)
  }

  unlink(path: string): void {
    systemFiles.unlink(path)
  }

  rename(from: string, to: string): void {
    systemFiles.rename(from, to)
  }

  syncFolder(folder: string): void {
    systemFiles.syncFolder(folder)
  }

  open(path: string, how: 'read' | 'update' | 'create'): LogFile {
    const file = systemFiles.open(path, how)
    const fail = (what: 'write' | 'sync'): void => {
      if (this.isFailing === what) throw Object.assign(new Error('the disk has failed'), { code: 'EIO' })
    }
    return {
      get sizeBytes() {
        return file.sizeBytes
      },
      read: (into, position) => file.read(into, position),
      write: (bytes, position) => {
        fail('write')
        return file.write(bytes, position)
      },
      sync: () => {
        this.syncs++
        fail('sync')
        file.sync()
      },
      truncate: (sizeBytes) => file.truncate(sizeBytes),
      close: () => file.close(),
    }
  }
}

const disk = new Disk()
const failures: unknown[] = []
const commits = new MemoryLog()
const shard = new OpenShard({
  log: commits,
  openAccess: (folder) =>
    AccessLog.open({
      folder: accessFolder(folder.path, 0),
      clock: systemClock,
      onFailure: () => undefined,
      files: new DeferredFiles((error) => failures.push(error), disk),
    }),
})
before(async () => {
  await shard.create('stamps')
  await shard.publishChecked('stamps', await checked(first))
  await shard.stamp('stamps', 1)
})
afterEach(() => {
  disk.isFailing = undefined
})
after(() => shard[Symbol.asyncDispose]())

const select = { sql: 'SELECT id FROM stamps', params: [], caller: callerNamed('sarah'), explain: false }

test('a read whose record cannot be written is not answered, and the next one is', async () => {
  const before = (await accessRecords(shard.folder.path)).length
  disk.isFailing = 'write'
  await assert.rejects(
    shard.send('stamps', 'sql', select),
    (error) => error instanceof HostError && error.code === 'ERR_STORAGE' && /access log/.test(error.message),
  )
  disk.isFailing = undefined
  assert.equal((await accessRecords(shard.folder.path)).length, before)
  assert.equal((await shard.send('stamps', 'sql', select)).head.rowCount, 1)
  assert.equal((await accessRecords(shard.folder.path)).length, before + 1)
})

test('a call whose record cannot be written has not happened', async () => {
  const { database } = await shard.held('stamps')
  const before = database.journal.committed.position
  disk.isFailing = 'write'
  await assert.rejects(shard.stamp('stamps', 1), { code: 'ERR_STORAGE' })
  disk.isFailing = undefined
  assert.equal(database.journal.committed.position, before)
  assert.equal((await shard.send('stamps', 'sql', select)).head.rowCount, 1)
})

test('a commit that fails after its record was written is said to have been undone', async () => {
  const { database } = await shard.held('stamps')
  const position = database.journal.committed.position
  const append = commits.append.bind(commits)
  commits.append = (_batch, done) => done({ failure: new HostError('ERR_STORAGE', 'the disk of the commit log has failed') })
  await assert.rejects(shard.stamp('stamps', 1), { code: 'ERR_STORAGE' })
  commits.append = append
  await shard.stamp('stamps', 1)
  const records = (await accessRecords(shard.folder.path)).slice(-3)
  assert.deepEqual(
    records.map(({ event, asOf }) => [event, asOf]),
    [
      ['call', position + 1n],
      ['undone', position],
      ['call', position + 1n],
    ],
  )
  assert.deepEqual(records[1]?.details, { from: String(position + 1n), to: String(position + 1n) })
})

test('a turn that the disk of one database fails does not answer for the records of another one', async () => {
  await shard.create('other')
  await shard.publishChecked('other', await checked(first))
  await shard.stamp('other', 1)
  await shard.commit('other')
  const { database } = await shard.held('other')
  const pages = database.file.statement('PRAGMA page_count').row([])?.[0] as bigint
  database.file.statement(`PRAGMA max_page_count = ${pages}`).row([])
  const before = (await shard.held('stamps')).database.journal.committed.position
  disk.isFailing = 'write'
  const outcomes = await Promise.allSettled([shard.stamp('stamps', 1), shard.send('other', 'sql', select), shard.stamp('other', 1, { size: 250_000 })])
  disk.isFailing = undefined
  database.file.statement('PRAGMA max_page_count = 1000000').row([])
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'ok')),
    ['ERR_STORAGE', 'ERR_STORAGE', 'ERR_STORAGE'],
  )
  assert.equal((await shard.held('stamps')).database.journal.committed.position, before)
})

test('a sync that fails after answers have left is told, and what comes next goes into another segment', async () => {
  const { access } = await shard.held('stamps')
  const told = failures.length
  access.sync()
  disk.isFailing = 'sync'
  await shard.send('stamps', 'sql', select)
  // Whoever comes first: this, or the log itself after its 15 ms.
  if (!throws(() => access.sync())) while (failures.length === told) await new Promise((resolve) => setImmediate(resolve))
  disk.isFailing = undefined
  const segments = access.segments().length
  await shard.send('stamps', 'sql', select).catch(() => undefined)
  assert.ok((await shard.send('stamps', 'sql', select)).head.rowCount > 0)
  assert.ok(access.segments().length >= segments)
})

function throws(work: () => void): boolean {
  try {
    work()
    return false
  } catch {
    return true
  }
}
