/**
 * Routes below /v1/databases/:db: the database's name is checked, its visitor let in, its share of memory
 * taken. A body may take long to arrive, and meanwhile the database can be dropped and its name be given
 * to somebody else; so what was let in to one database is confirmed before it acts (its issuer's random id
 * tells two of the same name apart).
 */
import type { FastifyReply, FastifyRequest } from 'fastify'

import { checkDatabaseName } from '../../database-name.ts'
import { unknownDatabase } from '../admission.ts'
import type { DatabaseAccess } from '../admission.ts'
import type { ApiContext } from './context.ts'
import { guard } from './guard.ts'

export type DatabaseRequest = FastifyRequest<{ Params: { db: string } }>

export interface DatabaseHooks {
  readonly onRequest: (request: DatabaseRequest, reply: FastifyReply) => Promise<void>
  readonly preHandler: (request: DatabaseRequest) => Promise<void>
}

/** The issuer id of the database that a request was let in to. */
const admittedTo = new WeakMap<FastifyRequest, string>()

/** Route options that let in whom `access` names. */
export function databaseGuard(context: ApiContext, access: DatabaseAccess): DatabaseHooks {
  const { admission, bodies, facts } = context
  const admit = guard<DatabaseRequest>((credentials, request) => admission.toDatabase(credentials, checkDatabaseName(request.params.db), access))
  return {
    onRequest: async (request, reply) => {
      await admit(request)
      reply.raw.once('close', bodies.take(request.params.db, bodySizeMax(request)))
      admittedTo.set(request, (await facts.issuer(request.params.db)).id)
    },
    preHandler: (request) => confirmDatabase(context, request),
  }
}

/** @throws HostError ERR_DATABASE_UNKNOWN when the database is gone, or another one of its name is there. */
export async function confirmDatabase({ catalogue, facts }: ApiContext, request: DatabaseRequest): Promise<void> {
  const { db } = request.params
  if (catalogue.database(db) === undefined) throw unknownDatabase(db)
  if ((await facts.issuer(db)).id !== admittedTo.get(request)) throw unknownDatabase(db)
}

function bodySizeMax({ headers, routeOptions }: DatabaseRequest): number {
  if (headers['transfer-encoding'] !== undefined) return routeOptions.bodyLimit
  return Math.min(Number(headers['content-length'] ?? 0), routeOptions.bodyLimit)
}
