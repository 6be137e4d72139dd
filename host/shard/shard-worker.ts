/** The worker thread's side of a shard: frames in, frames out, ShardCore between. */
import { parentPort, workerData } from 'node:worker_threads'

import { systemClock } from '../clock.ts'
import { assert, HostError } from '../errors.ts'
import { decodeFrame, encodeFrame } from '../protocol/frame.ts'
import type { ShardMethod, ShardRequest } from '../protocol/shard-protocol.ts'
import { ShardCore } from './shard-core.ts'
import type { AnswerHead, RequestHead, ShardWorkerData } from './worker-protocol.ts'

const port = parentPort
assert(port !== null, 'a shard worker runs in a worker thread')
const { data, lanes, instances, logLimits } = workerData as ShardWorkerData

const core = new ShardCore({ data, lanes, instances, logLimits, clock: systemClock, onEvent: (event) => post({ kind: 'event', event }) })

void core.begin()

port.on('message', (bytes: Uint8Array) => {
  const { head, body } = decodeFrame(bytes)
  void answer(head as RequestHead, body)
})

async function answer({ id, database, method, head }: RequestHead, body: Uint8Array): Promise<void> {
  try {
    if (method === 'stop') {
      await core.close()
      return post({ kind: 'answer', id, head: {} })
    }
    if (method === 'ping') return post({ kind: 'answer', id, head: {} })
    const result = await core.handle(database, method, head as ShardRequest<ShardMethod>, body)
    post({ kind: 'answer', id, head: result.head }, result.body)
  } catch (error) {
    post({ kind: 'error', id, ...describe(error) })
  }
}

function describe(error: unknown): { code: string; message: string; detail: HostError['detail']; stack?: string } {
  if (error instanceof HostError) return { code: error.code, message: error.message, detail: error.detail }
  return { code: 'ERR_INTERNAL', message: 'the shard failed', detail: {}, stack: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

function post(head: AnswerHead, body?: Uint8Array): void {
  const frame = encodeFrame(head, body)
  port?.postMessage(frame, [frame.buffer])
}
