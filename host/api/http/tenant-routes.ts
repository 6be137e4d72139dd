/** Tenants and the tokens of their people: GET and POST /v1/tenants, POST /v1/tenants/:tenant/tokens. */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'

import { ROLES } from '../../auth/principal.ts'
import { checkTenantName } from '../../database-name.ts'
import type { Routes } from './context.ts'
import { guard } from './guard.ts'
import { expectBody } from './json-body.ts'

const newTenant = z.strictObject({ name: z.string() })
const newHostToken = z.strictObject({ subject: z.string(), roles: z.array(z.enum(ROLES)), ttlSeconds: z.number() })

type TenantRequest = FastifyRequest<{ Params: { tenant: string } }>

export const tenantRoutes: Routes = (server, { catalogue, admission }) => {
  const operators = { onRequest: guard((credentials) => admission.toHost(credentials, ['operator'])) }

  server.get('/v1/tenants', operators, () => ({ tenants: catalogue.tenants().map((name) => ({ name })) }))

  server.post('/v1/tenants', operators, (request, reply) => {
    const name = checkTenantName(expectBody(newTenant, request.body).name)
    catalogue.createTenant(name)
    reply.code(201)
    return { name }
  })

  const admins = {
    onRequest: guard<TenantRequest>((credentials, { params }) => admission.toTenant(credentials, checkTenantName(params.tenant), ['operator', 'admin'])),
  }
  server.post<{ Params: { tenant: string } }>('/v1/tenants/:tenant/tokens', admins, async (request) => {
    const token = await catalogue.mintHostToken({ ...expectBody(newHostToken, request.body), tenant: request.params.tenant })
    return { token }
  })
}
