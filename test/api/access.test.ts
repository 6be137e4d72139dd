/** Who may do what: every route against every kind of token, and what a refusal gives away. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { mintDatabaseToken, mintHostToken } from '../../host/auth/mint-token.ts'
import { newKeyRing } from '../../host/auth/signing-key.ts'
import { ApiFixture } from './api-fixture.ts'
import { codeOf } from './http-client.ts'
import type { RequestOptions } from './http-client.ts'

let host: ApiFixture
const tokens: Record<string, string> = {}

before(async () => {
  host = await ApiFixture.start()
  tokens['operator'] = await host.operator()
  for (const role of ['admin', 'publisher', 'auditor'] as const) {
    tokens[role] = await host.role(role)
    tokens[`foreign ${role}`] = await host.role(role, 'acme')
  }
  tokens['person'] = await host.person('sarah')
  tokens['foreign person'] = await host.person('sarah', { database: 'other' })
})
after(() => host[Symbol.asyncDispose]())

const login = { subject: 'nobody' }
const component = new Uint8Array([0, 97, 115, 109])

/** What of a route may be tried without harm, and who is let in. Tokens of the other tenant never are. */
const routes: [method: string, path: string, body: unknown, admitted: string[]][] = [
  ['GET', '/v1/tenants', undefined, ['operator']],
  ['POST', '/v1/tenants', { name: 'NO' }, ['operator']],
  ['POST', '/v1/tenants/default/tokens', { subject: '', roles: ['auditor'], ttlSeconds: 1 }, ['operator', 'admin']],
  ['POST', '/v1/databases', { name: 'NO' }, ['operator', 'admin', 'publisher', 'foreign admin', 'foreign publisher']],
  ['PUT', '/v1/databases/claims/module?dry-run=1', component, ['operator', 'publisher']],
  ['GET', '/v1/databases/claims/schema', undefined, ['operator', 'admin', 'publisher', 'auditor', 'person']],
  ['POST', '/v1/databases/claims/call/nothing', {}, ['person']],
  ['POST', '/v1/databases/claims/query/echo_query', { args: ['x'] }, ['person']],
  ['POST', '/v1/databases/claims/access/report', { subject: { text: 'sarah' } }, ['operator', 'admin', 'auditor', 'person']],
  ['GET', '/v1/databases/claims/access/export', undefined, ['operator', 'admin', 'auditor']],
  ['POST', '/v1/databases/claims/access/checkpoint', undefined, ['operator', 'admin', 'auditor']],
  ['GET', '/v1/databases/claims/logs', undefined, ['operator', 'admin', 'publisher']],
  ['POST', '/v1/databases/claims/tokens', { subject: '', ttlSeconds: 1 }, ['operator', 'admin']],
  ['POST', '/v1/databases/claims/keys/rotate', [], ['operator', 'admin']],
  ['DELETE', '/v1/databases/claims/keys/none', undefined, ['operator', 'admin']],
  ['GET', '/v1/databases/claims/identities', undefined, ['operator', 'admin']],
  ['GET', '/v1/databases/claims/identities/me', undefined, ['person']],
  ['POST', '/v1/databases/claims/identities/link', {}, ['operator', 'admin', 'person']],
  ['POST', '/v1/databases/claims/identities/unlink', {}, ['operator', 'admin', 'person']],
]

/** What is told to those who may not know that there is something. */
const hiding = new Set(['ERR_DATABASE_UNKNOWN', 'ERR_TENANT_UNKNOWN'])

for (const [method, path, body, admitted] of routes) {
  test(`${method} ${path} is for ${admitted.join(', ')} and nobody else`, async () => {
    for (const [who, token] of Object.entries(tokens)) {
      const reply = await host.request(method, path, { token, body })
      const isAdmitted = reply.status !== 401 && reply.status !== 403 && !hiding.has(reply.body?.error?.code)
      assert.equal(isAdmitted, admitted.includes(who), `${who}: ${codeOf(reply)}`)
    }
    assert.equal(codeOf(await host.request(method, path, { body })), '401 ERR_TOKEN_MISSING')
  })
}

