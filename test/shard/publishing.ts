/** Publishes on a database that is in use: one version or the other, and never something between. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import type { HostError } from '../../host/errors.ts'
import { openHost } from '../../host/open-host.ts'
import type { GuestRunner } from '../../host/reducer/active-module.ts'
import { GuestModule } from '../../host/sandbox/guest-module.ts'
import { DataFolder } from '../storage/folder.ts'
import { OpenShard } from './open-shard.ts'
import { checked, component, first, second } from './versions.ts'

suite('publishing', () => {
  test('calls that run while versions change are none lost and none mixed', async () => {
    using folder = new DataFolder()
    await using host = await openHost({ data: folder.path })
    const database = await host.database('claims', { create: true })
    await database.publish(await component(first))
    const sarah = await database.as({ subject: 'sarah' })
    const [one, two] = await Promise.all([component({ ...second, label: 'third' }), component(second)])
    const ended = new AbortController()
    const publishing = (async () => {
      for (const version of [two, one, two, one, two]) await database.publish(version)
      ended.abort()
    })()
    const said: unknown[] = []
    while (!ended.signal.aborted) said.push(...(await Promise.all(Array.from({ length: 20 }, () => sarah.call('stamp', { size: 0 })))))
    await publishing
    assert.deepEqual(sarah.query('labels'), said)
    assert.ok(new Set(said).size > 1, 'no publish fell between calls')
  })

  test('every answer of the door says which version ran, and that one did', async () => {
    await using shard = new OpenShard()
    await shard.create('claims')
    await shard.publish('claims', first)
    const before = Array.from({ length: 30 }, () => shard.stamp('claims', 1))
    const publishing = shard.publish('claims', second)
    const outcomes = await Promise.allSettled(before)
    const said = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.code))
    assert.ok(said.includes('first') && said.every((one) => one === 'first' || one === 'ERR_BUSY'), said.join())
    await publishing
    assert.equal(await shard.stamp('claims', 2), 'second')
  })

  test('a call that was packed for another version is told so and runs in none', async () => {
    await using shard = new OpenShard()
    await shard.create('claims')
    await shard.publish('claims', first)
    await shard.publish('claims', second)
    await assert.rejects(shard.stamp('claims', 1), (error: HostError) => error.code === 'ERR_BUSY' && error.detail['version'] === 2)
    assert.deepEqual(await shard.rows('claims', 'SELECT count(*) FROM stamps'), [0])
  })

  test('a module learns when it runs no more: replaced, refused by its own init, or closed with its database', async () => {
    using folder = new DataFolder()
    const host = await openHost({ data: folder.path, instances: 'reset' })
    const closed: string[] = []
    const noting = (name: string) => ({
      compile: async (core: Uint8Array): Promise<GuestRunner> => {
        const guest = await GuestModule.compile(core)
        return { run: (call) => guest.run(call), close: () => void closed.push(name) }
      },
    })
    const database = await host.database('claims', { create: true })
    await assert.rejects(database.publish(await component({ ...first, init: 'ctx.fail("no");' }), noting('refused')), { code: 'ERR_CALL_FAILED' })
    await database.publish(await component(first), noting('replaced'))
    assert.deepEqual(closed, ['refused'])
    await database.publish(await component(second), noting('last'))
    assert.deepEqual(closed, ['refused', 'replaced'])
    await host.close()
    assert.deepEqual(closed, ['refused', 'replaced', 'last'])
  })

  test('calls share an instance where they are to, in a published module as in one that was stored', async () => {
    using folder = new DataFolder()
    for (const [instances, made] of [
      ['reset', 1],
      ['fresh', 4],
    ] as const) {
      const counted = await instancesMade(async () => {
        await using host = await openHost({ data: folder.at(instances), instances })
        const database = await host.database('claims', { create: true })
        await database.publish(await component(first))
        const sarah = await database.as({ subject: 'sarah' })
        for (let times = 0; times < 4; times += 1) await sarah.call('stamp', { size: 0 })
      })
      const again = await instancesMade(async () => {
        await using host = await openHost({ data: folder.at(instances), instances })
        const sarah = await (await host.database('claims')).as({ subject: 'sarah' })
        for (let times = 0; times < 4; times += 1) await sarah.call('stamp', { size: 0 })
      })
      assert.deepEqual([counted, again], [made, made], instances)
    }
  })

  test('rows that were there get the default of a new column', async () => {
    await using shard = new OpenShard()
    await shard.create('claims')
    await shard.publish('claims', first)
    await shard.stamp('claims', 1)
    await shard.publish('claims', second)
    await shard.stamp('claims', 2)
    assert.deepEqual(await shard.rows('claims', 'SELECT mood FROM stamps ORDER BY id'), ['unknown', 'good'])
  })

  test('two publishes that race are two versions, one after the other', async () => {
    await using shard = new OpenShard()
    await shard.create('claims')
    const reports = await Promise.all([shard.publish('claims', second), shard.publish('claims', { ...second, label: 'third' })])
    assert.deepEqual(new Set(reports.map((report) => report.version)), new Set([1, 2]))
    assert.deepEqual(await shard.rows('claims', 'SELECT version FROM _modules ORDER BY version'), [1, 2])
  })

  test('the same component twice is one version, also when both are published at once', async () => {
    await using shard = new OpenShard()
    await shard.create('claims')
    const stamps = await checked(first)
    const reports = await Promise.all([shard.publishChecked('claims', stamps), shard.publishChecked('claims', stamps)])
    assert.deepEqual(
      reports.map(({ version }) => version),
      [1, 1],
    )
    assert.deepEqual(new Set(reports.map(({ unchanged }) => unchanged)), new Set([false, true]))
  })

  test('a dry run says what would happen and does nothing', async () => {
    await using shard = new OpenShard()
    await shard.create('claims')
    const report = await shard.publish('claims', first, true)
    assert.deepEqual(report.schemaChanges, ['create table stamps'])
    assert.deepEqual((await shard.send('claims', 'describe', {})).head, { version: 0, hash: '' })
    assert.deepEqual(await shard.rows('claims', "SELECT name FROM sqlite_schema WHERE name = 'stamps'"), [])
  })

  test('a publish that is refused leaves the old version and its rows', async () => {
    await using shard = new OpenShard()
    await shard.create('claims')
    await shard.publish('claims', second)
    await shard.stamp('claims', 1)
    await assert.rejects(
      shard.publish('claims', first),
      (error: HostError) => error.code === 'ERR_SCHEMA_CHANGE' && String(error.detail['plan']).includes('stamps.mood is gone'),
    )
    assert.equal(await shard.stamp('claims', 1), 'second')
    assert.deepEqual(await shard.rows('claims', 'SELECT count(*) FROM stamps'), [2])
  })

  test('a first publish whose init fails leaves nothing behind', async () => {
    await using shard = new OpenShard()
    await shard.create('claims')
    const failing = { ...first, init: 'stamps.insert(new Stamp("init", "")); ctx.fail("not today");' }
    await assert.rejects(shard.publish('claims', failing), { code: 'ERR_CALL_FAILED', message: 'not today' })
    assert.deepEqual((await shard.send('claims', 'describe', {})).head, { version: 0, hash: '' })
    assert.deepEqual(await shard.rows('claims', "SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'"), [])
    for (const table of ['_modules', '_schemas', '_identities', '_logins'])
      assert.deepEqual(await shard.rows('claims', `SELECT count(*) FROM ${table}`), [0], table)
  })

  test('init runs once, at the first publish, and its rows belong to the host', async () => {
    await using shard = new OpenShard()
    await shard.create('claims')
    const init = 'stamps.insert(new Stamp("init", ""));'
    await shard.publish('claims', { ...first, init })
    await shard.publish('claims', { ...first, label: 'again', init })
    assert.deepEqual(await shard.rows('claims', 'SELECT label FROM stamps'), ['init'])
    assert.deepEqual(await shard.rows('claims', 'SELECT issuer || subject FROM _logins JOIN stamps ON caller = identity'), ['hostinit'])
  })

  test('grants are compared with those of the version before', async () => {
    await using shard = new OpenShard()
    await shard.create('claims')
    const report = await shard.publish('claims', first)
    assert.deepEqual(report.grantsAdded, ['labels may read stamps', 'stamp may append stamps'])
    const later = await shard.publish('claims', {
      ...first,
      more: '@query export function more(ctx: Context, stamps: Reader<Stamp>): u64 { return stamps.count(); }',
    })
    assert.deepEqual([later.grantsAdded, later.grantsRemoved], [['more may read stamps'], []])
    const back = await shard.publish('claims', first)
    assert.deepEqual([back.version, back.grantsAdded, back.grantsRemoved], [3, [], ['more may read stamps']])
  })

  test('the version that ran last runs again when the database is opened anew', async () => {
    await using shard = new OpenShard()
    await shard.create('claims')
    await shard.publish('claims', first)
    await shard.publish('claims', second)
    await shard.send('claims', 'close', {})
    assert.equal(await shard.stamp('claims', 2), 'second')
  })
})

/** How many instances this thread makes while `work` runs: the gate's are another process's. */
async function instancesMade(work: () => Promise<void>): Promise<number> {
  const { Instance } = WebAssembly
  let made = 0
  Reflect.set(WebAssembly, 'Instance', new Proxy(Instance, { construct: (target, parameters) => ((made += 1), Reflect.construct(target, parameters)) }))
  try {
    await work()
    return made
  } finally {
    Reflect.set(WebAssembly, 'Instance', Instance)
  }
}
