/** Limits of a database, set over HTTP and felt by its calls. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { defaultLimits, limitCeilings } from '../../host/database-limits.ts'
import { buildModule } from '../../host/module/build.ts'
import { buildDiary } from './diary-module.ts'
import { HostFixture } from './host-fixture.ts'
import type { Person } from './host-fixture.ts'
import { codeOf } from './http-client.ts'

const host = new HostFixture()
let sarah: Person
let neighbour: Person

before(async () => {
  const { component } = await buildModule('modules/claims', { optimize: false })
  await host.start()
  await host.publish('claims', component)
  await host.publish('neighbour', component)
  sarah = await host.person('claims', 'sarah')
  neighbour = await host.person('neighbour', 'sarah')
})
after(() => host[Symbol.asyncDispose]())

const path = '/v1/databases/claims/limits'
const set = (limits: Record<string, unknown>, token = host.operator) => host.request('POST', path, { token, body: { limits } })

test('a database has the default limits until an operator changes them', async () => {
  const { body } = await host.request('GET', path, { token: host.operator })
  assert.deepEqual(body, { limits: defaultLimits, defaults: defaultLimits, ceilings: limitCeilings })
})

test('each limit ends the calls of its own database, and a default lets them go on', async () => {
  const many = ['one', 'two', 'three']
  const cases: [keyof typeof defaultLimits, number, string][] = [
    ['fuel', 10_000, '422 ERR_CALL_FUEL'],
    ['depth', 1, '422 ERR_CALL_DEPTH'],
    ['rowOperations', 2, '422 ERR_CALL_LIMIT'],
    ['rowBytes', 100, '422 ERR_CALL_LIMIT'],
  ]
  for (const [name, value, code] of cases) {
    assert.equal((await set({ [name]: value })).body.limits[name], value)
    assert.equal(codeOf(await sarah.call('remember_conversation', [many])), code, name)
    assert.equal((await neighbour.call('remember_conversation', [many])).status, 200)
    assert.deepEqual((await set({ [name]: null })).body.limits, defaultLimits)
    assert.equal((await sarah.call('remember_conversation', [many])).status, 200)
  }
  await set({ rowsRead: 3 })
  assert.equal(codeOf(await sarah.query('last_turns', [4])), '422 ERR_CALL_LIMIT')
  assert.equal((await sarah.query('last_turns', [3])).body.result.length, 3)
  await set({ rowsRead: null })
})

test('memory grows to the limit of its database and not beyond', async () => {
  const much = Array.from({ length: 300 }, () => 'x'.repeat(1_000))
  await set({ memoryPages: 2 })
  assert.equal(codeOf(await sarah.call('remember_conversation', [much])), '422 ERR_CALL_TRAPPED')
  await set({ memoryPages: null })
  assert.equal((await sarah.call('remember_conversation', [much])).status, 200)
})

test('a call logs as many bytes as its database lets it, and the rest is counted', async () => {
  const logTen = 'for (let i = 0; i < 10; i++) ctx.log("x".repeat(4096));'
  await host.publish('diary', await buildDiary(`@reducer export function logTen(ctx: Context): void { ${logTen} }`))
  await host.request('POST', '/v1/databases/diary/limits', { token: host.operator, body: { limits: { logBytes: 10_000 } } })
  assert.equal((await (await host.person('diary', 'sarah')).call('log_ten')).status, 200)
  const { body } = await host.request('GET', '/v1/databases/diary/logs', { token: host.operator })
  const messages = body
    .trim()
    .split('\n')
    .map((line: string) => JSON.parse(line).message)
  assert.deepEqual(messages, ['x'.repeat(4_096), 'x'.repeat(4_096), '8 more messages of this call were dropped: a call may log 10000 bytes'])
})

test('a limit of another name, of no whole number or past its ceiling is refused, and nothing changes', async () => {
  for (const limits of [{ speed: 1 }, { fuel: 0 }, { fuel: 1.5 }, { fuel: limitCeilings.fuel + 1 }, { depth: 100, rowsRead: -1 }]) {
    assert.equal(codeOf(await set(limits)), '400 ERR_LIMIT', JSON.stringify(limits))
  }
  assert.equal(codeOf(await set({ fuel: '1' })), '400 ERR_REQUEST_MALFORMED')
  assert.deepEqual((await host.request('GET', path, { token: host.operator })).body.limits, defaultLimits)
})

test('only an operator changes limits; a person of the database does not even see them', async () => {
  assert.equal(codeOf(await set({ fuel: 1_000_000 }, sarah.token)), '403 ERR_RIGHT_MISSING')
  assert.equal(codeOf(await host.request('GET', path, { token: sarah.token })), '403 ERR_RIGHT_MISSING')
  const admin = await host.request('POST', '/v1/tenants/default/tokens', { token: host.operator, body: { subject: 'ada', roles: ['admin'], ttlSeconds: 60 } })
  assert.equal((await host.request('GET', path, { token: admin.body.token })).status, 200)
  assert.equal(codeOf(await set({ fuel: 1_000_000 }, admin.body.token)), '403 ERR_RIGHT_MISSING')
})

test('limits outlive the host that was told', async () => {
  await set({ fuel: 123_456 })
  await host.stop()
  await host.start()
  assert.equal((await host.request('GET', path, { token: host.operator })).body.limits.fuel, 123_456)
})

test('nobody acts for the host itself, whose rows init reducers made', async () => {
  const agent = await host.person('claims', 'agent', ['act-for'])
  assert.equal(codeOf(await agent.query('greeting', [], { issuer: 'host', subject: 'init' })), '400 ERR_REQUEST_MALFORMED')
})
