/** A database's directory of identities: who is in it, who am I, and which logins are one person. */
import { z } from 'zod'

import type { DatabasePrincipal } from '../../auth/principal.ts'
import { assert, HostError } from '../../errors.ts'
import type { Login } from '../../identity.ts'
import { anonymousLogin } from '../admission.ts'
import type { Visitor } from '../admission.ts'
import type { ApiContext, Routes } from './context.ts'
import { databaseGuard } from './database-guard.ts'
import type { DatabaseRequest } from './database-guard.ts'
import { byHost, visitorOf } from './guard.ts'
import { expectBody } from './json-body.ts'
import { loginShape, readLogin } from './login-body.ts'

const linkByToken = z.strictObject({ token: z.string() })
const linkByAdmin = z.strictObject({ login: loginShape, to: loginShape })
const unlinkBody = z.strictObject({ login: loginShape })

export const identityRoutes: Routes = (server, context) => {
  const { shardOf } = context
  const admins = databaseGuard(context, { roles: ['operator', 'admin'], people: 'none' })
  const people = databaseGuard(context, { roles: [], people: 'anonymous' })
  const adminsAndPeople = databaseGuard(context, { roles: ['operator', 'admin'], people: 'signed' })

  server.get<{ Params: { db: string } }>('/v1/databases/:db/identities', admins, async (request) => {
    const { db } = request.params
    const { head } = await shardOf(db).send(db, 'identities', { by: byHost(request) })
    return head
  })

  server.get<{ Params: { db: string } }>('/v1/databases/:db/identities/me', people, async (request) => {
    const { db } = request.params
    const login = loginOf(visitorOf(request))
    const { head } = await shardOf(db).send(db, 'identify', { login })
    return { identity: head.identity, login }
  })

  server.post<{ Params: { db: string } }>('/v1/databases/:db/identities/link', adminsAndPeople, async (request) => {
    const { db } = request.params
    const visitor = visitorOf(request)
    const { login, to } = visitor.kind === 'database' ? await provenLink(context, request, visitor) : await orderedLink(context, request)
    const { head } = await shardOf(db).send(db, 'link', { login, to, by: nameOf(visitor) })
    return head
  })

  server.post<{ Params: { db: string } }>('/v1/databases/:db/identities/unlink', adminsAndPeople, async (request) => {
    const { db } = request.params
    const visitor = visitorOf(request)
    const login = readLogin(expectBody(unlinkBody, request.body).login, await context.facts.issuer(db))
    if (visitor.kind === 'database' && !isSameLogin(visitor.login, login)) {
      throw new HostError('ERR_RIGHT_MISSING', 'a token of the database unlinks its own login only: ask an admin for another')
    }
    const { head } = await shardOf(db).send(db, 'unlink', { login, by: nameOf(visitor) })
    return head
  })
}

/** Two tokens, one person: the login of the one in the body gets the identity of the one that asks. */
async function provenLink({ admission }: ApiContext, request: DatabaseRequest, visitor: DatabasePrincipal): Promise<{ login: Login; to: Login }> {
  const { token } = expectBody(linkByToken, request.body)
  const proven = await admission.proven(token, request.params.db)
  return { login: proven.login, to: visitor.login }
}

async function orderedLink({ facts }: ApiContext, request: DatabaseRequest): Promise<{ login: Login; to: Login }> {
  const { login, to } = expectBody(linkByAdmin, request.body)
  const issuer = await facts.issuer(request.params.db)
  return { login: readLogin(login, issuer), to: readLogin(to, issuer) }
}

function loginOf(visitor: Visitor): Login {
  assert(visitor.kind !== 'host', 'no host token is let in here')
  return visitor.kind === 'anonymous' ? anonymousLogin : visitor.login
}

/** Who did it, for the directory's log. */
function nameOf(visitor: Visitor): string {
  return visitor.kind === 'host' ? `host ${visitor.subject}` : `login ${loginOf(visitor).subject}`
}

function isSameLogin(left: Login, right: Login): boolean {
  return left.issuer === right.issuer && left.subject === right.subject
}
