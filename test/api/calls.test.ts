/** Calls and publishes through the API: what reaches the shard, and what becomes of its refusals. */
import assert from 'node:assert/strict'
import { after, beforeEach, before, test } from 'node:test'

import { HostError } from '../../host/errors.ts'
import * as limits from '../../host/limits.ts'
import { ApiFixture } from './api-fixture.ts'
import { echoModule } from './echo-module.ts'
import { codeOf } from './http-client.ts'
import { fuelOfStandIn } from './stand-in-shard.ts'

let host: ApiFixture
let sarah: string
let publisher: string
const component = new Uint8Array([0, 97, 115, 109])

before(async () => {
  host = await ApiFixture.start()
  sarah = await host.person('sarah')
  publisher = await host.role('publisher')
})
after(() => host[Symbol.asyncDispose]())

beforeEach(() => {
  host.shard.onCall = async (_head, body) => body
  host.shard.onPublish = async () => undefined
})

function call(name: string, args: unknown = [], path = 'call') {
  return host.request('POST', `/v1/databases/claims/${path}/${name}`, { token: sarah, body: { args } })
}

function publish(query = '') {
  return host.request('PUT', `/v1/databases/claims/module${query}`, { token: publisher, body: component })
}

test('an unknown reducer is answered with the names it may have been', async () => {
  const reply = await call('rememberTurn')
  assert.equal(codeOf(reply), '404 ERR_REDUCER_UNKNOWN')
  assert.deepEqual(reply.body.error.detail, { near: ['remember_turn'] })
  assert.deepEqual((await call('echo_qeury', [], 'query')).body.error.detail.near[0], 'echo_query')
  assert.deepEqual((await call('x'.repeat(150))).body.error.detail, { near: [] })
  assert.deepEqual((await call('caller_tun')).body.error.detail, { near: [] })
})

test('a query is not run as a call, nor a reducer as a query', async () => {
  assert.equal(codeOf(await call('echo_query', ['x'])), '409 ERR_REDUCER_KIND')
  assert.equal(codeOf(await call('echo_string', ['x'], 'query')), '409 ERR_REDUCER_KIND')
})

test('what the host runs itself cannot be called, by whatever path', async () => {
  for (const name of ['start', 'caller_turn']) {
    assert.equal(codeOf(await call(name)), '403 ERR_REDUCER_HOST_ONLY')
    assert.equal(codeOf(await call(name, [], 'query')), '403 ERR_REDUCER_HOST_ONLY')
  }
})

test('a database without a module says so', async () => {
  await host.catalogue.createDatabase('empty', 'default')
  const token = await host.person('sarah', { database: 'empty' })
  assert.equal(codeOf(await host.request('POST', '/v1/databases/empty/call/nothing', { token, body: {} })), '409 ERR_MODULE_MISSING')
  assert.equal(codeOf(await host.request('GET', '/v1/databases/empty/schema', { token })), '409 ERR_MODULE_MISSING')
})

test('a call that was packed for an older module is packed again for the running one', async () => {
  await call('echo_u8', [1])
  host.shard.run('claims', { ...echoModule, reducers: [...echoModule.reducers].reverse() })
  const running = host.shard.databases.get('claims')?.version
  assert.deepEqual((await call('echo_u8', [7])).body, { result: 7, version: running, fuel: fuelOfStandIn })
  const head = host.shard.sent.at(-1)?.head as { reducer: number }
  assert.equal(
    [...echoModule.reducers].reverse().findIndex((reducer) => 'name' in reducer && reducer.name === 'echo_u8'),
    head.reducer,
  )
})

test('a call that finds another module each time is told to come back', async () => {
  let tries = 0
  host.shard.onCall = async () => {
    tries++
    host.shard.run('claims', echoModule)
    throw new HostError('ERR_BUSY', 'another module runs now', { detail: { version: -1 } })
  }
  const reply = await call('echo_u8', [1])
  assert.equal(codeOf(reply), '503 ERR_BUSY')
  assert.equal(reply.headers.get('retry-after'), '1')
  assert.equal(tries, limits.repackTriesMax)
})

test('a full queue is not tried again', async () => {
  let tries = 0
  host.shard.onCall = async () => {
    tries++
    throw new HostError('ERR_BUSY', 'the queue is full')
  }
  assert.equal(codeOf(await call('echo_u8', [1])), '503 ERR_BUSY')
  assert.equal(tries, 1)
})

test("a shard's refusal keeps its code, message and detail", async () => {
  host.shard.onCall = async () => {
    throw new HostError('ERR_CALL_FAILED', 'a turn is at most 4,000 characters', { detail: { reducer: 'echo_u8' } })
  }
  const reply = await call('echo_u8', [1])
  assert.equal(reply.status, 422)
  assert.deepEqual(reply.body, { error: { code: 'ERR_CALL_FAILED', message: 'a turn is at most 4,000 characters', detail: { reducer: 'echo_u8' } } })
})

