/** ATTACKS 19, 58, 63, 72, 79, 82, 83, 89, 90: what arrives before anything of ours is asked. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, afterEach, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'

import * as limits from '../../host/limits.ts'
import { ApiFixture } from './api-fixture.ts'
import { codeOf } from './http-client.ts'

let host: ApiFixture
let sarah: string
let publisher: string
const call = '/v1/databases/claims/call/echo_string'

before(async () => {
  host = await ApiFixture.start()
  sarah = await host.person('sarah')
  publisher = await host.role('publisher')
})
after(() => host[Symbol.asyncDispose]())

afterEach(async () => {
  assert.deepEqual(host.failures, [])
  assert.equal((await host.request('POST', call, { token: sarah, body: { args: ['still here'] } })).status, 200)
})

test('what is not JSON in UTF-8 is refused and nothing is replaced', async () => {
  const bodies = ['', '{', '{"args":["x"]', "{'args':[]}", '{"args":["x"]}x', 'null', '5', '"x"', '[]', '{"args":NaN}', '{"args":["x"],"more":1}']
  for (const body of bodies) assert.equal(codeOf(await host.request('POST', call, { token: sarah, body })), '400 ERR_REQUEST_MALFORMED', body)
  for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xc0, 0x80]]) {
    const body = Buffer.concat([Buffer.from('{"args":["'), Buffer.from(bytes), Buffer.from('"]}')])
    const reply = await host.request('POST', call, { token: sarah, body, headers: { 'content-type': 'application/json' } })
    assert.equal(codeOf(reply), '400 ERR_REQUEST_MALFORMED')
  }
})

test('a body may nest 64 deep and no deeper', async () => {
  const nested = (depth: number) => `{"args":{"value":${'['.repeat(depth)}${']'.repeat(depth)}}}`
  assert.equal(codeOf(await host.request('POST', call, { token: sarah, body: nested(limits.jsonDepthMax - 2) })), '400 ERR_ARGUMENT_TYPE')
  for (const depth of [limits.jsonDepthMax - 1, 10_000, 900_000]) {
    assert.equal(codeOf(await host.request('POST', call, { token: sarah, body: nested(depth) })), '400 ERR_REQUEST_MALFORMED')
  }
})

test('members that mean something to JavaScript are refused and change no prototype', async () => {
  for (const body of [
    '{"__proto__":{"args":["x"]}}',
    '{"args":{"__proto__":{"value":"x"}}}',
    '{"args":{"value":"x","__proto__":null}}',
    '{"args":{"\\u005f_proto__":1}}',
  ]) {
    assert.equal(codeOf(await host.request('POST', call, { token: sarah, body })), '400 ERR_REQUEST_MALFORMED', body)
  }
  for (const name of ['constructor', 'toString', 'hasOwnProperty', 'then']) {
    assert.equal(codeOf(await host.request('POST', call, { token: sarah, body: { args: { value: 'x', [name]: 'y' } } })), '400 ERR_ARGUMENT_COUNT')
    assert.equal(codeOf(await host.request('POST', `/v1/databases/claims/call/${name}`, { token: sarah, body: {} })), '404 ERR_REDUCER_UNKNOWN')
  }
  assert.equal(Object.hasOwn(Object.prototype, 'value'), false)
})

test('a form of another site is refused: only JSON and components are taken, and no origin is let in', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/json', 'application/json+x']) {
    const reply = await host.request('POST', call, { token: sarah, body: '{"args":["x"]}', headers: { 'content-type': type } })
    assert.equal(codeOf(reply), '400 ERR_REQUEST_MALFORMED', type)
  }
  const bare = await host.raw(
    `POST ${call} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${sarah}\r\nContent-Length: 14\r\n\r\n{"args":["x"]}`,
  )
  assert.match(bare, /ERR_REQUEST_MALFORMED/)
  const reply = await host.request('POST', call, { token: sarah, body: { args: ['x'] }, headers: { origin: 'https://evil.example' } })
  assert.equal(
    [...reply.headers.keys()].some((name) => name.startsWith('access-control')),
    false,
  )
  assert.equal(
    codeOf(await host.request('OPTIONS', call, { headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' } })),
    '404 ERR_ROUTE_UNKNOWN',
  )
})

test('a publish takes a component and nothing else', async () => {
  const path = '/v1/databases/claims/module'
  for (const type of ['application/json', 'text/plain', 'application/octet-stream', 'application/x-www-form-urlencoded']) {
    const reply = await host.request('PUT', path, { token: publisher, body: '{}', headers: { 'content-type': type } })
    assert.equal(codeOf(reply), '400 ERR_REQUEST_MALFORMED', type)
  }
  assert.equal(codeOf(await host.request('PUT', path, { token: publisher })), '400 ERR_REQUEST_MALFORMED')
})

test('no answer may be kept or sniffed', async () => {
  for (const reply of [await host.request('GET', '/v1/health'), await host.request('GET', '/nothing')]) {
    assert.equal(reply.headers.get('cache-control'), 'no-store')
    assert.equal(reply.headers.get('x-content-type-options'), 'nosniff')
  }
})

test('compressed bodies are not taken, so that none can inflate', async () => {
  const bomb = gzipSync(Buffer.alloc(10_000_000))
  for (const encoding of ['gzip', 'br', 'deflate', 'identity, gzip', 'GZIP', 'zstd']) {
    assert.equal(
      codeOf(await host.request('POST', call, { token: sarah, body: bomb, headers: { 'content-encoding': encoding, 'content-type': 'application/json' } })),
      '400 ERR_REQUEST_MALFORMED',
    )
  }
  assert.equal(
    codeOf(await host.request('PUT', '/v1/databases/claims/module', { token: publisher, body: bomb, headers: { 'content-encoding': 'gzip' } })),
    '400 ERR_REQUEST_MALFORMED',
  )
})

test('a body larger than its route takes is refused, announced or not', async () => {
  const text = JSON.stringify({ args: ['x'.repeat(limits.requestBodyBytesMax)] })
  assert.equal(codeOf(await host.request('POST', call, { token: sarah, body: text })), '413 ERR_REQUEST_TOO_LARGE')
  const component = new Uint8Array(limits.componentSizeBytesMax + 1)
  assert.equal(codeOf(await host.request('PUT', '/v1/databases/claims/module', { token: publisher, body: component })), '413 ERR_COMPONENT_TOO_LARGE')
  assert.match(
    await host.raw(chunked('/v1/databases/claims/module', publisher, 'PUT', 'application/wasm'), ...chunks(limits.componentSizeBytesMax + 1)),
    /^HTTP\/1.1 413 [^]*ERR_COMPONENT_TOO_LARGE/,
  )
  assert.match(
    await host.raw(chunked(call, sarah, 'POST', 'application/json'), ...chunks(limits.requestBodyBytesMax + 1)),
    /^HTTP\/1.1 413 [^]*ERR_REQUEST_TOO_LARGE/,
  )
})

test('an upload of 100 MB is answered without being read to its end', async () => {
  const component = new Uint8Array(100 * 1024 * 1024)
  assert.equal(codeOf(await host.request('PUT', '/v1/databases/claims/module', { token: publisher, body: component })), '413 ERR_COMPONENT_TOO_LARGE')
  assert.equal(codeOf(await host.request('PUT', '/v1/databases/claims/module', { token: sarah, body: component })), '403 ERR_RIGHT_MISSING')
  assert.equal(codeOf(await host.request('PUT', '/v1/databases/claims/module', { body: component })), '401 ERR_TOKEN_MISSING')
})

test('who may not publish is told so before the body is read', async () => {
  const head = `PUT /v1/databases/claims/module HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${sarah}\r\nContent-Type: application/wasm\r\nContent-Length: 8000000\r\n\r\n`
  assert.match(await firstAnswer(head), /^HTTP\/1.1 403 [^]*ERR_RIGHT_MISSING/)
})

test('a body that announces less or more than it has is refused', async () => {
  const request = (length: string) =>
    `POST ${call} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${sarah}\r\nContent-Type: application/json\r\n${length}\r\n\r\n{"args":["x"]}`
  assert.match(await host.raw(request('Content-Length: 10')), /ERR_REQUEST_MALFORMED/)
  for (const length of [
    'Content-Length: -1',
    'Content-Length: 1e3',
    'Content-Length: 0x10',
    'Content-Length: 14\r\nContent-Length: 15',
    'Content-Length: 14, 14',
  ]) {
    assert.match(await host.raw(request(length)), /^HTTP\/1.1 400 [^]*ERR_REQUEST_MALFORMED/, length)
  }
})

test('a request that hides another one is refused and the connection closed', async () => {
  const hidden = 'GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n'
  const head = `POST ${call} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${sarah}\r\nContent-Type: application/json\r\n`
  const attacks = [
    `${head}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${head}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${hidden}`,
    `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${hidden}`,
    `${head}Content-Length: 0\r\nX: a\rb\r\n\r\n${hidden}`,
    `${head}Content-Length: 0\nX: a\n\n${hidden}`,
    `GET /v1/health HTTP/1.1\r\nConnection: close\r\n\r\n`,
    `\u0016\u0003\u0001 not http at all\r\n\r\n`,
  ]
  for (const attack of attacks) {
    const answer = await host.raw(attack)
    assert.match(answer, /^HTTP\/1.1 400 [^]*ERR_REQUEST_MALFORMED/, JSON.stringify(attack))
    assert.equal(answer.includes('"status":"ok"'), false)
  }
})

test('headers beyond their bound are refused', async () => {
  assert.match(await host.raw(`GET /v1/health HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), /ERR_REQUEST_TOO_LARGE/)
  const token = 'x'.repeat(limits.tokenSizeBytesMax + 1)
  assert.equal(codeOf(await host.request('GET', '/v1/databases', { token })), '401 ERR_TOKEN_INVALID')
})

test('slow headers, slow bodies and idle sockets have an end', () => {
  const { server } = host.api
  assert.equal(server.headersTimeout, limits.requestTimeMsMax)
  assert.equal(server.requestTimeout, limits.requestTimeMsMax)
  assert.equal(server.timeout, limits.socketIdleMsMax)
  assert.equal(server.maxConnections, limits.connectionsMax)
})

test('a database is never a path', async () => {
  const names = [
    '..',
    '../claims',
    '..%2f..%2fetc',
    'Claims',
    'cla_ims',
    '-claims',
    '1claims',
    'claims%00',
    'cl%C3%A0ims',
    '\u0441laims',
    'claims.',
    'x'.repeat(64),
    '%2e%2e',
    'claims%0a',
    'claims ',
  ]
  for (const name of names) {
    const reply = await host.request('GET', `/v1/databases/${encodeURI(name).replaceAll('%25', '%')}/schema`, { token: sarah })
    assert.ok([400, 404].includes(reply.status) && /ERR_(DATABASE_NAME|ROUTE_UNKNOWN|REQUEST_MALFORMED)/.test(codeOf(reply)), `${name}: ${codeOf(reply)}`)
  }
  const operator = await host.operator()
  for (const name of [...names, '', '__proto__', 'constructor!']) {
    assert.equal(codeOf(await host.request('POST', '/v1/databases', { token: operator, body: { name } })), '400 ERR_DATABASE_NAME', name)
    assert.equal(codeOf(await host.request('POST', '/v1/tenants', { token: operator, body: { name } })), '400 ERR_TENANT_NAME', name)
  }
})

test('paths and methods that are none of ours are told where the API is described', async () => {
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/v1'],
    ['GET', '/v2/health'],
    ['PATCH', '/v1/databases'],
    ['GET', call],
    ['HEAD', '/v1/health'],
    ['GET', '/v1/health/'],
    ['GET', '/V1/health'],
  ] as const) {
    const reply = await host.request(method, path)
    assert.equal(reply.status, 404, `${method} ${path}`)
    if (method !== 'HEAD') assert.match(reply.body.error.message, /docs\/api\.md/)
  }
  assert.match(await host.raw('GET /v1/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), /^HTTP\/1.1 400 [^]*ERR_REQUEST_MALFORMED/)
})

test('unknown members of a query string are refused', async () => {
  assert.equal(
    codeOf(await host.request('PUT', '/v1/databases/claims/module?dry_run=1', { token: publisher, body: new Uint8Array(8) })),
    '400 ERR_REQUEST_MALFORMED',
  )
  assert.equal(
    codeOf(await host.request('PUT', '/v1/databases/claims/module?dry-run=yes', { token: publisher, body: new Uint8Array(8) })),
    '400 ERR_REQUEST_MALFORMED',
  )
  for (const query of ['after=-1', 'after=1e9', 'after=x', 'follow=2', 'follow=1&follow=0', 'after=9999999999999999999']) {
    assert.equal(codeOf(await host.request('GET', `/v1/databases/claims/logs?${query}`, { token: publisher })), '400 ERR_REQUEST_MALFORMED', query)
  }
})

function chunked(path: string, token: string, method: string, type: string): string {
  return `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`
}

/** At least so many bytes of body, without their end. */
function chunks(sizeBytes: number): Buffer[] {
  const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x100000, 0x20), Buffer.from('\r\n')])
  return Array.from({ length: Math.ceil(sizeBytes / 0x100000) }, () => chunk)
}

/** What comes back first, while nothing more is sent. */
function firstAnswer(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(host.port, '127.0.0.1', () => socket.write(text))
    socket.on('error', reject)
    socket.once('data', (chunk) => {
      resolve(chunk.toString('latin1'))
      socket.destroy()
    })
  })
}
