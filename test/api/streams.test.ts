/** Answers that go on: followers of a log, and what becomes of requests when the host stops. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'node:test'

import type { LogEntry } from '../../host/protocol/shard-protocol.ts'
import { ApiFixture } from './api-fixture.ts'
import { fuelOfStandIn } from './stand-in-shard.ts'

function entry(seq: number, message = `message ${seq}`): LogEntry {
  return { seq, at: '2026-11-22T09:30:00.000000Z', level: 'info', reducer: 'remember_turn', message }
}

async function follow(host: ApiFixture, query = ''): Promise<{ response: Response; lines: AsyncGenerator<{ seq: number }> }> {
  const headers = { authorization: `Bearer ${await host.role('publisher')}` }
  const response = await fetch(`http://127.0.0.1:${host.port}/v1/databases/claims/logs?follow=1${query}`, { headers })
  return { response, lines: linesOf(response) }
}

async function* linesOf(response: Response): AsyncGenerator<{ seq: number }> {
  let rest = ''
  for await (const chunk of response.body ?? []) {
    rest += Buffer.from(chunk).toString()
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line)
  }
}

test('a follower learns at once that it follows, and gets each entry as it is written', async () => {
  await using host = await ApiFixture.start()
  const { response, lines } = await follow(host)
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^application\/x-ndjson/)
  host.logs.append('claims', [entry(1)])
  assert.deepEqual((await lines.next()).value, entry(1))
  host.logs.append('claims', [entry(2), entry(3)])
  assert.equal((await lines.next()).value?.seq, 2)
  assert.equal((await lines.next()).value?.seq, 3)
})

test('without follow the log is what there is now', async () => {
  await using host = await ApiFixture.start()
  host.logs.append('claims', [entry(1), entry(2)])
  const reply = await host.request('GET', '/v1/databases/claims/logs?after=1', { token: await host.role('publisher') })
  assert.equal(reply.body, `${JSON.stringify(entry(2))}\n`)
})

test('a follower that reads slower than the module writes is cut, and the others are not', async () => {
  await using host = await ApiFixture.start()
  const { lines } = await follow(host)
  const token = await host.role('publisher')
  const slow = connect(host.port, '127.0.0.1')
  slow.write(`GET /v1/databases/claims/logs?follow=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  await once(slow, 'data')
  slow.pause()
  const cut = once(slow, 'close')
  slow.on('error', () => undefined)
  // As much as both kernels buffer for a reader that does not read, and then more than we do.
  for (let seq = 1; seq <= 4_000; seq++) {
    host.logs.append('claims', [entry(seq, 'x'.repeat(4_000))])
    assert.equal((await lines.next()).value?.seq, seq)
  }
  slow.resume()
  await cut
  host.logs.append('claims', [entry(4_001)])
  assert.equal((await lines.next()).value?.seq, 4_001)
})

test('a follower gets nothing more once its token has expired', async () => {
  await using host = await ApiFixture.start()
  const { lines } = await follow(host)
  host.logs.append('claims', [entry(1)])
  assert.equal((await lines.next()).value?.seq, 1)
  host.clock.seconds += 3_600
  host.logs.append('claims', [entry(2)])
  assert.equal((await lines.next()).done, true)
})

test('a stopping host ends its followers, answers what runs, takes nothing more, and cuts nobody off', async () => {
  const host = await ApiFixture.start()
  const [sarah, { lines }] = [await host.person('sarah'), await follow(host)]
  let cuts = 0
  host.api.server.closeAllConnections = () => void cuts++
  let finish: () => void = () => undefined
  const started = new Promise<void>((resolve) => {
    host.shard.onCall = (_head, body) =>
      new Promise((answer) => {
        finish = () => answer(body)
        resolve()
      })
  })
  const running = host.request('POST', '/v1/databases/claims/call/echo_u8', { token: sarah, body: { args: [1] } })
  await started
  const closed = host.api.close()
  assert.equal((await lines.next()).done, true)
  await assert.rejects(host.request('GET', '/v1/health'))
  finish()
  assert.deepEqual((await running).body, { result: 1, version: 1, fuel: fuelOfStandIn })
  await closed
  assert.equal(cuts, 0)
  host.catalogue.close()
})

test('a request that was on its way when the host stopped is told to come back', async () => {
  const host = await ApiFixture.start()
  const socket = connect(host.port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk.toString()))
  socket.write('GET /v1/health HTTP/1.1\r\nHost: x\r\n')
  await host.request('GET', '/v1/health')
  const closed = host.api.close()
  socket.write('\r\n')
  await once(socket, 'close')
  assert.match(answer, /^HTTP\/1.1 503 [^]*ERR_BUSY/)
  await closed
  host.catalogue.close()
})
