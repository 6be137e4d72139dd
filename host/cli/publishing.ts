/** One publish over HTTP, and its report in words: for `publish` and `dev`. */
import { z } from 'zod'

import type { PublishReport } from '../protocol/shard-protocol.ts'
import { grantText } from './grant-text.ts'
import { pathOf } from './host-client.ts'
import type { HostClient } from './host-client.ts'

const texts = z.array(z.string())
const publishReport: z.ZodType<PublishReport> = z.object({
  module: z.string(),
  version: z.number(),
  hash: z.string(),
  unchanged: z.boolean(),
  grants: z.array(
    z.object({
      reducer: z.string(),
      kind: z.enum(['reducer', 'query', 'init', 'hook']),
      tables: z.array(z.object({ table: z.string(), mode: z.enum(['read', 'append', 'write']) })),
      policies: texts,
    }),
  ),
  grantsAdded: texts,
  grantsRemoved: texts,
  policiesAdded: texts,
  policiesRemoved: texts,
  policyVersion: z.number(),
  schemaChanges: texts,
  warnings: texts,
  timings: z.record(z.string(), z.number()),
})

export interface Publish {
  readonly database: string
  readonly component: Uint8Array
  readonly isDryRun: boolean
}

export async function publishComponent(client: HostClient, { database, component, isDryRun }: Publish): Promise<PublishReport> {
  const path = `${pathOf`/v1/databases/${database}/module`}${isDryRun ? '?dry-run=1' : ''}`
  return client.putComponent(path, component, publishReport)
}

/** The first line says what happened; the others what the module may now do, and what that changed. */
export function publishLines(report: PublishReport, { database, isDryRun }: Pick<Publish, 'database' | 'isDryRun'>): readonly string[] {
  const { module, version } = report
  if (report.unchanged) return [`unchanged: ${database} runs this ${module} as v${version} already`]
  const done = isDryRun ? `would publish ${module} to ${database}` : `published ${module} v${version} to ${database}`
  return [
    done,
    `  ${grantText(report.grants)}`,
    ...report.schemaChanges.map((change) => `  schema: ${change}`),
    ...(version === 1 ? [] : report.grantsAdded.map((grant) => `  new grant: ${grant}`)),
    ...report.grantsRemoved.map((grant) => `  grant gone: ${grant}`),
    ...(version === 1 ? [] : report.policiesAdded.map((policy) => `  new policy: ${policy}`)),
    ...report.policiesRemoved.map((policy) => `  policy gone: ${policy}`),
    ...report.warnings.map((warning) => `  warning: ${warning}`),
  ]
}
