/**
 * "Who touched this person's data": what the access log has about one subject, for an auditor or for the person
 * themselves. People are named by their logins as far as the reader may know them. The reading leaves a record too.
 */
import { accessColumnNames } from '../access-log/access-table.ts'
import { anybodysSubject } from '../access-log/access-record.ts'
import type { AccessIndex } from '../access-log/access-index.ts'
import { formatTimestamp } from '../clock.ts'
import { HostError } from '../errors.ts'
import { identityFromBytes, identityToBytes, parseIdentity } from '../identity.ts'
import type { Identity, Login } from '../identity.ts'
import { accessReportRowsMax } from '../limits.ts'
import type { SqlRow, SqlValue } from '../plan/plan.ts'
import type { AccessReader, AccessSubject, ShardRequest } from '../protocol/shard-protocol.ts'
import type { Caller } from './call-context.ts'
import type { Database } from './database.ts'

/** One row of `access_log` as JSON has it: whole numbers that can pass 2^53 and times are texts. */
export type ReportRow = Readonly<Record<string, string | number | null>>

export interface AccessReport {
  readonly subject: string
  readonly since: string
  readonly until: string
  readonly rows: readonly ReportRow[]
  /** Records that went over more people than they name: the subject may be among these, and is not known to be. */
  readonly ofAnybody: number
  /** There is more: only the newest are given. */
  readonly isCut: boolean
  /** By their identities. */
  readonly people: Readonly<Record<Identity, readonly Login[]>>
}

/** In a batch. @throws HostError ERR_RIGHT_MISSING, ERR_ARGUMENT_RANGE */
export function reportAccess(database: Database, index: AccessIndex, { subject, since, until, rowsMax, by }: ShardRequest<'access'>): AccessReport {
  const caller = by.caller === undefined ? undefined : database.caller(by.caller)
  const own = caller === undefined ? undefined : identityFromBytes(caller.sender)
  const asked = subjectsOf(database, subject, own)
  if (!isAuditor(by) && asked.some((one) => one !== own)) {
    throw new HostError(
      'ERR_RIGHT_MISSING',
      'this shows what the access log has about oneself: a token with the right audit, or a host token of an auditor, shows the rest',
    )
  }
  const range = { since: BigInt(since), until: BigInt(until), rowsMax: Math.min(rowsMax, accessReportRowsMax) }
  const found = asked.flatMap((one) => index.ofSubject({ subject: one, ...range }))
  const rows = found.toSorted(([left], [right]) => ((left ?? 0n) < (right ?? 0n) ? -1 : 1)).slice(-range.rowsMax)
  const ofAnybody = isAuditor(by) ? index.ofSubject({ subject: anybodysSubject, ...range }).length : 0
  note(database, caller, by, asked, rows.length)
  return {
    subject: asked[0] ?? '',
    since: formatTimestamp(range.since),
    until: formatTimestamp(range.until),
    rows: rows.map(reportRow),
    ofAnybody,
    isCut: found.length >= range.rowsMax,
    people: peopleOf(database, rows, isAuditor(by) ? undefined : own),
  }
}

function isAuditor({ host, caller }: AccessReader): boolean {
  return host !== undefined || caller?.rights?.includes('audit') === true
}

/** A text may be a login's, or what a `@subject` column says: both are looked for. */
function subjectsOf({ directory }: Database, subject: AccessSubject | null, own: Identity | undefined): readonly string[] {
  if (subject === null) {
    if (own === undefined) throw new HostError('ERR_REQUEST_MALFORMED', 'a host token is nobody in a database: name a subject')
    return [own]
  }
  const { text, issuer = '' } = subject
  const known = directory.find({ issuer, subject: text })
  return known === undefined ? [text] : [identityFromBytes(known), text]
}

function note(database: Database, who: Caller | undefined, { host, purpose }: AccessReader, [asked = '']: readonly string[], rows: number): void {
  database.note({
    event: 'report',
    name: 'access_log',
    outcome: '',
    who,
    ...(host === undefined ? {} : { by: `host ${host}` }),
    purpose,
    details: { ...(/^[0-9a-f]{64}$/.test(asked) ? { identity: asked } : { subject: asked }), rows: String(rows) },
  })
}

function reportRow(row: SqlRow): ReportRow {
  return Object.fromEntries(accessColumnNames.map((name, index) => [name, reportValue(name, row[index] ?? null)]))
}

function reportValue(name: string, value: SqlValue): string | number | null {
  if (value instanceof Uint8Array) return identityFromBytes(value)
  if (typeof value !== 'bigint') return value
  return name === 'at' ? formatTimestamp(value) : Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
}

/** Whoever asks about themselves learns their own logins, and of others those who acted in their name. */
function peopleOf({ directory }: Database, rows: readonly SqlRow[], own: Identity | undefined): AccessReport['people'] {
  const known = new Map<Identity, readonly Login[]>()
  const at = (name: string): number => accessColumnNames.indexOf(name)
  for (const row of rows) {
    const [sender, actor] = [row[at('sender')], row[at('actor')]]
    const isTold = own === undefined || (sender instanceof Uint8Array && identityFromBytes(sender) === own)
    for (const name of ['sender', 'actor', 'owner', 'person']) {
      const bytes = row[at(name)]
      if (!(bytes instanceof Uint8Array)) continue
      const identity = identityFromBytes(bytes)
      if (known.has(identity) || !(isTold || identity === own) || (own !== undefined && identity !== own && bytes !== actor)) continue
      known.set(identity, directory.loginsOf(identityToBytes(parseIdentity(identity))))
    }
  }
  return Object.fromEntries(known)
}
