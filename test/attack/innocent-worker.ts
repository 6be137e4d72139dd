/** The innocent's traffic, in a thread of its own: what the attackers' side does must not make its clock stand still. */
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { inspect } from 'node:util'
import { parentPort, workerData } from 'node:worker_threads'

import { HttpClient } from '../api/http-client.ts'
import type { Reply } from '../api/http-client.ts'

export interface InnocentData {
  readonly port: number
  readonly database: string
  readonly token: string
}

/** One request that was answered in `tookMs`, or what was wrong with one. */
export type InnocentReport = { readonly kind: 'served'; readonly tookMs: number } | { readonly kind: 'disturbed'; readonly how: string }

/** Between two requests: constant traffic, and cores left for the attacks. */
const PAUSE_MS = 5

const { port, database, token } = workerData as InnocentData
const host = new HttpClient()
host.port = port
let turns = 0
const leaving = new AbortController()
parentPort?.once('message', () => leaving.abort())
await live()

async function live(): Promise<void> {
  while (!leaving.signal.aborted) {
    await timed(remember)
    await timed(recall)
    await setTimeout(PAUSE_MS)
  }
}

async function timed(request: () => Promise<void>): Promise<void> {
  const started = performance.now()
  try {
    await request()
    report({ kind: 'served', tookMs: performance.now() - started })
  } catch (error) {
    report({ kind: 'disturbed', how: inspect(error) })
  }
}

function report(what: InnocentReport): void {
  parentPort?.postMessage(what)
}

async function remember(): Promise<void> {
  const reply = await post('call/remember_turn', { content: `turn ${turns + 1}` })
  assert.equal(reply.status, 200, JSON.stringify(reply.body))
  turns += 1
}

async function recall(): Promise<void> {
  const reply = await post('query/last_turns', { limit: 3 })
  assert.equal(reply.status, 200, JSON.stringify(reply.body))
  const said = reply.body.result.map((turn: { content: string }) => turn.content)
  const expected = [turns - 2, turns - 1, turns].filter((turn) => turn > 0).map((turn) => `turn ${turn}`)
  assert.deepEqual(said, expected)
}

function post(path: string, args: object): Promise<Reply> {
  return host.request('POST', `/v1/databases/${database}/${path}`, { token, body: { args } })
}
