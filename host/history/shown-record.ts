/**
 * A record of the log in words and JSON (docs/api.md, Values), decoded by the version of the module that ran and
 * the schema that then was. Keys are never shown, nor is anything that a record does not hold.
 */
import { formatTimestamp } from '../clock.ts'
import { assert } from '../errors.ts'
import { identityFromBytes } from '../identity.ts'
import type { Identity, Login } from '../identity.ts'
import type { LoggedRecord, RecordKind } from '../log/record.ts'
import { PackedReader } from '../packed-bytes.ts'
import { toJson } from '../protocol/json-values.ts'
import { unpackValue } from '../row-codec.ts'
import type { ReducerDescription } from '../schema/description.ts'
import { formatChange } from '../schema/schema.ts'
import type { Column, Table } from '../schema/schema.ts'
import { PayloadReader } from '../storage/record-payload.ts'
import { toObject } from '../storage/row-image.ts'
import type { RowOperation } from '../storage/row-operation.ts'
import { formatVersion } from '../version.ts'
import type { Archive, PublishedModule } from './archive.ts'

/** What every record says of itself. */
export interface ShownHead {
  readonly kind: RecordKind
  readonly position: string
  /** RFC 3339. */
  readonly at: string
  /** Where the log has it. */
  readonly sequence: string
  readonly epoch: string
  readonly moduleHash: string
  readonly schemaVersion: number
  readonly policyVersion: number
  readonly fuelSchedule: number
  readonly hostVersion: string
  readonly sqliteVersion: string
  /** Hex: the chain of the database up to and with this record. */
  readonly chain: string
}

export interface ShownCall extends ShownHead {
  readonly kind: 'call'
  readonly id: string | null
  readonly reducer: string
  readonly module: string
  readonly version: number
  readonly sender: ShownPerson
  readonly actor: ShownPerson
  readonly assurance: string
  readonly channel: string
  readonly claims: Readonly<Record<string, string>>
  readonly arguments: Readonly<Record<string, unknown>>
  readonly result: unknown
  readonly operations: readonly ShownOperation[]
  readonly fuel: number
  /** Hex, both halves of what the call's random numbers came from. */
  readonly seed: readonly [string, string]
}

export interface ShownPerson {
  readonly identity: Identity
  /** The login that the identity was minted for, where that is known. */
  readonly login: Login | null
}

export interface ShownOperation {
  readonly kind: 'insert' | 'update' | 'delete'
  readonly table: string
  readonly before?: Readonly<Record<string, unknown>>
  readonly after?: Readonly<Record<string, unknown>>
}

/** A record of another kind than a call. */
export interface ShownEvent extends ShownHead {
  readonly kind: Exclude<RecordKind, 'call'>
  readonly what: string
}

export type ShownRecord = ShownCall | ShownEvent

/** The archive knows the records before this one. @throws HostError ERR_MODULE_MISSING, ERR_LOG_DAMAGED */
export function showRecord(record: LoggedRecord, archive: Archive): ShownRecord {
  return isCall(record) ? showCall(record, archive) : showEvent(record)
}

export type CallRecord = LoggedRecord & { readonly head: { readonly kind: 'call' } }

/** Of an erased one nothing but its head is left. */
export function isCall(record: LoggedRecord): record is CallRecord {
  return record.head.kind === 'call' && !record.isErased
}

export function showCall(record: CallRecord, archive: Archive): ShownCall {
  const { head, sections } = record
  const payload = new PayloadReader(sections)
  const { id, reducer: name, version, caller, args, result } = payload.call
  const module = archive.module(version)
  const reducer = reducerOf(module, name)
  const person = (identity: Uint8Array): ShownPerson => ({ identity: identityFromBytes(identity), login: archive.login(identity) ?? null })
  return {
    ...showHead(record),
    kind: 'call',
    id: id === '' ? null : id,
    reducer: name,
    module: module.description.module,
    version,
    sender: person(caller.sender),
    actor: person(caller.actor),
    assurance: caller.assurance,
    channel: caller.channel,
    claims: caller.claims,
    arguments: showArguments(module, reducer, args),
    result: showResult(module, reducer, result),
    operations: showOperations(payload, archive, head.schemaVersion),
    fuel: head.fuel,
    seed: [head.seed[0].toString(16), head.seed[1].toString(16)],
  }
}

