/**
 * The access log as a table, `access_log`: a row for each part of a record, which is to say for each table, owner and
 * subject that it touched, and one for a record that touched none. It is a table like a module's, so that the same
 * plans, printer and policies serve it; its rows are derived from the segments and can be made again.
 */
import type { Identity } from '../identity.ts'
import { identityFromBytes, identityToBytes, parseIdentity } from '../identity.ts'
import { compare } from '../plan/plan.ts'
import type { Condition, SqlRow, SqlValue } from '../plan/plan.ts'
import { ACCESS_LOG_TABLE } from '../schema/names.ts'
import type { Column, Index, Table } from '../schema/schema.ts'
import type { Scalar } from '../value-type.ts'
import type { AccessTouch, ReadAccess } from './access-record.ts'
import { TOUCH_MODES } from './touched.ts'

/** Every column with its type; what may be null ends in `?`. */
const columnTypes = {
  /** The record's position, and which part of it: in the order of the log. */
  id: 'u64',
  subject: 'string',
  position: 'u64',
  at: 'timestamp',
  /** Whose data it is, where that is somebody of this database: the subject, else the owner, else who it was about. */
  person: 'identity?',
  event: 'string',
  name: 'string',
  outcome: 'string',
  sender: 'identity?',
  actor: 'identity?',
  assurance: 'string',
  channel: 'string',
  purpose: 'string',
  session: 'string',
  caused_by: 'string',
  table_name: 'string',
  mode: 'string',
  owner: 'identity?',
  row_count: 'u64',
  /** The ids, separated by spaces (one in an id is %20); empty where there are too many, which `digest` stands for. */
  keys: 'string',
  digest: 'string',
  version: 'u32',
  policy_version: 'u32',
  as_of: 'u64',
  fuel: 'u64',
  plan: 'string',
  details: 'json',
} as const satisfies Record<string, Scalar | `${Scalar}?`>

type ColumnName = keyof typeof columnTypes

const columns = Object.entries(columnTypes).map(([name, type], index): Column => {
  const scalar = type.replace('?', '') as Scalar
  return { id: index + 1, name, type: { kind: 'scalar', scalar, nullable: type.endsWith('?') }, default: undefined }
})

function column(name: ColumnName): Column {
  const found = columns.find((one) => one.name === name)
  if (found === undefined) throw new Error(`access_log has a column ${name}`)
  return found
}

function index(id: number, ...names: readonly ColumnName[]): Index {
  return { id: columns.length + id, columns: names.map(column), unique: undefined }
}

/** Lies in the order of its subjects: what touched one of them is one walk. */
export const accessTable: Table = {
  id: 0,
  name: ACCESS_LOG_TABLE,
  columns,
  key: column('id'),
  autoIncrement: false,
  owner: undefined,
  subject: column('subject'),
  clustered: [column('subject')],
  indexes: [index(1, 'person'), index(2, 'actor'), index(3, 'at')],
}

export const accessColumns = { subject: column('subject'), at: column('at'), id: column('id'), person: column('person'), sender: column('sender') } as const

export const accessColumnNames: readonly string[] = columns.map(({ name }) => name)

/** What anybody may see of it: the records about themselves. */
export const ownRecords: Condition = compare(column('person'), '=', { kind: 'sender' })

/** Parts of one position: as many as a record may have, and more. */
const partsPerPosition = 4_096n

/** The numbers of a record's rows lie from the first of these to before the second. */
export function rowRange(position: bigint): readonly [bigint, bigint] {
  return [position * partsPerPosition, (position + 1n) * partsPerPosition]
}

export function positionOfRow(id: bigint): bigint {
  return id / partsPerPosition
}

/** The rows of a record, in the order of the table's columns. */
export function rowsOf(record: ReadAccess): readonly SqlRow[] {
  const parts: readonly (AccessTouch | undefined)[] = record.touches.length === 0 ? [undefined] : record.touches
  return parts.map((touch, part) => rowOf(record, touch, part))
}

function rowOf(record: ReadAccess, touch: AccessTouch | undefined, part: number): SqlRow {
  const owner = touch === undefined || touch.owner === null || touch.owner === 'anybody' ? null : touch.owner
  const person = personOf(record, touch, owner)
  const values: Readonly<Record<ColumnName, SqlValue>> = {
    id: record.position * partsPerPosition + BigInt(part),
    subject: touch?.subject ?? person ?? '',
    position: record.position,
    at: record.at,
    person: bytesOf(person),
    event: record.event,
    name: record.name,
    outcome: record.outcome,
    sender: bytesOf(record.sender),
    actor: bytesOf(record.actor),
    assurance: record.assurance ?? '',
    channel: record.channel,
    purpose: record.purpose,
    session: record.session,
    caused_by: record.by,
    table_name: touch?.name ?? '',
    mode: touch?.mode ?? '',
    owner: bytesOf(owner),
    row_count: BigInt(touch?.count ?? 0),
    keys: touch?.keys?.map(spaceless).join(' ') ?? '',
    digest: touch?.digest ?? '',
    version: BigInt(record.version),
    policy_version: BigInt(record.policyVersion),
    as_of: record.asOf,
    fuel: BigInt(record.fuel),
    plan: record.plan,
    details: JSON.stringify(record.details),
  }
  return columns.map(({ name }) => values[name as ColumnName])
}

/** What a row says of the rows that its record touched; undefined where that is none. */
export function touchOf(row: SqlRow): AccessTouch | undefined {
  const value = (name: ColumnName): SqlValue => row[columns.findIndex((one) => one.name === name)] ?? null
  const mode = TOUCH_MODES.find((one) => one === value('mode'))
  if (mode === undefined) return undefined
  const [owner, keys, digest, subjectText] = [value('owner'), String(value('keys')), String(value('digest')), String(value('subject'))]
  return {
    table: 0,
    name: String(value('table_name')),
    mode,
    owner: owner instanceof Uint8Array ? identityFromBytes(owner) : null,
    subject: subjectText === '' ? null : subjectText,
    count: Number(value('row_count')),
    keys: keys === '' ? null : keys.split(' ').map(decodeURIComponent),
    digest: digest === '' ? null : digest,
  }
}

function personOf({ details, sender }: ReadAccess, touch: AccessTouch | undefined, owner: Identity | null): Identity | null {
  if (touch !== undefined) return identityIn(touch.subject) ?? owner
  return identityIn(details['identity'] ?? null) ?? sender
}

function identityIn(text: string | null): Identity | null {
  return text !== null && /^[0-9a-f]{64}$/.test(text) ? parseIdentity(text) : null
}

function spaceless(key: string): string {
  return key.replaceAll(/[% ]/g, encodeURIComponent)
}

function bytesOf(identity: Identity | null): SqlValue {
  return identity === null ? null : identityToBytes(identity)
}
