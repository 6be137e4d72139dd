/** POST /v1/databases/:db/call/:reducer and /query/:query: the path that everything else is there for. */
import { z } from 'zod'

import { anonymousLogin } from '../admission.ts'
import type { Visitor } from '../admission.ts'
import { runCall } from '../call.ts'
import type { CallAnswer } from '../call.ts'
import type { NamedArguments } from '../pack-arguments.ts'
import type { CallerHead } from '../../protocol/shard-protocol.ts'
import { checkCallId } from '../../call-id.ts'
import { assert, HostError } from '../../errors.ts'
import type { Login } from '../../identity.ts'
import { checkPurpose, PURPOSE_CLAIM } from '../../purpose.ts'
import type { DatabasePrincipal } from '../../auth/principal.ts'
import type { ApiContext, Routes } from './context.ts'
import { databaseGuard } from './database-guard.ts'
import type { DatabaseRequest } from './database-guard.ts'
import { visitorOf } from './guard.ts'
import { expectBody } from './json-body.ts'
import { loginShape, readLogin } from './login-body.ts'

/** What a caller says of a call for the access log. */
export const reasonShape = { purpose: z.string().optional(), session: z.string().optional() }

const callBody = z.strictObject({
  // Not a record of zod's: that would copy 150,000 members before anyone sees that they are too many.
  args: z.custom<readonly unknown[] | NamedArguments>((args) => typeof args === 'object' && args !== null, 'expected an array or an object').default([]),
  sender: loginShape.optional(),
  id: z.string().optional(),
  ...reasonShape,
})

export const callRoutes: Routes = (server, context) => {
  const callers = databaseGuard(context, { roles: [], people: 'anonymous' })

  server.post<{ Params: { db: string; reducer: string } }>('/v1/databases/:db/call/:reducer', callers, (request) =>
    answerCall(context, 'reducer', request.params.reducer, request),
  )
  server.post<{ Params: { db: string; query: string } }>('/v1/databases/:db/query/:query', callers, (request) =>
    answerCall(context, 'query', request.params.query, request),
  )
}

async function answerCall(context: ApiContext, kind: 'reducer' | 'query', name: string, request: DatabaseRequest): Promise<Omit<CallAnswer, 'record'>> {
  const database = request.params.db
  const { args, sender, id, purpose, session } = expectBody(callBody, request.body)
  const caller = { ...(await callerOf(context, request, sender)), ...reasonOf(request, { purpose, session }) }
  const checkedId = id === undefined ? undefined : checkCallId(id)
  const { result, version, fuel } = await runCall(context.facts, context.shardOf(database), { database, kind, name, args, caller, id: checkedId })
  return { result, version, fuel }
}

/** Whom a request speaks for: its visitor, or the sender that its body names. */
export async function callerOf({ facts }: ApiContext, request: DatabaseRequest, sender: z.infer<typeof loginShape> | undefined): Promise<CallerHead> {
  const visitor = visitorOf(request)
  return sender === undefined ? callerHead(visitor) : actingFor(visitor, readLogin(sender, await facts.issuer(request.params.db)))
}

/** Their own words go before what their token is for. */
export function reasonOf(request: DatabaseRequest, { purpose, session }: Reason): Reason {
  const visitor = visitorOf(request)
  const said = purpose ?? (visitor.kind === 'database' ? visitor.claims[PURPOSE_CLAIM] : undefined)
  return {
    ...(said === undefined ? {} : { purpose: checkPurpose(said) }),
    ...(session === undefined ? {} : { session: checkPurpose(session, 'a session') }),
  }
}

interface Reason {
  readonly purpose?: string | undefined
  readonly session?: string | undefined
}

function callerHead(visitor: Visitor): CallerHead {
  switch (visitor.kind) {
    case 'anonymous':
      return { sender: anonymousLogin, assurance: 'none', channel: 'http', claims: {} }
    case 'database':
      return { sender: visitor.login, assurance: visitor.assurance, channel: 'http', claims: visitor.claims, ...rightsOf(visitor) }
    case 'host':
      assert(false, 'no host token is let in to call')
  }
}

/**
 * The sender is only what the actor says (RFC 8693 `act`), so its assurance is `claimed`; the claims
 * are still those of the token, hence the actor's.
 */
function actingFor(visitor: Visitor, sender: Login): CallerHead {
  if (visitor.kind !== 'database' || !visitor.rights.includes('act-for')) {
    throw new HostError('ERR_ACT_FOR_DENIED', 'only a token with the right act-for may name a sender: leave sender out, or ask for such a token')
  }
  return { sender, actor: visitor.login, assurance: 'claimed', channel: 'http', claims: visitor.claims, ...rightsOf(visitor) }
}

/** Those that go with a call; the right to name a sender was used up by naming one. */
function rightsOf({ rights }: DatabasePrincipal): { readonly rights?: readonly string[] } {
  return rights.includes('audit') ? { rights: ['audit'] } : {}
}
