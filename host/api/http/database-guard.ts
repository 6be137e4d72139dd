/** Routes below /v1/databases/:db: the database's name is checked and its visitor let in. */
import type { FastifyRequest } from 'fastify'

import { checkDatabaseName } from '../../database-name.ts'
import type { DatabaseAccess } from '../admission.ts'
import type { ApiContext } from './context.ts'
import { guard } from './guard.ts'

export type DatabaseRequest = FastifyRequest<{ Params: { db: string } }>

/** Route options that let in whom `access` names. */
export function databaseGuard({ admission }: ApiContext, access: DatabaseAccess): { onRequest: (request: DatabaseRequest) => Promise<void> } {
  return {
    onRequest: guard<DatabaseRequest>((credentials, request) => admission.toDatabase(credentials, checkDatabaseName(request.params.db), access)),
  }
}
