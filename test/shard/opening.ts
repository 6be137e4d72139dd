/** Databases that open, idle, close and go away, while others use them. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { suite, test } from 'node:test'

import { openHost } from '../../host/open-host.ts'
import { DataFolder } from '../storage/folder.ts'
import { OpenShard } from './open-shard.ts'
import { checked, component, first } from './versions.ts'

const names = ['anna', 'ben', 'cleo', 'dora', 'emil']

/** SQLite takes the WAL away when the last connection closes. */
function openOf(shard: OpenShard): readonly string[] {
  return names.filter((name) => existsSync(`${shard.path(name)}-wal`))
}

async function identityOf(shard: OpenShard, name: string): Promise<string> {
  return (await shard.send(name, 'identify', { login: { issuer: 'test', subject: 'sarah' } })).head.identity
}

/** What was started is awaited when the shard closes; the tests look in between. */
async function settled(shard: OpenShard, expected: readonly string[]): Promise<void> {
  for (let turn = 0; turn < 1_000 && openOf(shard).join() !== expected.join(); turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(openOf(shard), expected)
}

suite('opening', () => {
  test('the databases used last stay open', async () => {
    await using shard = new OpenShard({ databasesOpenMax: 2 })
    for (const name of names) await shard.create(name)
    await settled(shard, ['dora', 'emil'])
    await identityOf(shard, 'dora')
    await identityOf(shard, 'anna')
    await settled(shard, ['anna', 'dora'])
  })

  test('a database that was closed opens again where it was', async () => {
    await using shard = new OpenShard({ databasesOpenMax: 1 })
    for (const name of names) await shard.create(name)
    const identities = await Promise.all(names.map((name) => identityOf(shard, name)))
    assert.deepEqual(await Promise.all(names.map((name) => identityOf(shard, name))), identities)
  })

  test('databases that close under load lose no request', async () => {
    await using shard = new OpenShard({ databasesOpenMax: 1 })
    for (const name of names) await shard.create(name)
    const identities = await Promise.all(Array.from({ length: 100 }, (_, index) => identityOf(shard, names[index % names.length] ?? '')))
    assert.equal(new Set(identities).size, names.length)
  })

  test('a database that somebody of this process keeps is not closed, however many others are used', async () => {
    await using shard = new OpenShard({ databasesOpenMax: 1 })
    for (const name of names) await shard.create(name)
    const { queue, database } = await shard.held('anna')
    await Promise.all(names.map((name) => identityOf(shard, name)))
    assert.equal(await queue.run(() => database.module), undefined)
  })

  test('dropping and making one database again and again never meets itself', async () => {
    await using shard = new OpenShard({ databasesOpenMax: 1 })
    await shard.create('anna')
    const steps = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? shard.send('anna', 'drop', {}) : shard.create('anna')))
    await Promise.all([...steps, ...Array.from({ length: 5 }, () => shard.send('anna', 'close', {}))])
    assert.match(await identityOf(shard, 'anna'), /^[0-9a-f]{64}$/)
  })

  test('a database that is asked to close during a publish closes after it', async () => {
    await using shard = new OpenShard()
    await shard.create('anna')
    const stamps = await checked(first)
    const publishing = shard.publishChecked('anna', stamps)
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    await shard.send('anna', 'close', {})
    assert.equal((await publishing).version, 1)
    assert.equal(await shard.stamp('anna', 1), 'first')
  })

  test('a database that is dropped takes its folder along and answers what was asked before', async () => {
    await using shard = new OpenShard()
    await shard.create('anna')
    const asked = identityOf(shard, 'anna')
    await shard.send('anna', 'drop', {})
    assert.match(await asked, /^[0-9a-f]{64}$/)
    assert.equal(existsSync(shard.folder.at('databases', 'anna')), false)
  })

  test('a request for a database that is not there fails alone', async () => {
    await using shard = new OpenShard({ databasesOpenMax: 1 })
    await shard.create('anna')
    const outcomes = await Promise.allSettled([identityOf(shard, 'anna'), identityOf(shard, 'nobody'), identityOf(shard, 'anna')])
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
  })

  test('a shard that is closed takes nothing more', async () => {
    await using shard = new OpenShard()
    await shard.create('anna')
    await shard.core.close()
    await assert.rejects(identityOf(shard, 'anna'), { code: 'ERR_HOST_CLOSED' })
  })

  test('a name that is a way out of the data folder is no database', async () => {
    using folder = new DataFolder()
    await using host = await openHost({ data: folder.path })
    for (const name of ['..', '.', '../claims', 'a/b', '', 'A', 'claims\n', 'ｃlaims']) {
      await assert.rejects(host.database(name, { create: true }), { code: 'ERR_DATABASE_NAME' }, name)
    }
    assert.ok(existsSync(folder.at('host.sqlite')))
  })

  test('a database whose entry was lost is refused to be made anew, and keeps its rows', async () => {
    using folder = new DataFolder()
    await using host = await openHost({ data: folder.path })
    await (await host.database('claims', { create: true })).publish(await component(first))
    await host.close()
    for (const file of ['host.sqlite', 'host.sqlite-wal']) rmSync(folder.at(file), { force: true })
    await using again = await openHost({ data: folder.path })
    await assert.rejects(again.database('claims', { create: true }), { code: 'ERR_DATABASE_EXISTS' })
    assert.ok(existsSync(folder.at('databases', 'claims', 'state.sqlite')))
  })

  test('what a crash left of a creation does not stand in the way of the next one', async () => {
    using folder = new DataFolder()
    mkdirSync(folder.at('databases', 'claims'), { recursive: true })
    writeFileSync(folder.at('databases', 'claims', 'state.sqlite'), '')
    await using host = await openHost({ data: folder.path })
    assert.equal((await host.database('claims', { create: true })).name, 'claims')
  })

  test('of two who make one database at once, one does', async () => {
    using folder = new DataFolder()
    await using host = await openHost({ data: folder.path })
    const outcomes = await Promise.allSettled([host.database('claims', { create: true }), host.database('claims', { create: true })])
    assert.deepEqual(
      new Set(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'made' : outcome.reason.code))),
      new Set(['ERR_DATABASE_EXISTS', 'made']),
    )
  })
})
