/** A database as an issuer: tokens for its people, its public keys, their rotation. */
import { z } from 'zod'

import { checkDatabaseName } from '../../database-name.ts'
import type { IssuerState } from '../../protocol/shard-protocol.ts'
import { unknownDatabase } from '../admission.ts'
import type { Routes } from './context.ts'
import { databaseGuard } from './database-guard.ts'
import { byHost } from './guard.ts'
import { expectBody } from './json-body.ts'

const claimValue = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const newToken = z.strictObject({
  subject: z.string(),
  ttlSeconds: z.number(),
  claims: z.record(z.string(), claimValue).default({}),
  rights: z.array(z.string()).default([]),
})
const nothing = z.strictObject({}).optional()

export const keyRoutes: Routes = (server, context) => {
  const { catalogue, facts, shardOf } = context
  const admins = databaseGuard(context, { roles: ['operator', 'admin'], people: 'none' })

  server.post<{ Params: { db: string } }>('/v1/databases/:db/tokens', admins, async (request) => {
    const { db } = request.params
    const { head } = await shardOf(db).send(db, 'token', { ...expectBody(newToken, request.body), by: byHost(request) })
    return head
  })

  // Public keys are for everybody who verifies a token elsewhere, so no token is asked for.
  server.get<{ Params: { db: string } }>('/v1/databases/:db/keys', async (request) => {
    const name = checkDatabaseName(request.params.db)
    if (catalogue.database(name) === undefined) throw unknownDatabase(name)
    return keysAnswer(await facts.issuer(name))
  })

  server.post<{ Params: { db: string } }>('/v1/databases/:db/keys/rotate', admins, async (request) => {
    const { db } = request.params
    expectBody(nothing, request.body)
    const { head } = await shardOf(db).send(db, 'rotateKey', { by: byHost(request) })
    facts.setIssuer(db, head)
    return keysAnswer(head)
  })

  server.delete<{ Params: { db: string; kid: string } }>('/v1/databases/:db/keys/:kid', admins, async (request) => {
    const { db, kid } = request.params
    const { head } = await shardOf(db).send(db, 'removeKey', { kid, by: byHost(request) })
    facts.setIssuer(db, head)
    return keysAnswer(head)
  })
}

/** A JWK Set (RFC 7517) with the issuer id beside it. */
function keysAnswer({ id, keys }: IssuerState): { issuer: string; keys: IssuerState['keys'] } {
  return { issuer: id, keys }
}
