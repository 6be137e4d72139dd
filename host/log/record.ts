/**
 * Record v1: what a commit leaves in the log (docs/log-format.md). A header of fixed size names what ran, on
 * which state and with which versions; a payload holds what it did. The headers of one database are chained,
 * and each holds the hash of its payload, not the payload: a payload can be erased and the chain still verifies.
 * record-batch.ts writes records, frame.ts finds them again, sections.ts is the inside of a payload.
 */
import { hash } from 'node:crypto'

import { HostError } from '../errors.ts'

/** In the order of their numbers, from 1. A number, once given, keeps its meaning. */
export const RECORD_KINDS = ['call', 'publish', 'migrate', 'grant', 'limit', 'identity', 'access', 'key', 'drop'] as const
export type RecordKind = (typeof RECORD_KINDS)[number]

export interface RecordHead {
  readonly kind: RecordKind
  readonly schemaVersion: number
  /** Which tenure of the log wrote it. */
  readonly epoch: bigint
  /** Counts the records of this database from 1. */
  readonly position: bigint
  /** 16 random bytes, minted when the database is made. */
  readonly database: Uint8Array
  /** 16 bytes. */
  readonly tenant: Uint8Array
  /** Microseconds since 1970; never goes back within a database. */
  readonly timestamp: bigint
  readonly seed: readonly [bigint, bigint]
  readonly fuel: number
  /** SHA-256 of the component. */
  readonly moduleHash: Uint8Array
  readonly policyVersion: number
  readonly fuelSchedule: number
  /** major << 20 | minor << 10 | patch */
  readonly hostVersion: number
  /** As SQLite counts it: 3054000. */
  readonly sqliteVersion: number
  /** 16 bytes, zero without a call id. */
  readonly callKey: Uint8Array
}

/**
 * What was read back: every check of frame, header and payload has passed. Its bytes are views of one memory, which
 * any of them keeps alive: what is kept for long is copied.
 */
export interface LoggedRecord {
  /** Counts the records of the log. */
  readonly sequence: bigint
  readonly head: RecordHead
  readonly chainBefore: Uint8Array
  readonly chainAfter: Uint8Array
  readonly isErased: boolean
  /** The payload after its salt; empty when erased. */
  readonly sections: Uint8Array
  /** Header and payload as they stand: what the chain is made of. */
  readonly bytes: Uint8Array
}

export const recordVersion = 1
export const recordHeadBytes = 224
export const saltBytes = 16
export const uidBytes = 16
export const hashBytes = 32

const offsets = {
  version: 0,
  kind: 1,
  outcome: 2,
  zero: 3,
  schemaVersion: 4,
  epoch: 8,
  position: 16,
  database: 24,
  tenant: 40,
  timestamp: 56,
  seed: 64,
  fuel: 80,
  moduleHash: 88,
  policyVersion: 120,
  fuelSchedule: 124,
  hostVersion: 128,
  sqliteVersion: 132,
  callKey: 136,
  payloadBytes: 152,
  zeroAfter: 156,
  payloadHash: 160,
  chainBefore: 192,
} as const

/** What a database's first record has for the chain before it. */
export function firstChain(database: Uint8Array): Uint8Array {
  return sha256(Buffer.concat([Buffer.from('remembrancer chain v1', 'utf8'), database]))
}

/**
 * The hash as 32 characters of a byte each: what crypto gives as a buffer of its own costs two or three times as
 * much, and hashes are most of the time that a record takes.
 */
function sha256Text(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'binary')
}

export function sha256(bytes: Uint8Array): Uint8Array {
  const text = sha256Text(bytes)
  // Typed arrays so small lie in the heap; slices of Node's pool would keep 8 KiB alive for each database.
  const digest = new Uint8Array(hashBytes)
  for (let index = 0; index < hashBytes; index += 1) digest[index] = text.charCodeAt(index)
  return digest
}

/** The rest of a header: what the payload and the chain bring. */
export interface RecordLinks {
  readonly payload: Uint8Array
  readonly chainBefore: Uint8Array
}

/** Bytes that are written as they are and as numbers: a view of each kind over one memory. */
export interface ByteTarget {
  readonly bytes: Buffer
  readonly view: DataView
}

/** Writes a whole header. Fields have their sizes: record-batch.ts has looked. */
export function encodeHead({ bytes, view }: ByteTarget, head: RecordHead, links: RecordLinks): void {
  bytes[offsets.version] = recordVersion
  bytes[offsets.kind] = RECORD_KINDS.indexOf(head.kind) + 1
  bytes[offsets.outcome] = 0
  bytes[offsets.zero] = 0
  view.setUint32(offsets.schemaVersion, head.schemaVersion, true)
  view.setBigUint64(offsets.epoch, head.epoch, true)
  view.setBigUint64(offsets.position, head.position, true)
  bytes.set(head.database, offsets.database)
  bytes.set(head.tenant, offsets.tenant)
  view.setBigInt64(offsets.timestamp, head.timestamp, true)
  view.setBigUint64(offsets.seed, head.seed[0], true)
  view.setBigUint64(offsets.seed + 8, head.seed[1], true)
  view.setUint32(offsets.fuel, head.fuel, true)
  view.setUint32(offsets.fuel + 4, Math.floor(head.fuel / 0x1_0000_0000), true)
  bytes.set(head.moduleHash, offsets.moduleHash)
  view.setUint32(offsets.policyVersion, head.policyVersion, true)
  view.setUint32(offsets.fuelSchedule, head.fuelSchedule, true)
  view.setUint32(offsets.hostVersion, head.hostVersion, true)
  view.setUint32(offsets.sqliteVersion, head.sqliteVersion, true)
  bytes.set(head.callKey, offsets.callKey)
  view.setUint32(offsets.payloadBytes, links.payload.length, true)
  view.setUint32(offsets.zeroAfter, 0, true)
  bytes.write(sha256Text(links.payload), offsets.payloadHash, 'latin1')
  bytes.set(links.chainBefore, offsets.chainBefore)
}