test('DELETE of a database is for its admins and operators', async () => {
  for (const who of ['publisher', 'auditor', 'person']) {
    assert.equal(codeOf(await host.request('DELETE', '/v1/databases/claims', { token: tokens[who] ?? '' })), '403 ERR_RIGHT_MISSING')
  }
  await host.addDatabase('short-lived', 'default')
  const reply = await host.request('DELETE', '/v1/databases/short-lived', { token: tokens['admin'] ?? '' })
  assert.deepEqual(reply.body, { dropped: 'short-lived' })
})

test('health and public keys are for everybody', async () => {
  assert.deepEqual((await host.request('GET', '/v1/health')).body, { status: 'ok', version: '1.2.3', databases: 2 })
  const { body } = await host.request('GET', '/v1/databases/claims/keys')
  assert.deepEqual(Object.keys(body), ['issuer', 'keys'])
  assert.equal('d' in body.keys[0], false)
})

test('a list shows the databases of the own tenant, and all of them to an operator', async () => {
  const list = async (who: string) => (await host.request('GET', '/v1/databases', { token: tokens[who] ?? '' })).body.databases
  const claims = { name: 'claims', tenant: 'default', module: null, version: 0 }
  const other = { name: 'other', tenant: 'acme', module: null, version: 0 }
  assert.deepEqual(await list('operator'), [claims, other])
  assert.deepEqual(await list('auditor'), [claims])
  assert.deepEqual(await list('foreign auditor'), [other])
})

test("another tenant's database looks like one that does not exist", async () => {
  const options: RequestOptions = { token: tokens['foreign admin'] ?? '' }
  const hidden = await host.request('GET', '/v1/databases/claims/logs', options)
  const absent = await host.request('GET', '/v1/databases/absent/logs', options)
  assert.equal(codeOf(hidden), '404 ERR_DATABASE_UNKNOWN')
  assert.equal(JSON.stringify(hidden.body).replaceAll('claims', 'absent'), JSON.stringify(absent.body))
})

test('another tenant looks like one that does not exist, and cannot be given a database', async () => {
  const options: RequestOptions = { token: tokens['admin'] ?? '', body: { subject: 'x', roles: ['admin'], ttlSeconds: 60 } }
  const hidden = await host.request('POST', '/v1/tenants/acme/tokens', options)
  const absent = await host.request('POST', '/v1/tenants/absent/tokens', options)
  assert.equal(codeOf(hidden), '404 ERR_TENANT_UNKNOWN')
  assert.equal(JSON.stringify(hidden.body).replaceAll('acme', 'absent'), JSON.stringify(absent.body))
  assert.equal(
    codeOf(await host.request('POST', '/v1/databases', { token: tokens['admin'] ?? '', body: { name: 'mine', tenant: 'acme' } })),
    '404 ERR_TENANT_UNKNOWN',
  )
})

test("a database's token learns nothing of other databases, not even whether they exist", async () => {
  const options: RequestOptions = { token: tokens['person'] ?? '', body: {} }
  const existing = await host.request('POST', '/v1/databases/other/call/nothing', options)
  const absent = await host.request('POST', '/v1/databases/absent/call/nothing', options)
  assert.equal(codeOf(existing), '401 ERR_TOKEN_AUDIENCE')
  assert.equal(codeOf(absent), '401 ERR_TOKEN_AUDIENCE')
})

test('an admin cannot make operators, nor an operator one that belongs to a tenant', async () => {
  for (const who of ['admin', 'operator']) {
    for (const roles of [['operator'], ['admin', 'operator'], [], ['root']]) {
      const reply = await host.request('POST', '/v1/tenants/default/tokens', { token: tokens[who] ?? '', body: { subject: 'x', roles, ttlSeconds: 60 } })
      assert.equal(codeOf(reply), '400 ERR_REQUEST_MALFORMED')
    }
  }
})

test('a token that an admin was given works as what it says', async () => {
  const { body } = await host.request('POST', '/v1/tenants/default/tokens', {
    token: tokens['admin'] ?? '',
    body: { subject: 'ci', roles: ['publisher'], ttlSeconds: 60 },
  })
  assert.equal((await host.request('PUT', '/v1/databases/claims/module?dry-run=1', { token: body.token, body: component })).status, 200)
  host.clock.seconds += 60
  try {
    assert.equal(codeOf(await host.request('GET', '/v1/databases', { token: body.token })), '401 ERR_TOKEN_EXPIRED')
  } finally {
    host.clock.seconds -= 60
  }
})

