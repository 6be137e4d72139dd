/** PUT /v1/databases/:db/module: the one route that takes bytes instead of JSON. */
import { z } from 'zod'

import { HostError } from '../../errors.ts'
import * as limits from '../../limits.ts'
import { runPublish } from '../publish.ts'
import type { Routes } from './context.ts'
import { confirmDatabase, databaseGuard } from './database-guard.ts'
import { replyWithError } from './error-reply.ts'
import { hostVisitorOf } from './guard.ts'
import { expectQuery, malformed } from './json-body.ts'

const flags = z.strictObject({ 'dry-run': z.enum(['0', '1']).default('0') })

export const publishRoute: Routes = (server, context) => {
  const { catalogue, changes, facts, gate, logger, shardOf } = context

  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/wasm', { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes))
  server.setErrorHandler((error, request, reply) => replyWithError(logger)(asPublishError(error), request, reply))

  const publishers = databaseGuard(context, { roles: ['operator', 'publisher'], people: 'none' })
  server.put<{ Params: { db: string } }>('/v1/databases/:db/module', { ...publishers, bodyLimit: limits.componentSizeBytesMax }, async (request) => {
    const database = request.params.db
    const isDryRun = expectQuery(flags, request.query)['dry-run'] === '1'
    if (!(request.body instanceof Uint8Array)) throw wrongBody()
    const publish = { database, component: request.body, publishedBy: hostVisitorOf(request).subject, isDryRun }
    return changes.run(database, async () => {
      await confirmDatabase(context, request)
      const report = await runPublish(gate, shardOf(database), publish)
      if (isDryRun) return report
      facts.forgetModule(database)
      catalogue.noteModule(database, report.module, report.version)
      return report
    })
  })
}

function asPublishError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return wrongBody()
  if (code !== 'FST_ERR_CTP_BODY_TOO_LARGE') return error
  return new HostError('ERR_COMPONENT_TOO_LARGE', `a component is at most ${limits.componentSizeBytesMax} bytes: look at what the module brings along`)
}

function wrongBody(): HostError {
  return malformed('a publish takes the component as a body of Content-Type application/wasm')
}
