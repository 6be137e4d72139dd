/** What may happen between the head of a request, on which it is let in, and the end of its body. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import test from 'node:test'

import * as limits from '../../host/limits.ts'
import { ApiFixture } from './api-fixture.ts'
import { codeOf } from './http-client.ts'

interface SlowRequest {
  readonly method: string
  readonly path: string
  readonly token: string
  readonly type: string
  readonly sizeBytes: number
}

/** Sends the head of a request; resolves when the host has read it. */
async function beginRequest(host: ApiFixture, { method, path, token, type, sizeBytes }: SlowRequest): Promise<Socket> {
  const socket = connect(host.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    `${method} ${path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nContent-Type: ${type}\r\nContent-Length: ${sizeBytes}\r\n\r\n`,
  )
  await once(socket, 'data')
  return socket
}

async function endRequest(socket: Socket, body: string): Promise<string> {
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk.toString()))
  socket.write(body)
  await once(socket, 'close')
  return answer
}

test('what was let in to a database does not act in another one that was given its name meanwhile', async () => {
  await using host = await ApiFixture.start()
  const [admin, publisher, sarah] = [await host.role('admin'), await host.role('publisher'), await host.person('sarah')]
  const tokenBody = '{"subject":"sarah","ttlSeconds":3600,"rights":["act-for"]}'
  const callBody = '{"args":["x"]}'
  const json = { type: 'application/json' }
  const begun = await Promise.all([
    beginRequest(host, { method: 'POST', path: '/v1/databases/claims/tokens', token: admin, ...json, sizeBytes: tokenBody.length }),
    beginRequest(host, { method: 'POST', path: '/v1/databases/claims/call/echo_string', token: sarah, ...json, sizeBytes: callBody.length }),
    beginRequest(host, { method: 'PUT', path: '/v1/databases/claims/module', token: publisher, type: 'application/wasm', sizeBytes: 4 }),
  ])
  await host.request('DELETE', '/v1/databases/claims', { token: admin })
  const made = await host.request('POST', '/v1/databases', { token: await host.role('admin', 'acme'), body: { name: 'claims' } })
  assert.equal(made.status, 201)
  const before = host.shard.sent.length
  for (const [index, body] of [tokenBody, callBody, '\0asm'].entries()) {
    const socket = begun[index]
    assert.ok(socket !== undefined)
    assert.match(await endRequest(socket, body), /ERR_DATABASE_UNKNOWN/)
  }
  assert.deepEqual(
    host.shard.sent.slice(before).filter(({ method }) => method !== 'open'),
    [],
  )
})

test('a publish that waited for a drop does not go to the database that came after it', async () => {
  await using host = await ApiFixture.start()
  const [operator, publisher] = [await host.operator(), await host.role('publisher')]
  let release: () => void = () => undefined
  const started = new Promise<void>((begun) => {
    host.shard.onPublish = () => {
      begun()
      return new Promise((resolve) => (release = resolve))
    }
  })
  const put = () => host.request('PUT', '/v1/databases/claims/module', { token: publisher, body: new Uint8Array(4) })
  const first = put()
  await started
  const drop = host.request('DELETE', '/v1/databases/claims', { token: operator })
  await host.request('GET', '/v1/health')
  const second = put()
  await host.request('GET', '/v1/health')
  release()
  assert.equal((await first).status, 200)
  assert.equal((await drop).status, 200)
  assert.equal(codeOf(await second), '404 ERR_DATABASE_UNKNOWN')
})

test("bodies that never end fill their own database's share of memory and no other", async () => {
  await using host = await ApiFixture.start()
  const [claims, other] = [await host.role('publisher'), await host.role('publisher', 'acme')]
  const upload = { method: 'PUT', type: 'application/wasm', sizeBytes: limits.componentSizeBytesMax }
  const sockets: Socket[] = []
  for (let taken = 0; taken + upload.sizeBytes <= limits.bodyBytesPerDatabaseMax; taken += upload.sizeBytes) {
    sockets.push(await beginRequest(host, { ...upload, path: '/v1/databases/claims/module', token: claims }))
  }
  const put = (database: string, token: string) => host.request('PUT', `/v1/databases/${database}/module`, { token, body: new Uint8Array(4) })
  assert.equal(codeOf(await put('claims', claims)), '503 ERR_BUSY')
  assert.equal((await put('other', other)).status, 200)
  for (const socket of sockets) socket.destroy()
  await host.request('GET', '/v1/health')
  assert.equal((await put('claims', claims)).status, 200)
})