test('a bad token is refused and never taken for none', async () => {
  await using open = await ApiFixture.start({ allowAnonymous: true })
  const path = '/v1/databases/claims/call/nothing'
  assert.equal((await open.request('POST', path, { body: {} })).status, 200)
  const foreign = newKeyRing()
  const request = { subject: 'sarah', ttlSeconds: 60, claims: {}, rights: [] }
  const expired = await open.person('sarah')
  open.clock.seconds += 4_000
  for (const [token, code] of [
    ['x', 'ERR_TOKEN_INVALID'],
    ['a.b.c', 'ERR_TOKEN_INVALID'],
    [expired, 'ERR_TOKEN_EXPIRED'],
    [await mintDatabaseToken(foreign, request, open.clock), 'ERR_TOKEN_AUDIENCE'],
    [await mintHostToken(foreign, { subject: 'op', tenant: undefined, roles: ['operator'], ttlSeconds: 60 }, open.clock), 'ERR_TOKEN_AUDIENCE'],
    [await open.person('sarah', { database: 'other' }), 'ERR_TOKEN_AUDIENCE'],
  ] as const) {
    assert.equal(codeOf(await open.request('POST', path, { token, body: {} })), `401 ${code}`)
  }
  for (const authorization of ['', 'Bearer', 'Bearer ', 'Basic c2FyYWg6eA==', `Bearer ${await open.person('sarah')} x`, 'bearer\tx']) {
    assert.equal(codeOf(await open.request('POST', path, { body: {}, headers: { authorization } })), '401 ERR_TOKEN_INVALID', authorization)
  }
})

test('two Authorization headers are refused, whichever of them is good', async () => {
  const head = (first: string, second: string) =>
    `GET /v1/databases/claims/schema HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer ${first}\r\nAuthorization: Bearer ${second}\r\n\r\n`
  const good = tokens['person'] ?? ''
  assert.match(await host.raw(head(good, 'x')), /ERR_TOKEN_INVALID/)
  assert.match(await host.raw(head('x', good)), /ERR_TOKEN_INVALID/)
  assert.match(await host.raw(head(good, good)), /ERR_TOKEN_INVALID/)
})

test('anonymous calls are one login, and cannot link, be linked or be acted for', async () => {
  await using open = await ApiFixture.start({ allowAnonymous: true })
  const me = await open.request('GET', '/v1/databases/claims/identities/me')
  assert.deepEqual(me.body.login, { issuer: 'anonymous', subject: 'anonymous' })
  await open.request('POST', '/v1/databases/claims/call/nothing', { body: {} })
  assert.deepEqual(open.shard.lastCaller(), {
    sender: { issuer: 'anonymous', subject: 'anonymous' },
    assurance: 'none',
    channel: 'http',
    claims: {},
  })
  const anonymous = { issuer: 'anonymous', subject: 'anonymous' }
  const operator = await open.operator()
  assert.equal(codeOf(await open.request('POST', '/v1/databases/claims/identities/link', { body: { token: 'x' } })), '401 ERR_TOKEN_MISSING')
  assert.equal(
    codeOf(await open.request('POST', '/v1/databases/claims/identities/link', { token: operator, body: { login: anonymous, to: login } })),
    '400 ERR_REQUEST_MALFORMED',
  )
  assert.equal(codeOf(await open.request('POST', '/v1/databases/claims/call/nothing', { body: { sender: login } })), '403 ERR_ACT_FOR_DENIED')
})

test('a web page that points its own name at the host cannot call without a token', async () => {
  await using open = await ApiFixture.start({ allowAnonymous: true })
  const body = '{}'
  const call = (name: string) =>
    open.raw(
      `POST /v1/databases/claims/call/nothing HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n${body}`,
    )
  for (const name of ['evil.example', 'evil.example:8000', '127.0.0.1.evil.example', 'localhost.evil.example', '']) {
    assert.match(await call(name), /ERR_TOKEN_MISSING/, name)
  }
  for (const name of ['127.0.0.1', '127.0.0.1:8000', 'localhost:8000', '[::1]:8000']) assert.match(await call(name), /^HTTP\/1.1 200/, name)
})

