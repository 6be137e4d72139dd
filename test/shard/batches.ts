/** Calls that wait together share a batch, and batches a commit; what a batch did is read as soon as it is answered. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { HostError } from '../../host/errors.ts'
import * as limits from '../../host/limits.ts'
import { CountingLog } from './counting-log.ts'
import { OpenShard, stopTime } from './open-shard.ts'
import { first } from './versions.ts'

const count = 'SELECT count(*) FROM stamps'

async function withStamps(log?: CountingLog): Promise<OpenShard> {
  const shard = new OpenShard(log === undefined ? {} : { log })
  await shard.create('claims')
  await shard.publish('claims', first)
  await shard.stamp('claims', 1)
  return shard
}

async function codesOf(calls: readonly Promise<unknown>[]): Promise<readonly string[]> {
  const outcomes = await Promise.allSettled(calls)
  return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'ok' : outcome.reason instanceof HostError ? outcome.reason.code : String(outcome.reason)))
}

suite('batches', () => {
  test('64 calls that wait together share one batch, and one commit', async (context) => {
    const log = new CountingLog()
    await using shard = await withStamps(log)
    await shard.commit('claims')
    const before = shard.commits('claims')
    log.appends.length = 0
    stopTime(context)
    await Promise.all(Array.from({ length: 64 }, () => shard.stamp('claims', 1)))
    assert.equal(log.appends.length, 1)
    await shard.commit('claims')
    assert.equal(shard.commits('claims') - before, 1)
  })

  test('a call that writes nothing commits nothing', async () => {
    await using shard = await withStamps()
    await shard.commit('claims')
    const before = shard.commits('claims')
    await shard.send('claims', 'identify', { login: { issuer: 'test', subject: 'sarah' } })
    await shard.commit('claims')
    assert.equal(shard.commits('claims'), before)
  })

  test('when a call is answered, whoever reads next sees what it wrote', async () => {
    await using shard = await withStamps()
    const { database, queue } = await shard.held('claims')
    const seen = await Promise.all(
      Array.from({ length: 20 }, async (_, call) => {
        await shard.stamp('claims', 1, { size: 100 + call })
        return queue.run(() => database.file.statement(`${count} WHERE length(size) = ${100 + call}`).row([])?.[0])
      }),
    )
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, () => 1n),
    )
  })

  test('what was written is committed when nobody calls for a while', async () => {
    await using shard = await withStamps()
    const { file } = (await shard.held('claims')).database
    assert.ok(file.keptBatches > 0)
    while (file.keptBatches > 0) await new Promise((resolve) => setTimeout(resolve))
    assert.equal(file.hasLostBatches, false)
  })

  test('a batch that is undone takes none with it that was kept before', async () => {
    await using shard = await withStamps()
    const { database, queue } = await shard.held('claims')
    assert.ok(database.file.keptBatches > 0)
    const broken = queue.run(() => {
      database.file.begin()
      database.file.statement('DELETE FROM stamps').run([])
      throw new TypeError('our own bug')
    })
    await assert.rejects(broken, TypeError)
    assert.ok(database.file.keptBatches > 0)
    assert.deepEqual(await shard.rows('claims', count), [1])
  })

  test('calls run in the order in which they came', async () => {
    await using shard = await withStamps()
    const answered: number[] = []
    await Promise.all(Array.from({ length: 30 }, (_, call) => shard.stamp('claims', 1, { size: call }).then(() => answered.push(call))))
    assert.deepEqual(
      await shard.rows('claims', 'SELECT length(size) FROM stamps WHERE id > 1 ORDER BY id'),
      Array.from({ length: 30 }, (_, call) => call),
    )
    assert.deepEqual(
      answered,
      answered.toSorted((left, right) => left - right),
    )
  })

  test('a disk that is full undoes the whole batch and tells everybody in it', async (context) => {
    await using shard = await withStamps()
    stopTime(context)
    const { database, queue } = await shard.held('claims')
    const pages = database.file.statement('PRAGMA page_count').row([])?.[0] as bigint
    database.file.statement(`PRAGMA max_page_count = ${pages}`).row([])
    const small = queue.run(() => database.directory.identify({ issuer: 'test', subject: 'bob' }))
    const large = queue.run(() => database.file.statement('UPDATE stamps SET size = ?').run(['x'.repeat(250_000)]))
    assert.deepEqual(await codesOf([small, large]), ['ERR_STORAGE', 'ERR_STORAGE'])
    assert.deepEqual(await shard.rows('claims', 'SELECT subject FROM _logins'), ['sarah'])
  })

  test('after a disk that was full the next call works and no id is missing', async () => {
    await using shard = await withStamps()
    const { database } = await shard.held('claims')
    const pages = database.file.statement('PRAGMA page_count').row([])?.[0] as bigint
    database.file.statement(`PRAGMA max_page_count = ${pages}`).row([])
    await codesOf([shard.stamp('claims', 1), shard.stamp('claims', 1, { size: 250_000 })])
    database.file.statement('PRAGMA max_page_count = 1000000').row([])
    await shard.stamp('claims', 1)
    const ids = await shard.rows('claims', 'SELECT id FROM stamps ORDER BY id')
    assert.deepEqual(
      ids,
      ids.map((_id, index) => index + 1),
    )
    assert.ok(ids.length >= 2)
  })

  test('somebody who was first seen in a batch that was undone is minted anew', async () => {
    await using shard = await withStamps()
    const { database } = await shard.held('claims')
    const pages = database.file.statement('PRAGMA page_count').row([])?.[0] as bigint
    database.file.statement(`PRAGMA max_page_count = ${pages}`).row([])
    await codesOf([shard.stamp('claims', 1, { subject: 'bob', size: 250_000 })])
    database.file.statement('PRAGMA max_page_count = 1000000').row([])
    await shard.stamp('claims', 1, { subject: 'bob' })
    assert.deepEqual(await shard.rows('claims', 'SELECT count(DISTINCT caller) FROM stamps'), [2])
    assert.deepEqual(await shard.rows('claims', 'SELECT count(*) FROM stamps WHERE caller NOT IN (SELECT identity FROM _identities)'), [0])
  })

  test('a database takes 1,024 waiting calls and tells the next one to come back', async () => {
    await using shard = await withStamps()
    const { queue } = await shard.held('claims')
    const waiting = Array.from({ length: limits.queuePerDatabaseMax }, (_, call) => queue.run(() => call))
    assert.throws(() => queue.run(() => 0), { code: 'ERR_BUSY' })
    assert.equal((await Promise.all(waiting)).at(-1), limits.queuePerDatabaseMax - 1)
    assert.equal(await queue.run(() => 'again'), 'again')
  })

  test('a database that is asked to close answers a full queue first, and takes nothing after', async () => {
    await using shard = await withStamps()
    const { queue } = await shard.held('claims')
    const waiting = Array.from({ length: limits.queuePerDatabaseMax }, (_, call) => queue.run(() => call))
    const closed = shard.send('claims', 'close', {})
    await Promise.all(waiting)
    await closed
    assert.throws(() => queue.run(() => 0), { code: 'ERR_HOST_CLOSED' })
  })

  test('a bug in one call undoes its batch and leaves the queue working', async (context) => {
    await using shard = await withStamps()
    stopTime(context)
    const { queue, database } = await shard.held('claims')
    const beside = queue.run(() => database.directory.identify({ issuer: 'test', subject: 'bob' }))
    const broken = queue.run(() => {
      throw new TypeError('our own bug')
    })
    await assert.rejects(broken, TypeError)
    await assert.rejects(beside, TypeError)
    assert.equal(await shard.stamp('claims', 1), 'first')
    assert.deepEqual(await shard.rows('claims', 'SELECT subject FROM _logins'), ['sarah'])
  })
})
