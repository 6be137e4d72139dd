/**
 * The HTTP server: every bound on a connection, the JSON parser, the error handler, and the routes.
 * Routes are grouped by what they are about, one file each; docs/api.md is their specification.
 */
import type { Server } from 'node:http'

import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'

import { assert, HostError } from '../../errors.ts'
import * as limits from '../../limits.ts'
import { Admission } from '../admission.ts'
import { DatabaseFacts } from '../database-facts.ts'
import type { ApiOptions } from '../ports.ts'
import { NamedQueue } from '../publish.ts'
import { BodyBudget } from './body-budget.ts'
import { accessRoutes } from './access-routes.ts'
import { callRoutes } from './call-routes.ts'
import type { ApiContext } from './context.ts'
import { databaseRoutes } from './database-routes.ts'
import { refuseConnection, replyWithError, unknownRoute } from './error-reply.ts'
import { identityRoutes } from './identity-routes.ts'
import { malformed, parseJsonBody } from './json-body.ts'
import { keyRoutes } from './key-routes.ts'
import { limitRoutes } from './limit-routes.ts'
import { logRoute } from './log-route.ts'
import { publishRoute } from './publish-route.ts'
import { sessionRoutes } from './session-routes.ts'
import { sqlRoute } from './sql-route.ts'
import { tenantRoutes } from './tenant-routes.ts'

export interface Api {
  /** For what speaks more than requests and answers on the same port. */
  readonly server: Server
  /** Takes requests at `address` (an IP address); port 0 is any free one. */
  listen(port: number, address: string): Promise<{ readonly address: string; readonly port: number }>
  /** Takes no more requests, lets those that run end, and cuts off what is left after shutdownTimeMsMax. */
  close(): Promise<void>
}

export function createApi(options: ApiOptions): Api {
  const facts = options.facts ?? new DatabaseFacts(options.shardOf)
  const admission = new Admission({ ...options, facts })
  const server = createServer(options)
  addRoutes(server, { ...options, facts, admission, bodies: new BodyBudget(), changes: new NamedQueue() })
  return {
    server: server.server,
    async listen(port, host) {
      await server.listen({ port, host })
      const address = server.server.address()
      assert(typeof address === 'object' && address !== null, 'a TCP server has an address')
      return { address: address.address, port: address.port }
    },
    close: () => closeServer(server, options),
  }
}

function createServer({ logger }: ApiOptions): FastifyInstance {
  const server = Fastify({
    bodyLimit: limits.requestBodyBytesMax,
    requestTimeout: limits.requestTimeMsMax,
    connectionTimeout: limits.socketIdleMsMax,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 200 },
    http: { headersTimeout: limits.requestTimeMsMax, maxHeaderSize: 2 * limits.tokenSizeBytesMax, keepAlive: true, requireHostHeader: false },
    clientErrorHandler: refuseConnection,
    frameworkErrors: replyWithError(logger),
  })
  server.server.maxConnections = limits.connectionsMax
  server.setErrorHandler(replyWithError(logger))
  server.setNotFoundHandler((request) => {
    throw unknownRoute(request)
  })
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, bytes: Buffer) => parseJsonBody(bytes))
  addBoundaryHooks(server)
  return server
}

function addBoundaryHooks(server: FastifyInstance): void {
  let isClosing = false
  server.addHook('preClose', async () => {
    isClosing = true
  })
  // A connection that stays open after its answer would hold up the end.
  server.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close')
  })
  server.addHook('onRequest', async (request, reply) => {
    // No page of another origin may read an answer, and no cache may keep one.
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    if (isClosing) throw new HostError('ERR_BUSY', 'the host is stopping: come back when it runs again')
    if (request.headers.host === undefined) throw malformed('a request names its host')
    if (request.headers['content-encoding'] !== undefined) throw malformed('a compressed body is not taken: send it as it is')
  })
}

function addRoutes(server: FastifyInstance, context: ApiContext): void {
  server.get('/v1/health', () => ({ status: 'ok', version: context.version, databases: context.catalogue.databaseCount() }))
  tenantRoutes(server, context)
  databaseRoutes(server, context)
  callRoutes(server, context)
  sqlRoute(server, context)
  accessRoutes(server, context)
  sessionRoutes(server, context)
  keyRoutes(server, context)
  limitRoutes(server, context)
  identityRoutes(server, context)
  logRoute(server, context)
  // A scope of its own: it has another body parser.
  server.register(async (scope) => publishRoute(scope, context))
}

async function closeServer(server: FastifyInstance, { logs }: ApiOptions): Promise<void> {
  logs.close()
  const cut = setTimeout(() => server.server.closeAllConnections(), limits.shutdownTimeMsMax)
  try {
    await server.close()
  } finally {
    clearTimeout(cut)
  }
}
