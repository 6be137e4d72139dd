/** GET /v1/databases/:db/schema, as far as the command line looks into it. */
import { z } from 'zod'

import { pathOf } from './host-client.ts'
import type { HostClient } from './host-client.ts'

const field = z.looseObject({ name: z.string(), type: z.string() })
const kind = z.enum(['reducer', 'query', 'init', 'hook'])
const databaseSchema = z.looseObject({
  module: z.string(),
  version: z.number(),
  tables: z.array(z.looseObject({ name: z.string(), columns: z.array(field), key: z.string(), owner: z.string().nullable() })),
  policies: z.array(z.string()),
  reducers: z.array(z.looseObject({ name: z.string(), kind, params: z.array(field), result: z.string() })),
  grants: z.array(
    z.object({
      reducer: z.string(),
      kind,
      tables: z.array(z.object({ table: z.string(), mode: z.enum(['read', 'append', 'write']) })),
      policies: z.array(z.string()),
    }),
  ),
})
export type DatabaseSchema = z.infer<typeof databaseSchema>

export async function fetchSchema(client: HostClient, database: string): Promise<DatabaseSchema> {
  return client.get(pathOf`/v1/databases/${database}/schema`, databaseSchema)
}
