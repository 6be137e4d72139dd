/**
 * Conversations: which agents a database has, a place in a new session, and the page on which one talks to
 * them. Who the caller of a session is follows from the token here, as with any call.
 */
import { z } from 'zod'

import { HostError } from '../../errors.ts'
import { callerOf } from './call-routes.ts'
import type { Routes } from './context.ts'
import { databaseGuard } from './database-guard.ts'
import { expectBody } from './json-body.ts'
import { loginShape } from './login-body.ts'

const newSession = z.strictObject({ transport: z.enum(['room', 'websocket']), sender: loginShape.optional() })

/** The page runs its own script and nothing else; it connects to this host and to rooms. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:; " +
  "connect-src 'self' http://127.0.0.1:* ws: wss: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export const sessionRoutes: Routes = (server, context) => {
  const { sessions } = context
  if (sessions === undefined) return
  const people = databaseGuard(context, { roles: ['operator', 'admin', 'publisher'], people: 'anonymous' })
  const callers = databaseGuard(context, { roles: [], people: 'anonymous' })

  server.get<{ Params: { db: string } }>('/v1/databases/:db/agents', people, async ({ params: { db } }) => ({ agents: await sessions.agents(db) }))

  server.post<{ Params: { db: string; agent: string } }>('/v1/databases/:db/agents/:agent/sessions', callers, async (request) => {
    const { db, agent } = request.params
    const { transport, sender } = expectBody(newSession, request.body)
    const caller = await callerOf(context, request, sender)
    return sessions.open({ database: db, agent, caller, transport })
  })

  server.get<{ Params: { file: string } }>('/talk/:file', (request, reply) => {
    const file = sessions.pageFile(request.params.file)
    if (file === undefined) throw new HostError('ERR_ROUTE_UNKNOWN', 'the page has no such file')
    return reply.headers({ 'content-security-policy': pagePolicy, 'referrer-policy': 'no-referrer' }).type(file.type).send(file.bytes)
  })
  server.get('/talk', (_request, reply) => reply.redirect('/talk/talk.html'))
}