export function showResult({ layouts }: PublishedModule, { result: type }: ReducerDescription, result: Uint8Array): unknown {
  const reader = new PackedReader(result, 'ERR_LOG_DAMAGED')
  return toJson(type, unpackValue(reader, type, layouts), layouts)
}

export function showOperation(operation: RowOperation<{ readonly table: Table }>): ShownOperation {
  const { kind, writer } = operation
  const { columns } = writer.table
  return {
    kind,
    table: writer.table.name,
    ...(operation.kind === 'insert' ? {} : { before: showRow(columns, operation.before) }),
    ...(operation.kind === 'delete' ? {} : { after: showRow(columns, operation.after) }),
  }
}

function showOperations(payload: PayloadReader, archive: Archive, schemaVersion: number): readonly ShownOperation[] {
  const schema = archive.schema(schemaVersion)
  const tables = new Map(schema.tables.map((table) => [table.id, { table }]))
  return payload.operations((id) => tables.get(id)).map(showOperation)
}

function showRow(columns: readonly Column[], row: Parameters<typeof toObject>[1]): Readonly<Record<string, unknown>> {
  const values = toObject(columns, row, nobody)
  return Object.fromEntries(columns.map(({ name, type }) => [name, toJson(type, values[name], noLayouts)]))
}

const nobody = { bytes: new Uint8Array(0), text: '' as Identity }
/** A column is a scalar. */
const noLayouts = { rowFields: () => [], recordFields: () => [] }

function showArguments({ layouts }: PublishedModule, { params }: ReducerDescription, args: Uint8Array): Readonly<Record<string, unknown>> {
  const reader = new PackedReader(args, 'ERR_LOG_DAMAGED')
  return Object.fromEntries(params.map(({ name, type }) => [name, toJson(type, unpackValue(reader, type, layouts), layouts)]))
}

function reducerOf({ description }: PublishedModule, name: string): ReducerDescription {
  const found = description.reducers.find((reducer) => reducer.name === name)
  assert(found !== undefined, `${name} is a reducer of the module that ran it`)
  return found
}

function showEvent(record: LoggedRecord): ShownEvent {
  const head = showHead(record)
  return { ...head, kind: head.kind as ShownEvent['kind'], what: record.isErased ? 'erased: the database was dropped' : whatHappened(record) }
}

function whatHappened({ head, sections }: LoggedRecord): string {
  const payload = new PayloadReader(sections)
  switch (head.kind) {
    case 'publish': {
      const { version, hash, publishedBy } = payload.module
      const changes = payload.schema.changes.map(formatChange)
      return `version ${version} (${hash.slice(0, 12)}) published by ${publishedBy}${changes.length === 0 ? '' : `: ${changes.join(', ')}`}`
    }
    case 'identity': {
      const { kind, login, after, by } = payload.directory
      const who = `${login.subject} of ${login.issuer}`
      return kind === 'mint' ? `${who} seen first: identity ${identityFromBytes(after)}` : `${kind}ed ${who} by ${by}: identity ${identityFromBytes(after)}`
    }
    case 'limit':
      return `limits set: ${payload.meta['limits'] ?? ''}`
    case 'key':
      return "the database's signing keys changed"
    default:
      return `a record of kind ${head.kind}`
  }
}

function showHead({ head, sequence, chainAfter }: LoggedRecord): ShownHead {
  return {
    kind: head.kind,
    position: String(head.position),
    at: formatTimestamp(head.timestamp),
    sequence: String(sequence),
    epoch: String(head.epoch),
    moduleHash: Buffer.from(head.moduleHash).toString('hex'),
    schemaVersion: head.schemaVersion,
    policyVersion: head.policyVersion,
    fuelSchedule: head.fuelSchedule,
    hostVersion: formatVersion(head.hostVersion),
    sqliteVersion: sqliteVersion(head.sqliteVersion),
    chain: Buffer.from(chainAfter).toString('hex'),
  }
}

/** 3054000 is 3.54.0. */
function sqliteVersion(number: number): string {
  return `${Math.floor(number / 1_000_000)}.${Math.floor(number / 1_000) % 1_000}.${number % 1_000}`
}
