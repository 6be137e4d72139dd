/** What a database does is what its log says: nobody hears of anything else, whatever the log answers. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { suite, test } from 'node:test'

import { HostError } from '../../host/errors.ts'
import { MemoryLog, MemoryLogStore } from '../../host/log/memory-log.ts'
import { DataFolder } from '../storage/folder.ts'
import { CountingLog } from './counting-log.ts'
import { callerNamed, OpenShard, stopTime } from './open-shard.ts'
import { first, second } from './versions.ts'

const count = 'SELECT count(*) FROM stamps'

async function open(log: MemoryLog, ...databases: readonly string[]): Promise<OpenShard> {
  const shard = new OpenShard({ log })
  for (const database of databases) {
    await shard.create(database)
    await shard.publish(database, first)
    await shard.stamp(database, 1)
  }
  return shard
}

async function codesOf(calls: readonly Promise<unknown>[]): Promise<readonly string[]> {
  const outcomes = await Promise.allSettled(calls)
  return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'ok' : outcome.reason instanceof HostError ? outcome.reason.code : String(outcome.reason)))
}

/** From now on the file of this database takes no rows, until there is room; SQLite undoes what it could not commit. */
async function withoutRoom(shard: OpenShard, name: string): Promise<{ isThere: boolean; fail(): void }> {
  const { database, state } = await shard.held(name)
  const { file } = database
  const commit = file.commit.bind(file)
  const room = { isThere: false, fail: () => state.moveOn(true) }
  file.commit = () => {
    if (room.isThere || file.keptBatches === 0) return commit()
    file.execute('ROLLBACK')
    throw new HostError('ERR_STORAGE', 'no room for the rows')
  }
  return room
}

/** How many rows their sender reads. */
async function stampsOf(shard: OpenShard, name: string, subject = 'sarah'): Promise<number> {
  const { body = new Uint8Array(0) } = await shard.send(name, 'call', { reducer: 1, kind: 'query', version: 1, caller: callerNamed(subject) })
  return Buffer.from(body).readUInt32LE()
}

/** Lets everything go on that waits for nothing but its turn. */
async function turn(): Promise<void> {
  for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve))
}

