/**
 * What a request shows of its sender, and the hook that lets it in or refuses it before its body is
 * read. A handler asks for the outcome with `visitorOf`.
 */
import { isIP } from 'node:net'

import type { FastifyRequest } from 'fastify'

import type { HostPrincipal } from '../../auth/principal.ts'
import { assert, HostError } from '../../errors.ts'
import type { Credentials, Visitor } from '../admission.ts'

const visitors = new WeakMap<FastifyRequest, Visitor>()

/** A fastify onRequest hook. */
export function guard<R extends FastifyRequest>(admit: (credentials: Credentials, request: R) => Promise<Visitor>): (request: R) => Promise<void> {
  return async (request) => {
    visitors.set(request, await admit(credentialsOf(request), request))
  }
}

export function visitorOf(request: FastifyRequest): Visitor {
  const visitor = visitors.get(request)
  assert(visitor !== undefined, 'a route that asks for its visitor has a guard')
  return visitor
}

export function hostVisitorOf(request: FastifyRequest): HostPrincipal {
  const visitor = visitorOf(request)
  assert(visitor.kind === 'host', 'this route lets host tokens in and nothing else')
  return visitor
}

/** Who asks with a host token, as the access log has it. */
export function byHost(request: FastifyRequest): string {
  return `host ${hostVisitorOf(request).subject}`
}

function credentialsOf(request: FastifyRequest): Credentials {
  return { token: bearerToken(request), isDirect: isDirectHost(request.headers.host ?? '') }
}

/** @throws HostError ERR_TOKEN_INVALID for any Authorization that is not exactly one bearer token. */
function bearerToken(request: FastifyRequest): string | undefined {
  // request.headers keeps the first of two and hides the other.
  const sent = request.raw.headersDistinct['authorization'] ?? []
  if (sent.length === 0) return undefined
  const token = /^Bearer ([^\s]+)$/i.exec(sent[0] ?? '')?.[1]
  if (sent.length > 1 || token === undefined) {
    throw new HostError('ERR_TOKEN_INVALID', 'Authorization must stand there once, as Bearer <token>')
  }
  return token
}

/** A Host header with an address or localhost: whatever name a page lured the browser to, it is not one of these. */
function isDirectHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return name === 'localhost' || isIP(name) !== 0
}