test('a sender in the arguments or the body is nobody without the right to act for others', async () => {
  const body = { args: ['x'], sender: { subject: 'bob' } }
  const denied = await host.request('POST', '/v1/databases/claims/query/echo_query', { token: tokens['person'] ?? '', body })
  assert.equal(codeOf(denied), '403 ERR_ACT_FOR_DENIED')
})

test('a token with act-for names the sender, and both are told to the shard', async () => {
  const token = await host.person('desk', { rights: ['act-for'], claims: { role: 'agent' } })
  const issuer = (await host.request('GET', '/v1/databases/claims/keys')).body.issuer
  const call = async (sender: unknown) => {
    const reply = await host.request('POST', '/v1/databases/claims/query/echo_query', { token, body: { args: ['x'], sender } })
    return reply.status === 200 ? host.shard.lastCaller() : codeOf(reply)
  }
  const shared = { actor: { issuer, subject: 'desk' }, assurance: 'claimed', channel: 'http', claims: { role: 'agent' } }
  assert.deepEqual(await call({ subject: 'sarah' }), { ...shared, sender: { issuer, subject: 'sarah' } })
  assert.deepEqual(await call({ issuer: 'tel', subject: '+15550100' }), { ...shared, sender: { issuer: 'tel', subject: '+15550100' } })
  assert.deepEqual(await call(undefined), { sender: { issuer, subject: 'desk' }, assurance: 'signed', channel: 'http', claims: { role: 'agent' } })
  for (const sender of [
    {},
    { subject: '' },
    { subject: 'a\nb' },
    { subject: 'x', issuer: 'anonymous' },
    { subject: 'x', role: 'admin' },
    'sarah',
    null,
    ['sarah'],
  ]) {
    assert.equal(await call(sender), '400 ERR_REQUEST_MALFORMED', JSON.stringify(sender))
  }
})

test('a rotated key signs at once, and a removed one refuses its tokens at once', async () => {
  await using fresh = await ApiFixture.start()
  const token = await fresh.operator()
  const [old] = (await fresh.request('GET', '/v1/databases/claims/keys')).body.keys
  const before = await fresh.person('sarah')
  const rotated = await fresh.request('POST', '/v1/databases/claims/keys/rotate', { token })
  assert.deepEqual(rotated.body.keys[1], old)
  const me = (one: string) => fresh.request('GET', '/v1/databases/claims/identities/me', { token: one })
  assert.equal((await me(before)).status, 200)
  assert.equal((await me(await fresh.person('sarah'))).status, 200)
  const removed = await fresh.request('DELETE', `/v1/databases/claims/keys/${old.kid}`, { token })
  assert.deepEqual(removed.body.keys, [rotated.body.keys[0]])
  assert.equal(codeOf(await me(before)), '401 ERR_TOKEN_INVALID')
  assert.equal(codeOf(await fresh.request('DELETE', `/v1/databases/claims/keys/${rotated.body.keys[0].kid}`, { token })), '409 ERR_KEY_IN_USE')
  assert.equal(codeOf(await fresh.request('DELETE', '/v1/databases/claims/keys/x%27%20OR%201=1', { token })), '404 ERR_KEY_UNKNOWN')
})

test('a database that was dropped and made anew refuses the tokens of the one before', async () => {
  await using fresh = await ApiFixture.start()
  const [token, before] = [await fresh.operator(), await fresh.person('sarah')]
  assert.equal((await fresh.request('GET', '/v1/databases/claims/identities/me', { token: before })).status, 200)
  await fresh.request('DELETE', '/v1/databases/claims', { token })
  assert.equal(codeOf(await fresh.request('GET', '/v1/databases/claims/identities/me', { token: before })), '401 ERR_TOKEN_AUDIENCE')
  assert.deepEqual((await fresh.request('POST', '/v1/databases', { token, body: { name: 'claims' } })).status, 201)
  assert.equal(codeOf(await fresh.request('GET', '/v1/databases/claims/identities/me', { token: before })), '401 ERR_TOKEN_AUDIENCE')
})
