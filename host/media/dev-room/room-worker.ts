/** Entry of the dev room's worker thread: packets are forwarded here, so that the main thread only has its own sessions. */
import { parentPort, workerData } from 'node:worker_threads'

import { systemClock } from '../../clock.ts'
import { assert } from '../../errors.ts'
import type { RoomKey } from '../../auth/room-token.ts'
import { RoomServer } from './room-server.ts'

export type RoomWorkerData = { readonly address: string; readonly key: RoomKey }
export type RoomRequest = 'close' | 'counts'
export type RoomNews =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failure'; readonly message: string }
  | { readonly kind: 'closed' }
  | { readonly kind: 'counts'; readonly rooms: number; readonly participants: number }

const port = parentPort
assert(port !== null, 'this file runs in a worker thread')
const { address, key } = workerData as RoomWorkerData
const tell = (news: RoomNews): void => port.postMessage(news)
const server = new RoomServer({ address, key, clock: systemClock, onFailure: (message) => tell({ kind: 'failure', message }) })

port.on('message', (request: RoomRequest) => {
  if (request === 'counts') return tell({ kind: 'counts', ...server.counts })
  void server.close().then(() => tell({ kind: 'closed' }))
})
tell({ kind: 'listening', port: await server.listen() })