suite('committing', () => {
  test('databases that wait together are one append', async (context) => {
    const log = new CountingLog()
    await using shard = await open(log, 'anna', 'bert', 'cora')
    stopTime(context)
    log.appends.length = 0
    await Promise.all(['anna', 'bert', 'cora', 'anna'].map((database) => shard.stamp(database, 1)))
    assert.deepEqual(log.appends, [4])
  })

  test('a query leaves no record and waits for no log', async () => {
    const log = new CountingLog()
    await using shard = await open(log, 'anna', 'bert')
    log.appends.length = 0
    log.inject('hold')
    const held = shard.stamp('bert', 1)
    const answer = await shard.send('anna', 'call', { reducer: 1, kind: 'query', version: 1, caller: callerNamed('sarah') })
    assert.ok(answer.body !== undefined && answer.body.length > 0)
    log.settle()
    await held
    assert.deepEqual(log.appends, [1])
  })

  test('until the log has answered nobody has an answer, and nobody else sees a row', async (context) => {
    const log = new CountingLog()
    await using shard = await open(log, 'anna')
    stopTime(context)
    const { queue, database } = await shard.held('anna')
    await shard.commit('anna')
    log.inject('hold')
    const settled: string[] = []
    const calls = ['one', 'two'].map((name) => shard.stamp('anna', 1).then(() => settled.push(name)))
    const refused = shard
      .send('anna', 'call', { reducer: 99, kind: 'reducer', version: 7, caller: callerNamed('sarah') }, new Uint8Array(4))
      .catch(() => settled.push('refused'))
    await turn()
    assert.deepEqual(settled, [])
    assert.deepEqual(await shard.rows('anna', count), [1])
    assert.throws(() => queue.requireReadable(), { code: 'ERR_BUSY' })
    const late = shard.stamp('anna', 1)
    await turn()
    assert.equal(database.journal.committed.position + 2n, database.journal.head.position)
    log.settle()
    await Promise.all([...calls, refused, late])
    assert.deepEqual(new Set(settled), new Set(['one', 'refused', 'two']))
    assert.deepEqual(await shard.rows('anna', count), [4])
  })

  test('what the log refuses has not happened, in any database of the append, and the next call works', async (context) => {
    const log = new CountingLog()
    await using shard = await open(log, 'anna', 'bert')
    stopTime(context)
    log.inject('failing')
    const calls = ['anna', 'bert', 'anna'].map((database) => shard.stamp(database, 1, { subject: 'new' }))
    assert.deepEqual(await codesOf(calls), ['ERR_STORAGE', 'ERR_STORAGE', 'ERR_STORAGE'])
    assert.deepEqual([await shard.rows('anna', count), await shard.rows('bert', count)], [[1], [1]])
    await shard.stamp('anna', 1)
    assert.deepEqual(await shard.rows('anna', 'SELECT id FROM stamps'), [1, 2])
    assert.deepEqual(await shard.rows('anna', "SELECT count(*) FROM _logins WHERE subject = 'new'"), [0])
  })

  test('a publish that the log refuses leaves the old version running, and can be repeated', async () => {
    const log = new CountingLog()
    await using shard = await open(log, 'anna')
    log.inject('failing')
    await assert.rejects(shard.publish('anna', second), { code: 'ERR_STORAGE' })
    assert.equal(await shard.stamp('anna', 1), 'first')
    assert.equal((await shard.publish('anna', second)).version, 2)
    assert.equal(await shard.stamp('anna', 2), 'second')
  })

  test('limits and keys that the log refuses are as they were', async () => {
    const log = new CountingLog()
    await using shard = await open(log, 'anna')
    const { head: keys } = await shard.send('anna', 'open', { create: false })
    log.inject('failing', 'failing')
    await assert.rejects(shard.send('anna', 'limits', { change: { fuel: 1_000 } }), { code: 'ERR_STORAGE' })
    await assert.rejects(shard.send('anna', 'rotateKey', {}), { code: 'ERR_STORAGE' })
    assert.equal((await shard.send('anna', 'limits', { change: {} })).head.fuel, 300_000_000)
    assert.deepEqual((await shard.send('anna', 'open', { create: false })).head.issuer, keys.issuer)
  })

  test('a call of which the log does not know whether it has it is there or not, and sent again it is there once', async () => {
    for (const fault of ['unknown-kept', 'unknown-dropped'] as const) {
      const log = new CountingLog()
      await using shard = await open(log, 'anna')
      log.inject(fault)
      await assert.rejects(shard.stamp('anna', 1, { id: 'a call' }), { code: 'ERR_COMMIT_UNKNOWN' })
      assert.equal(await shard.stamp('anna', 1, { id: 'a call' }), 'first')
      assert.equal(await shard.stamp('anna', 1, { id: 'a call' }), 'first')
      assert.deepEqual(await shard.rows('anna', count), [2], fault)
    }
  })

  test('what the log turns out to have after a crash has happened, and the call sent again gives its first result', async () => {
    const store = new MemoryLogStore()
    const log = new MemoryLog(store)
    using folder = new DataFolder()
    {
      await using shard = new OpenShard({ log, folder })
      await shard.create('anna')
      await shard.publish('anna', first)
      log.inject('unknown-kept')
      await assert.rejects(shard.stamp('anna', 1, { id: 'a call' }), { code: 'ERR_COMMIT_UNKNOWN' })
    }
    await using shard = new OpenShard({ log: new MemoryLog(store), folder })
    assert.equal(await shard.stamp('anna', 1, { id: 'a call' }), 'first')
    assert.deepEqual(await shard.rows('anna', count), [1])
  })

  test('a shard whose log somebody else has taken does nothing more', async () => {
    const log = new CountingLog()
    await using shard = await open(log, 'anna')
    log.inject('fenced')
    assert.deepEqual(await codesOf([shard.stamp('anna', 1)]), ['ERR_LOG_FENCED'])
    assert.deepEqual(await codesOf([shard.stamp('anna', 1)]), ['ERR_LOG_FENCED'])
    assert.deepEqual(await shard.rows('anna', count), [1])
  })

  test('a disk that takes the log and not the rows loses nothing, and nobody is answered without them', async (context) => {
    const log = new CountingLog()
    await using shard = await open(log, 'anna')
    stopTime(context)
    const { queue, database } = await shard.held('anna')
    const room = await withoutRoom(shard, 'anna')
    assert.deepEqual(await codesOf([shard.stamp('anna', 1, { id: 'one' }), shard.stamp('anna', 1)]), ['ok', 'ok'])
    room.fail()
    assert.equal(database.isMissingRows, true)
    assert.throws(() => queue.requireReadable(), { code: 'ERR_BUSY' })
    assert.equal(await stampsOf(shard, 'anna'), 3)
    assert.doesNotThrow(() => queue.requireReadable())
    room.isThere = true
    assert.equal(await shard.stamp('anna', 1, { id: 'one' }), 'first')
    assert.deepEqual(await shard.rows('anna', 'SELECT id FROM stamps'), [1, 2, 3])
  })

  test('while a disk has no room for rows reads and writes go on, and other databases notice nothing', async (context) => {
    const log = new CountingLog()
    await using shard = await open(log, 'anna', 'bert')
    stopTime(context)
    const room = await withoutRoom(shard, 'anna')
    for (let round = 2; round < 6; round++) {
      await shard.stamp('anna', 1)
      room.fail()
      assert.deepEqual(await Promise.all([stampsOf(shard, 'anna'), stampsOf(shard, 'bert')]), [round, 1])
    }
    room.fail()
    await shard.publish('anna', second)
    assert.equal(await shard.stamp('anna', 2), 'second')
    room.isThere = true
    assert.deepEqual(await shard.rows('anna', count), [6])
  })

  test('whoever would be answered without rows that were acknowledged is refused until the log has given them', async () => {
    const log = new CountingLog()
    await using shard = await open(log, 'anna', 'bert')
    const room = await withoutRoom(shard, 'anna')
    await shard.stamp('anna', 1)
    room.fail()
    log.isReadable = false
    const writes = [shard.stamp('anna', 1), shard.send('anna', 'limits', { change: { fuel: 1_000 } })]
    assert.deepEqual(await codesOf([stampsOf(shard, 'anna'), ...writes, stampsOf(shard, 'bert')]), ['ERR_STORAGE', 'ERR_STORAGE', 'ERR_STORAGE', 'ok'])
    log.isReadable = true
    assert.equal(await stampsOf(shard, 'anna'), 2)
  })

  test('whoever reads in a turn that comes to nothing is answered with what was there before', async (context) => {
    const log = new CountingLog()
    await using shard = await open(log, 'anna')
    stopTime(context)
    for (const fault of ['failing', 'unknown-dropped', 'unknown-kept'] as const) {
      log.inject(fault)
      const writing = shard.stamp('anna', 1)
      const [labels, nobody] = [stampsOf(shard, 'anna'), stampsOf(shard, 'anna', 'never seen')]
      await assert.rejects(writing)
      assert.equal(await labels, 1, fault)
      await assert.rejects(nobody, { code: fault === 'failing' ? 'ERR_STORAGE' : 'ERR_COMMIT_UNKNOWN' })
    }
    log.inject('fenced')
    const writing = shard.stamp('anna', 1)
    await assert.rejects(stampsOf(shard, 'anna'), { code: 'ERR_LOG_FENCED' })
    await assert.rejects(writing)
  })

  test('rows that found no room follow when there is some, whether anybody calls or not', async () => {
    await using shard = await open(new CountingLog(), 'anna')
    const room = await withoutRoom(shard, 'anna')
    const { database } = await shard.held('anna')
    await shard.stamp('anna', 1)
    // By itself, when nobody has called for a while.
    while (!database.isBehind) await new Promise((resolve) => setTimeout(resolve))
    room.isThere = true
    while (database.isBehind || database.file.keptBatches > 0) await new Promise((resolve) => setTimeout(resolve))
    assert.deepEqual(await shard.rows('anna', count), [2])
  })

  test('a call id is its caller’s own: the same one of somebody else is another call', async () => {
    await using shard = await open(new MemoryLog(), 'anna')
    await Promise.all(['sarah', 'bob', 'sarah'].map((subject) => shard.stamp('anna', 1, { subject, id: 'one' })))
    assert.deepEqual(await shard.rows('anna', count), [3])
  })

  test('an id that was used for other arguments is refused, and one of a call that failed is free', async () => {
    await using shard = await open(new MemoryLog(), 'anna')
    await shard.stamp('anna', 1, { id: 'one' })
    await assert.rejects(shard.stamp('anna', 1, { id: 'one', size: 5 }), { code: 'ERR_CALL_ID' })
    await shard.send('anna', 'limits', { change: { fuel: 100 } })
    await assert.rejects(shard.stamp('anna', 1, { id: 'two' }), { code: 'ERR_CALL_FUEL' })
    await shard.send('anna', 'limits', { change: { fuel: null } })
    assert.equal(await shard.stamp('anna', 1, { id: 'two' }), 'first')
    assert.deepEqual(await shard.rows('anna', count), [3])
  })

  test('a call sent again after a publish gives what the module of then gave, and says of which version it is', async () => {
    await using shard = await open(new MemoryLog(), 'anna')
    await shard.stamp('anna', 1, { id: 'one' })
    await shard.publish('anna', second)
    const { head } = await shard.send('anna', 'call', { reducer: 0, kind: 'reducer', version: 2, caller: callerNamed('sarah'), id: 'one' }, new Uint8Array(4))
    assert.equal(head.version, 1)
    const then = await shard.send('anna', 'describe', { version: 1 })
    assert.ok(then.body !== undefined && then.body.length > 0)
  })

  test('the time of a database never goes back, not even over a restart with an earlier clock', async () => {
    using folder = new DataFolder()
    const timeOf = async (micros: bigint): Promise<bigint> => {
      await using shard = new OpenShard({ folder })
      shard.clock.micros = micros
      await shard.create('anna')
      return (await shard.held('anna')).database.callTime()
    }
    const late = await timeOf(1_900_000_000_000_000n)
    assert.equal(await timeOf(1_800_000_000_000_000n), late)
  })

  test('a database that is dropped has left nothing of what it was told, and the log of the others holds', async () => {
    using folder = new DataFolder()
    const secret = 'the number is 4711-0815'
    {
      await using shard = new OpenShard({ folder })
      for (const database of ['anna', 'bert']) {
        await shard.create(database)
        await shard.publish(database, first)
        await shard.send(database, 'identify', { login: { issuer: 'test', subject: `${secret} of ${database}` } })
      }
      await shard.send('anna', 'drop', {})
    }
    assert.deepEqual(folder.grep(`${secret} of anna`), [])
    assert.notDeepEqual(folder.grep(`${secret} of bert`), [])
    rmSync(folder.at('databases', 'bert', 'state.sqlite'))
    await using shard = new OpenShard({ folder })
    await shard.stamp('bert', 1)
    assert.deepEqual(await shard.rows('bert', "SELECT count(*) FROM _logins WHERE subject LIKE 'the number%'"), [1])
  })
})
