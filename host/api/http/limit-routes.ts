/** What a call of a database may use: shown to those who run it, changed by the host's operator alone. */
import { z } from 'zod'

import { defaultLimits, limitCeilings } from '../../database-limits.ts'
import type { DatabaseLimits, LimitChange } from '../../database-limits.ts'
import type { ApiContext, Routes } from './context.ts'
import { databaseGuard } from './database-guard.ts'
import { byHost } from './guard.ts'
import { expectBody } from './json-body.ts'

const change = z.strictObject({ limits: z.record(z.string(), z.number().nullable()) })

export const limitRoutes: Routes = (server, context) => {
  const readers = databaseGuard(context, { roles: ['operator', 'admin', 'publisher'], people: 'none' })
  const operators = databaseGuard(context, { roles: ['operator'], people: 'none' })

  server.get<{ Params: { db: string } }>('/v1/databases/:db/limits', readers, async (request) =>
    answer(await send(context, request.params.db, {}, byHost(request))),
  )
  server.post<{ Params: { db: string } }>('/v1/databases/:db/limits', operators, async (request) =>
    answer(await send(context, request.params.db, expectBody(change, request.body).limits, byHost(request))),
  )
}

async function send({ shardOf }: ApiContext, database: string, limitChange: LimitChange, by: string): Promise<DatabaseLimits> {
  const { head } = await shardOf(database).send(database, 'limits', { change: limitChange, by })
  return head
}

function answer(limits: DatabaseLimits): { limits: DatabaseLimits; defaults: DatabaseLimits; ceilings: DatabaseLimits } {
  return { limits, defaults: defaultLimits, ceilings: limitCeilings }
}
