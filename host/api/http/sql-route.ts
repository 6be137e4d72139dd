/** POST /v1/databases/:db/sql: a SELECT of whoever may call, under their policies (docs/sql.md). */
import { z } from 'zod'

import { runSql } from '../sql.ts'
import { callerOf, reasonOf, reasonShape } from './call-routes.ts'
import type { Routes } from './context.ts'
import { databaseGuard } from './database-guard.ts'
import { expectBody } from './json-body.ts'
import { loginShape } from './login-body.ts'

const sqlBody = z.strictObject({
  sql: z.string(),
  params: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).default([]),
  explain: z.boolean().default(false),
  sender: loginShape.optional(),
  ...reasonShape,
})

export const sqlRoute: Routes = (server, context) => {
  const callers = databaseGuard(context, { roles: [], people: 'anonymous' })

  server.post<{ Params: { db: string } }>('/v1/databases/:db/sql', callers, async (request) => {
    const { sender, purpose, session, ...statement } = expectBody(sqlBody, request.body)
    const database = request.params.db
    return runSql(context.shardOf(database), {
      database,
      ...statement,
      caller: { ...(await callerOf(context, request, sender)), ...reasonOf(request, { purpose, session }) },
    })
  })
}
