/** The answer to a report of the access log, as the command line reads it. */
import { z } from 'zod'

const row = z.looseObject({
  position: z.number(),
  at: z.string(),
  event: z.string(),
  name: z.string(),
  outcome: z.string(),
  sender: z.string().nullable(),
  actor: z.string().nullable(),
  caused_by: z.string(),
  assurance: z.string(),
  channel: z.string(),
  purpose: z.string(),
  session: z.string(),
  table_name: z.string(),
  mode: z.string(),
  row_count: z.number(),
  keys: z.string(),
  /** JSON of texts by their names. */
  details: z.string(),
  digest: z.string(),
})

export const auditReport = z.object({
  subject: z.string(),
  since: z.string(),
  until: z.string(),
  rows: z.array(row),
  ofAnybody: z.number(),
  isCut: z.boolean(),
  people: z.record(z.string(), z.array(z.object({ issuer: z.string(), subject: z.string() }))),
})

export type AuditReport = z.infer<typeof auditReport>
export type AuditRow = AuditReport['rows'][number]

/** By a login, as far as the reader may know it. */
export function nameOf({ people }: AuditReport, identity: string | null): string {
  if (identity === null) return ''
  return people[identity]?.map(({ subject }) => subject).join(' = ') ?? `${identity.slice(0, 8)}…`
}

/** Who acted, and for whom. */
export function whoOf(report: AuditReport, { sender, actor, caused_by }: AuditRow): string {
  if (sender === null) return caused_by
  const name = nameOf(report, actor)
  return actor === sender ? name : `${name} for ${nameOf(report, sender)}`
}