export interface DecodedHead {
  readonly head: RecordHead
  readonly payloadBytes: number
  readonly chainBefore: Uint8Array
}

/**
 * Reads a header of 224 bytes; the bytes that it gives are views of them.
 *
 * @throws HostError ERR_LOG_DAMAGED for a version, kind or outcome that v1 does not have, and for bytes that must be zero.
 */
export function decodeHead(bytes: Buffer): DecodedHead {
  if (bytes.length !== recordHeadBytes) refuse(`a header has ${recordHeadBytes} bytes, not ${bytes.length}`)
  if (bytes[offsets.version] !== recordVersion) refuse(`version ${bytes[offsets.version]} where version ${recordVersion} was expected`)
  const kind = RECORD_KINDS[(bytes[offsets.kind] ?? 0) - 1]
  if (kind === undefined) refuse(`there is no kind ${bytes[offsets.kind]}`)
  if (bytes[offsets.outcome] !== 0) refuse(`there is no outcome ${bytes[offsets.outcome]}`)
  if (bytes[offsets.zero] !== 0 || bytes.readUInt32LE(offsets.zeroAfter) !== 0) refuse('bytes that must be zero are not')
  const fuel = bytes.readUInt32LE(offsets.fuel + 4) * 0x1_0000_0000 + bytes.readUInt32LE(offsets.fuel)
  if (!Number.isSafeInteger(fuel)) refuse('more fuel than there is')
  const position = bytes.readBigUInt64LE(offsets.position)
  if (position === 0n) refuse('positions count from 1')
  const head: RecordHead = {
    kind,
    schemaVersion: bytes.readUInt32LE(offsets.schemaVersion),
    epoch: bytes.readBigUInt64LE(offsets.epoch),
    position,
    database: part(bytes, offsets.database, uidBytes),
    tenant: part(bytes, offsets.tenant, uidBytes),
    timestamp: bytes.readBigInt64LE(offsets.timestamp),
    seed: [bytes.readBigUInt64LE(offsets.seed), bytes.readBigUInt64LE(offsets.seed + 8)],
    fuel,
    moduleHash: part(bytes, offsets.moduleHash, hashBytes),
    policyVersion: bytes.readUInt32LE(offsets.policyVersion),
    fuelSchedule: bytes.readUInt32LE(offsets.fuelSchedule),
    hostVersion: bytes.readUInt32LE(offsets.hostVersion),
    sqliteVersion: bytes.readUInt32LE(offsets.sqliteVersion),
    callKey: part(bytes, offsets.callKey, uidBytes),
  }
  return { head, payloadBytes: bytes.readUInt32LE(offsets.payloadBytes), chainBefore: part(bytes, offsets.chainBefore, hashBytes) }
}

/**
 * A record of its bytes alone, which somebody has brought: the hash of its payload is held against its header.
 *
 * @throws HostError ERR_LOG_DAMAGED
 */
export function recordOfBytes(bytes: Uint8Array): Omit<LoggedRecord, 'sequence'> {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = all.subarray(0, recordHeadBytes)
  const payload = all.subarray(recordHeadBytes)
  const { head, payloadBytes, chainBefore } = decodeHead(header)
  const isErased = payload.length === 0
  if (!isErased && (payload.length !== payloadBytes || !isPayloadOf(header, payload))) refuse('its payload is not what was written')
  return { head, chainBefore, chainAfter: sha256(header), isErased, sections: payload.subarray(isErased ? 0 : saltBytes), bytes: all }
}

/** Whether this is the payload that the header was written for. */
export function isPayloadOf(header: Buffer, payload: Uint8Array): boolean {
  return sha256Text(payload) === header.toString('latin1', offsets.payloadHash, offsets.payloadHash + hashBytes)
}

/** The hex of its database's uid, of a header that is otherwise not read: a scan asks for these three of every record. */
export function databaseOf(header: Buffer): string {
  return header.toString('hex', offsets.database, offsets.database + uidBytes)
}

export function positionOf(header: Buffer): bigint {
  return header.readBigUInt64LE(offsets.position)
}

export function epochOf(header: Buffer): bigint {
  return header.readBigUInt64LE(offsets.epoch)
}

function part(bytes: Buffer, start: number, size: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, size)
}

function refuse(what: string): never {
  throw new HostError('ERR_LOG_DAMAGED', `a log record: ${what}`)
}
