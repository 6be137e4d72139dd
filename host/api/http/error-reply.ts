/**
 * Every way a request can end badly, as one form: a HostError gives its own code and message; what
 * fastify refused gets the code of ours that fits; anything else is a bug, so that its story goes to
 * the log under an id and the caller gets the id.
 */
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { inspect } from 'node:util'

import type { FastifyReply, FastifyRequest } from 'fastify'

import { HostError } from '../../errors.ts'
import type { Logger } from '../ports.ts'

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly detail: HostError['detail'] }
}

export function errorBody({ code, message, detail }: HostError): ErrorBody {
  return { error: { code, message, detail } }
}

/** A fastify error handler. */
export function replyWithError(logger: Logger): (error: unknown, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => {
    const known = asHostError(error)
    const told = known === undefined || known.code === 'ERR_INTERNAL' ? internalError(logger, error, request) : known
    if (told.status === 401) reply.header('www-authenticate', 'Bearer')
    if (told.code === 'ERR_BUSY') reply.header('retry-after', '1')
    reply.code(told.status).send(errorBody(told))
  }
}

/** For a request that no route takes: the method may be the reason. */
export function unknownRoute(request: FastifyRequest): HostError {
  const path = request.url.split('?')[0] ?? ''
  return new HostError('ERR_ROUTE_UNKNOWN', `nothing answers ${request.method} ${JSON.stringify(path.slice(0, 200))}: see docs/api.md`)
}

function asHostError(error: unknown): HostError | undefined {
  if (error instanceof HostError) return error
  if (!(error instanceof Error) || !('code' in error) || !('statusCode' in error)) return undefined
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HostError('ERR_REQUEST_TOO_LARGE', 'the body is larger than this takes: send less at once')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return malformed('this takes a body of Content-Type application/json')
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return malformed('the path is not one of this API: see docs/api.md')
    default:
      return typeof error.statusCode === 'number' && error.statusCode < 500 ? malformed('the request is not one this can read') : undefined
  }
}

/** Nothing of the error itself is told: it may hold rows, paths or keys. */
function internalError(logger: Logger, error: unknown, request: FastifyRequest): HostError {
  const id = randomUUID()
  logger.error('a request failed inside the host', { id, method: request.method, route: request.routeOptions.url ?? '', error: inspect(error) })
  return new HostError('ERR_INTERNAL', `the host failed; its log says more under ${id}`, { detail: { id } })
}

/** Answers what did not even parse as HTTP: smuggled, slow or oversized headers (ATTACKS 82, 90). */
export function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || socket.destroyed) return
  const refused =
    error.code === 'HPE_HEADER_OVERFLOW' ? new HostError('ERR_REQUEST_TOO_LARGE', 'the headers are too large') : malformed(clientFault(error.code))
  const body = JSON.stringify(errorBody(refused))
  socket.end(
    `HTTP/1.1 ${refused.status} Refused\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}

function clientFault(code: string | undefined): string {
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'the request did not arrive in time' : 'this is not HTTP/1.1'
}

function malformed(message: string): HostError {
  return new HostError('ERR_REQUEST_MALFORMED', message)
}