test('a fault of our own tells the caller an id, and the log the rest', async () => {
  for (const fault of [new Error('/srv/data/claims.sqlite: secret'), new HostError('ERR_INTERNAL', '/srv/data/claims.sqlite: secret'), 'secret']) {
    host.failures.length = 0
    host.shard.onCall = async () => {
      throw fault
    }
    const reply = await call('echo_u8', [1])
    assert.equal(codeOf(reply), '500 ERR_INTERNAL', String(fault))
    assert.equal(JSON.stringify(reply.body).includes('secret'), false)
    assert.equal(host.failures[0]?.fields['id'], reply.body.error.detail.id)
    assert.match(host.failures[0]?.fields['error'] ?? '', /secret/)
  }
})

test('a result that is not what the module promised is refused', async () => {
  for (const bytes of [[], [1, 2], [0xff, 0xff, 0xff, 0xff], [2, 0, 0, 0, 0xff, 0xff]]) {
    host.shard.onCall = async () => Uint8Array.from(bytes)
    const reply = await call('echo_string', ['x'])
    assert.equal(codeOf(reply), '422 ERR_RESULT_MALFORMED')
    assert.equal(reply.body.error.detail.fuel, fuelOfStandIn)
  }
})

test('a result that nests without end is refused', async () => {
  // tree: an array of one tree, 200 times, then an empty one.
  host.shard.onCall = async () => Buffer.concat([...Array.from({ length: 200 }, () => Buffer.from([1, 0, 0, 0])), Buffer.alloc(4)])
  assert.equal(codeOf(await call('echo_tree', [{ children: [] }])), '422 ERR_RESULT_MALFORMED')
})

test('the schema shows tables, policies, reducers and what each may do', async () => {
  const { body } = await host.request('GET', '/v1/databases/claims/schema', { token: sarah })
  assert.equal(body.module, 'echo')
  const unsaid = { ownerSettable: false, policies: [], readableByPolicies: false }
  assert.deepEqual(
    body.tables,
    echoModule.tables.map((table) => ({ ...table, ...unsaid })),
  )
  assert.deepEqual(body.policies, ['turns: all where caller = sender'])
  assert.deepEqual(body.records, echoModule.records)
  assert.deepEqual(
    body.reducers.find((reducer: { name: string }) => reducer.name === 'remember_turn'),
    {
      name: 'remember_turn',
      kind: 'reducer',
      params: [
        { name: 'role', type: 'string' },
        { name: 'content', type: 'string' },
        { name: 'score', type: 'u32?' },
      ],
      result: 'void',
    },
  )
  assert.deepEqual(
    body.grants.find((grant: { reducer: string }) => grant.reducer === 'remember_turn'),
    {
      reducer: 'remember_turn',
      kind: 'reducer',
      tables: [{ table: 'turns', mode: 'append' }],
      policies: [],
    },
  )
})

test('a publish reports the gate and the shard, and lists show what runs', async () => {
  const before = host.shard.databases.get('claims')?.version ?? 0
  const reply = await publish()
  assert.equal(reply.status, 200)
  assert.deepEqual(reply.body.timings, { parse: 2, swap: 1 })
  assert.equal(reply.body.version, before + 1)
  assert.deepEqual(host.shard.sent.at(-1)?.head, { hash: 'hash', coreSizeBytes: 4, publishedBy: 'publisher-of-default', dryRun: false })
  const { body } = await host.request('GET', '/v1/databases', { token: publisher })
  assert.deepEqual(body.databases[0], { name: 'claims', tenant: 'default', module: 'test', version: before + 1 })
})

test('a dry run leaves everything as it is', async () => {
  const before = host.shard.databases.get('claims')?.version
  const listed = await host.request('GET', '/v1/databases', { token: publisher })
  assert.equal((await publish('?dry-run=1')).status, 200)
  assert.equal(host.shard.databases.get('claims')?.version, before)
  assert.deepEqual((await host.request('GET', '/v1/databases', { token: publisher })).body, listed.body)
})

test('two publishes that race come one after the other, and too many are told to wait', async () => {
  const running: string[] = []
  let most = 0
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  host.shard.onPublish = async () => {
    running.push('x')
    most = Math.max(most, running.length)
    await released
    running.pop()
  }
  const tooMany = 3
  let refused = 0
  const replies = Array.from({ length: limits.publishesWaitingMax + tooMany }, async () => {
    const reply = await publish()
    if (codeOf(reply) === '503 ERR_BUSY' && ++refused === tooMany) release()
    return reply
  })
  const versions = (await Promise.all(replies)).filter((reply) => reply.status === 200).map((reply) => reply.body.version)
  assert.equal(most, 1)
  assert.equal(refused, tooMany)
  assert.equal(new Set(versions).size, limits.publishesWaitingMax)
})

test('a publish that is refused leaves the way free for the next', async () => {
  host.shard.onPublish = async () => {
    throw new HostError('ERR_SCHEMA_CHANGE', 'turns.content would lose its rows')
  }
  assert.equal(codeOf(await publish()), '409 ERR_SCHEMA_CHANGE')
  host.shard.onPublish = async () => undefined
  assert.equal((await publish()).status, 200)
})
