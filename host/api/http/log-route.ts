/** GET /v1/databases/:db/logs: what a module wrote, as NDJSON, and with follow=1 what it writes from now on. */
import type { ServerResponse } from 'node:http'

import { z } from 'zod'

import { seconds } from '../../clock.ts'
import * as limits from '../../limits.ts'
import type { Follower } from '../log-book.ts'
import type { Routes } from './context.ts'
import { databaseGuard } from './database-guard.ts'
import { hostVisitorOf } from './guard.ts'
import { expectQuery } from './json-body.ts'

const logQuery = z.strictObject({
  follow: z.enum(['0', '1']).default('0'),
  after: z
    .string()
    .regex(/^\d{1,15}$/, 'a number of a log entry')
    .default('0'),
})
const ndjson = 'application/x-ndjson; charset=utf-8'

export const logRoute: Routes = (server, context) => {
  const { clock, logs } = context
  const readers = databaseGuard(context, { roles: ['operator', 'admin', 'publisher'], people: 'none' })

  server.get<{ Params: { db: string } }>('/v1/databases/:db/logs', readers, (request, reply) => {
    const { follow, after } = expectQuery(logQuery, request.query)
    if (follow === '0') return reply.type(ndjson).send(logs.read(request.params.db, Number(after)))
    const stream = new FollowerStream(reply.raw, () => seconds(clock) < hostVisitorOf(request).expiresAt)
    const leave = logs.follow(request.params.db, Number(after), stream)
    reply.raw.once('close', leave)
    reply.hijack()
    stream.start()
    return reply
  })
}

/** A response that goes on until its reader leaves, or reads slower than the module writes. */
class FollowerStream implements Follower {
  readonly #response: ServerResponse
  readonly #isAllowed: () => boolean

  /** Nothing is written any more once `isAllowed` says no: the reader's token has a time. */
  constructor(response: ServerResponse, isAllowed: () => boolean) {
    this.#response = response
    this.#isAllowed = isAllowed
  }

  write(lines: string): void {
    if (!this.#isAllowed()) return this.end()
    this.start()
    this.#response.write(lines)
    // Ending it in order would keep what nobody reads; cut off, it can come back with `after`.
    if (this.#response.writableLength > limits.logFollowerBytesMax) this.#response.destroy()
  }

  end(): void {
    this.start()
    this.#response.end()
  }

  /** The reader learns at once that it follows, although nothing was written yet. */
  start(): void {
    if (this.#response.headersSent) return
    this.#response.writeHead(200, { 'content-type': ndjson, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', connection: 'close' })
    this.#response.flushHeaders()
    // Standing still is what a follower does.
    this.#response.socket?.setTimeout(0)
  }
}
