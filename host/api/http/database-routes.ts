/** Databases as a whole: list, create, drop, and what runs in one. */
import { z } from 'zod'

import type { HostPrincipal } from '../../auth/principal.ts'
import { checkDatabaseName, checkTenantName } from '../../database-name.ts'
import { HostError } from '../../errors.ts'
import { defaultTenant } from '../ports.ts'
import type { Routes } from './context.ts'
import { confirmDatabase, databaseGuard } from './database-guard.ts'
import { guard, hostVisitorOf } from './guard.ts'
import { expectBody } from './json-body.ts'
import { moduleSchema } from './module-schema.ts'

const newDatabase = z.strictObject({ name: z.string(), tenant: z.string().optional() })

export const databaseRoutes: Routes = (server, context) => {
  const { catalogue, admission, facts, changes, logs } = context

  const anybody = { onRequest: guard((credentials) => admission.toHost(credentials, ['operator', 'admin', 'publisher', 'auditor'])) }
  server.get('/v1/databases', anybody, (request) => {
    const visitor = hostVisitorOf(request)
    const databases = catalogue.databases().filter((entry) => visitor.tenant === undefined || entry.tenant === visitor.tenant)
    return { databases: databases.map(({ name, tenant, module, version }) => ({ name, tenant, module, version })) }
  })

  const makers = { onRequest: guard((credentials) => admission.toHost(credentials, ['operator', 'admin', 'publisher'])) }
  server.post('/v1/databases', makers, async (request, reply) => {
    const body = expectBody(newDatabase, request.body)
    const name = checkDatabaseName(body.name)
    const tenant = tenantFor(hostVisitorOf(request), body.tenant)
    await changes.run(name, async () => {
      await catalogue.createDatabase(name, tenant)
      facts.forget(name)
    })
    reply.code(201)
    return { name, tenant }
  })

  server.delete('/v1/databases/:db', databaseGuard(context, { roles: ['operator', 'admin'], people: 'none' }), async (request) => {
    const name = request.params.db
    await changes.run(name, async () => {
      await confirmDatabase(context, request)
      await catalogue.dropDatabase(name)
      facts.forget(name)
      logs.drop(name)
    })
    return { dropped: name }
  })

  const readers = databaseGuard(context, { roles: ['operator', 'admin', 'publisher', 'auditor'], people: 'anonymous' })
  server.get('/v1/databases/:db/schema', readers, async (request) => moduleSchema(await facts.module(request.params.db)))
}

/** One's own tenant when none is named; an operator has none of its own. */
function tenantFor(visitor: HostPrincipal, wanted: string | undefined): string {
  const tenant = checkTenantName(wanted ?? visitor.tenant ?? defaultTenant)
  if (visitor.tenant === undefined || visitor.tenant === tenant) return tenant
  throw new HostError('ERR_TENANT_UNKNOWN', `there is no tenant ${tenant}`)
}
