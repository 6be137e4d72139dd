/** What the record of a call of one insert costs, by part: its payload, its header with hash and chain, and a remembered call id. */
import { randomUUID } from 'node:crypto'

import type { LocalHost } from '../host/index.ts'
import { RecordBatch } from '../host/log/record-batch.ts'
import { firstChain } from '../host/log/record.ts'
import { spread } from './measure.ts'

const batchSize = 64
const batches = 400
/** About what a call of one 100-byte row leaves. */
const payloadBytes = 300

export async function recordCosts(host: LocalHost): Promise<Record<string, number>> {
  const database = await host.database('d1-0')
  const sender = await database.as({ subject: 'costs' })
  const content = 'the water is in the basement'
  const bare: number[] = []
  const withId: number[] = []
  for (let round = 0; round < 60; round++) {
    bare.push(await perCall(() => sender.call('remember_turn', { content })))
    withId.push(await perCall(() => sender.call('remember_turn', { content }, { id: randomUUID() })))
  }
  return {
    'record: header, hash and chain': spread(Array.from({ length: batches }, encodeBatch)).p50,
    'call in a batch of 64': spread(bare).p50,
    'the same with a call id and its stored result': spread(withId).p50,
  }
}

async function perCall(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await Promise.all(Array.from({ length: batchSize }, call))
  return ((performance.now() - start) / batchSize) * 1_000
}

const uid = new Uint8Array(16).fill(1)
const sections = new Uint8Array(payloadBytes)
const head = {
  kind: 'call',
  schemaVersion: 1,
  epoch: 1n,
  database: uid,
  tenant: uid,
  timestamp: 1n,
  seed: [1n, 2n],
  fuel: 10_000,
  moduleHash: new Uint8Array(32),
  policyVersion: 0,
  fuelSchedule: 1,
  hostVersion: 1,
  sqliteVersion: 3_054_000,
  callKey: uid,
} as const
const batch = new RecordBatch()

/** Microseconds a record. */
function encodeBatch(): number {
  batch.reset()
  let chain = firstChain(uid)
  const start = performance.now()
  for (let record = 1; record <= batchSize; record++) chain = batch.add({ ...head, position: BigInt(record) }, sections, chain)
  batch.stamp(1n, 1n)
  return ((performance.now() - start) / batchSize) * 1_000
}
