/** /v1/databases/:db/access/…: reports of one subject, exports of the whole log, checkpoints (docs/access-log.md). */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'

import { z } from 'zod'

import { parseTimestamp, timestampMax, timestampMin } from '../../clock.ts'
import * as limits from '../../limits.ts'
import { checkPurpose } from '../../purpose.ts'
import type { AccessReader, ShardAnswer } from '../../protocol/shard-protocol.ts'
import { callerOf } from './call-routes.ts'
import type { ApiContext, Routes } from './context.ts'
import { databaseGuard } from './database-guard.ts'
import type { DatabaseRequest } from './database-guard.ts'
import { byHost, visitorOf } from './guard.ts'
import { expectBody, expectQuery } from './json-body.ts'

const moment = z.string().transform((text, context): bigint => {
  const at = parseTimestamp(text)
  if (at !== undefined) return at
  context.addIssue('expected a time of RFC 3339')
  return z.NEVER
})
const reportBody = z.strictObject({
  subject: z.strictObject({ text: z.string().min(1).max(limits.accessKeyCharactersMax), issuer: z.string().optional() }).optional(),
  since: moment.optional(),
  until: moment.optional(),
  limit: z.number().int().min(1).max(limits.accessReportRowsMax).default(limits.accessReportRowsMax),
  purpose: z.string().optional(),
})

export const accessRoutes: Routes = (server, context) => {
  const readers = databaseGuard(context, { roles: ['operator', 'admin', 'auditor'], people: 'signed' })

  server.post<{ Params: { db: string } }>('/v1/databases/:db/access/report', readers, async (request, reply) => {
    const { subject, since = timestampMin, until = timestampMax, limit, purpose } = expectBody(reportBody, request.body)
    const { db } = request.params
    const by = await readerOf(context, request, purpose)
    const named = subject === undefined ? null : { text: subject.text, issuer: subject.issuer ?? (await context.facts.issuer(db)).id }
    const { body } = await context.shardOf(db).send(db, 'access', { subject: named, since: String(since), until: String(until), rowsMax: limit, by })
    return reply.type('application/json; charset=utf-8').send(Buffer.from(body))
  })

  const auditors = databaseGuard(context, { roles: ['operator', 'admin', 'auditor'], people: 'none' })

  server.get<{ Params: { db: string } }>('/v1/databases/:db/access/export', auditors, async (request, reply) => {
    const { purpose } = expectQuery(exportQuery, request.query)
    const by = { by: byHost(request), ...(purpose === undefined ? {} : { purpose: checkPurpose(purpose) }) }
    const lines = exported(context, request.params.db, by)
    // What is refused is refused before anything is sent.
    const { value: begin } = await lines.next()
    return reply.type('application/x-ndjson; charset=utf-8').send(Readable.from(rejoined(begin, lines), { objectMode: false }))
  })

  server.post<{ Params: { db: string } }>('/v1/databases/:db/access/checkpoint', auditors, async (request) => {
    const { db } = request.params
    expectBody(nothing, request.body)
    const { head } = await context.shardOf(db).send(db, 'checkpoint', { by: byHost(request) })
    return head
  })
}

const exportQuery = z.strictObject({ purpose: z.string().optional() })
const nothing = z.strictObject({}).optional()

/** The parts of an export one after the other, as they are wanted, and the signed line at their end. */
async function* exported({ shardOf }: ApiContext, name: string, by: { readonly by: string; readonly purpose?: string }): AsyncGenerator<Uint8Array> {
  const shard = shardOf(name)
  const hash = createHash('sha256')
  let after: string | null = null
  let first = '0'
  let count = 0
  let chain = ''
  for (;;) {
    const { head, body }: { head: ShardAnswer<'accessExport'>; body: Uint8Array } = await shard.send(name, 'accessExport', { name, after, ...by })
    if (count === 0 && head.count > 0) first = String(BigInt(head.last) - BigInt(head.count) + 1n)
    count += head.count
    // A part without records has none.
    if (head.count > 0) chain = head.chain
    hash.update(body)
    yield body
    after = head.last
    if (!head.isEnd && head.count > 0) continue
    const facts = { database: head.database, first, last: head.last, count, chain, sha256: hash.digest('hex') }
    const { head: footer } = await shard.send(name, 'accessFooter', { facts })
    return yield Buffer.from(footer.line)
  }
}

/** Somebody of the database, or an auditor of its tenant, who is nobody there. */
async function readerOf(context: ApiContext, request: DatabaseRequest, text: string | undefined): Promise<AccessReader> {
  const purpose = text === undefined ? {} : { purpose: checkPurpose(text) }
  const visitor = visitorOf(request)
  return visitor.kind === 'host' ? { host: visitor.subject, ...purpose } : { caller: await callerOf(context, request, undefined), ...purpose }
}

async function* rejoined(begin: Uint8Array | undefined, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (begin !== undefined) yield begin
  yield* rest
}
