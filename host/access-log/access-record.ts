/**
 * What one record of the access log says (docs/access-log.md): the section `access` of a record of kind `access`,
 * whose header has the rest. Written by access-trail.ts while calls wait for it, read back by whoever reports,
 * indexes or verifies; its bytes come from a disk, so that reading checks them like any others.
 */
import { HostError } from '../errors.ts'
import { ASSURANCES, identityFromBytes, identitySizeBytes } from '../identity.ts'
import type { Assurance, Identity } from '../identity.ts'
import type { LoggedRecord } from '../log/record.ts'
import { SECTION_TAGS, sections } from '../log/sections.ts'
import { PackedReader } from '../packed-bytes.ts'
import type { PackedWriter } from '../packed-bytes.ts'
import { KEYS, TOUCH_MODES, WHOSE } from './touched.ts'
import type { Touched, TouchMode } from './touched.ts'

/** What happened. In the order of their numbers, from 1; a number, once given, keeps its meaning. */
export const ACCESS_EVENTS = [
  /** A reducer, a query, a host-side read, a client's statement: each with the rows that it touched. */
  'call',
  'query',
  'rows',
  'sql',
  /** What changes a database beside its rows. */
  'publish',
  'limits',
  'keys',
  'identity',
  'token',
  /** Who came in, and who did not. */
  'login',
  'refusal',
  /** The database as a whole: made, dropped. */
  'database',
  /** Reads of the log itself, and what takes data out. */
  'report',
  'export',
  'backup',
  'history',
  /** Rows that went to an outside provider. */
  'disclosure',
  /** What the log says of itself: of records whose changes did not happen after all, of changes whose records are lost, of its own beginning and end. */
  'undone',
  'lost',
  'checkpoint',
  'trimmed',
] as const
export type AccessEvent = (typeof ACCESS_EVENTS)[number]

/** Who caused it: somebody of the database, or, for who is nobody there, in words. */
export interface AccessWho {
  /** 32 bytes each. */
  readonly sender: Uint8Array
  readonly actor: Uint8Array
  readonly assurance: Assurance
  readonly channel: string
  readonly purpose?: string | undefined
  readonly session?: string | undefined
}

/** A record before it is written. */
export interface AccessEntry {
  readonly event: AccessEvent
  /** Of the reducer, the table, the statement, or what else was done. */
  readonly name: string
  /** The code of the error that it ended with; empty for what went well. */
  readonly outcome: string
  readonly who: AccessWho | undefined
  /** For those without an identity here: `host operator`, `process`. */
  readonly by?: string
  readonly purpose?: string | undefined
  readonly details?: Readonly<Record<string, string>>
  /** Version of the module that ran; 0 for none. */
  readonly version: number
  /** How far the database had come: of a call that changed something, its own position in the commit log. */
  readonly asOf: bigint
  readonly touched?: Touched | undefined
  /** In its place: parts of records that were read back. */
  readonly parts?: readonly AccessTouch[]
}

export interface AccessTouch {
  readonly table: number
  readonly name: string
  readonly mode: TouchMode
  readonly owner: Identity | 'anybody' | null
  /** As text: an identity's 64 digits, a number, a name. Null where the table says nothing of it; `*` for anybody. */
  readonly subject: string | null
  readonly count: number
  /** Null where there are too many: `digest` is theirs then, where they were gone through. */
  readonly keys: readonly string[] | null
  readonly digest: string | null
}

/** A record as it was read back. */
export interface ReadAccess {
  readonly position: bigint
  readonly at: bigint
  readonly event: AccessEvent
  readonly name: string
  readonly outcome: string
  readonly sender: Identity | null
  readonly actor: Identity | null
  readonly assurance: Assurance | null
  readonly channel: string
  readonly by: string
  readonly purpose: string
  readonly session: string
  readonly details: Readonly<Record<string, string>>
  readonly version: number
  readonly moduleHash: string
  readonly schemaVersion: number
  readonly policyVersion: number
  readonly fuel: number
  readonly asOf: bigint
  readonly plan: string
  readonly touches: readonly AccessTouch[]
}

/** Of anybody: more people than a record can tell apart. */
export const anybodysSubject = '*'

const formatVersion = 1

export function packAccess(
  writer: PackedWriter,
  { event, name, outcome, who, by = '', purpose, details, version, asOf, touched, parts = [] }: AccessEntry,
): void {
  writer.u8(formatVersion)
  writer.u8(ACCESS_EVENTS.indexOf(event) + 1)
  writer.string(name)
  writer.string(outcome)
  if (who === undefined) writer.u8(0)
  else packWho(writer, who)
  writer.string(by)
  writer.string(purpose ?? who?.purpose ?? '')
  writer.string(who?.session ?? '')
  packDetails(writer, details)
  writer.u32(version)
  writer.u64(asOf)
  if (touched === undefined) {
    writer.string('')
    writer.u32(parts.length)
    for (const part of parts) packReadPart(writer, part)
  } else touched.pack(writer, who?.sender)
}

/** As it was read: keys stand as texts. */
function packReadPart(writer: PackedWriter, { table, name, mode, owner, subject, count, keys, digest }: AccessTouch): void {
  writer.u32(table)
  writer.string(name)
  writer.u8(TOUCH_MODES.indexOf(mode))
  packReadWhose(writer, owner === 'anybody' ? anybodysSubject : owner)
  packReadWhose(writer, subject)
  writer.u32(count)
  writer.u8(keys !== null ? KEYS.texts : digest !== null ? KEYS.digest : KEYS.none)
  if (keys !== null) for (const key of keys) writer.string(key)
  else if (digest !== null) writer.raw(Buffer.from(digest, 'hex'))
}

function packReadWhose(writer: PackedWriter, whose: string | null): void {
  if (whose === null) return writer.u8(WHOSE.none)
  if (whose === anybodysSubject) return writer.u8(WHOSE.anybody)
  const isIdentity = /^[0-9a-f]{64}$/.test(whose)
  writer.u8(isIdentity ? WHOSE.identity : WHOSE.text)
  if (isIdentity) writer.raw(Buffer.from(whose, 'hex'))
  else writer.string(whose)
}

/** 1 for who acts in their own name, 2 for who acts for another. */
function packWho(writer: PackedWriter, { sender, actor, assurance, channel }: AccessWho): void {
  const isOwn = sender === actor || Buffer.compare(sender, actor) === 0
  writer.u8(isOwn ? 1 : 2)
  writer.raw(sender)
  if (!isOwn) writer.raw(actor)
  writer.u8(ASSURANCES.indexOf(assurance))
  writer.string(channel)
}

function packDetails(writer: PackedWriter, details: Readonly<Record<string, string>> | undefined): void {
  if (details === undefined) return writer.u32(0)
  const entries = Object.entries(details)
  writer.u32(entries.length)
  for (const [name, value] of entries) {
    writer.string(name)
    writer.string(value)
  }
}

/** @throws HostError ERR_LOG_DAMAGED for a record of another kind, and for bytes that are none. */
export function readAccess({ head, sections: bytes }: Pick<LoggedRecord, 'head' | 'sections'>): ReadAccess {
  const section = sections(bytes).get(SECTION_TAGS.access)
  if (head.kind !== 'access' || section === undefined) throw new HostError('ERR_LOG_DAMAGED', `record ${head.position} is none of an access log`)
  const reader = new PackedReader(section, 'ERR_LOG_DAMAGED')
  if (reader.u8() !== formatVersion) reader.refuse('a record of a later version')
  const event = ACCESS_EVENTS[reader.u8() - 1] ?? reader.refuse('no such event')
  const name = reader.string()
  const outcome = reader.string()
  const who = readWho(reader)
  const by = reader.string()
  const purpose = reader.string()
  const session = reader.string()
  const details = readDetails(reader)
  const version = reader.u32()
  const asOf = reader.u64()
  const plan = reader.string()
  const touches: AccessTouch[] = []
  for (let left = reader.u32(); left > 0; left--) touches.push(readTouch(reader, who.sender))
  reader.end()
  return {
    position: head.position,
    at: head.timestamp,
    event,
    name,
    outcome,
    ...who,
    by,
    purpose,
    session,
    details,
    version,
    moduleHash: Buffer.from(head.moduleHash).toString('hex'),
    schemaVersion: head.schemaVersion,
    policyVersion: head.policyVersion,
    fuel: head.fuel,
    asOf,
    plan,
    touches,
  }
}

function readWho(reader: PackedReader): Pick<ReadAccess, 'sender' | 'actor' | 'assurance' | 'channel'> {
  const kind = reader.u8()
  if (kind === 0) return { sender: null, actor: null, assurance: null, channel: '' }
  if (kind > 2) reader.refuse('nobody can have caused this')
  const sender = identityFromBytes(reader.raw(identitySizeBytes))
  const actor = kind === 1 ? sender : identityFromBytes(reader.raw(identitySizeBytes))
  return { sender, actor, assurance: ASSURANCES[reader.u8()] ?? reader.refuse('no such assurance'), channel: reader.string() }
}

function readDetails(reader: PackedReader): Readonly<Record<string, string>> {
  const entries: [string, string][] = []
  for (let left = reader.u32(); left > 0; left--) entries.push([reader.string(), reader.string()])
  return Object.fromEntries(entries)
}

function readTouch(reader: PackedReader, sender: Identity | null): AccessTouch {
  const table = reader.u32()
  const name = reader.string()
  const mode = TOUCH_MODES[reader.u8()] ?? reader.refuse('no such way to touch a row')
  const owner = readOwner(reader, sender)
  const subject = readSubject(reader, sender, owner)
  const count = reader.u32()
  return { table, name, mode, owner, subject, count, ...readKeys(reader, count) }
}

function readOwner(reader: PackedReader, sender: Identity | null): AccessTouch['owner'] {
  switch (reader.u8()) {
    case WHOSE.none:
      return null
    case WHOSE.sender:
      return sender ?? reader.refuse('an owner that is nobody')
    case WHOSE.identity:
      return identityFromBytes(reader.raw(identitySizeBytes))
    case WHOSE.anybody:
      return 'anybody'
    default:
      return reader.refuse('no such owner')
  }
}

function readSubject(reader: PackedReader, sender: Identity | null, owner: AccessTouch['owner']): string | null {
  switch (reader.u8()) {
    case WHOSE.none:
      return null
    case WHOSE.owner:
      return owner === 'anybody' ? anybodysSubject : owner
    case WHOSE.sender:
      return sender ?? reader.refuse('a subject that is nobody')
    case WHOSE.identity:
      return identityFromBytes(reader.raw(identitySizeBytes))
    case WHOSE.text:
      return reader.string()
    case WHOSE.anybody:
      return anybodysSubject
    default:
      return reader.refuse('no such subject')
  }
}

function readKeys(reader: PackedReader, count: number): Pick<AccessTouch, 'keys' | 'digest'> {
  switch (reader.u8()) {
    case KEYS.steps: {
      let id = 0
      return { keys: times(reader, count, () => String((id += readStep(reader)))), digest: null }
    }
    case KEYS.integers:
      return { keys: times(reader, count, () => String(reader.i64())), digest: null }
    case KEYS.texts:
      return { keys: times(reader, count, () => reader.string()), digest: null }
    case KEYS.digest:
      return { keys: null, digest: reader.raw(32).toString('hex') }
    case KEYS.none:
      return { keys: null, digest: null }
    default:
      return reader.refuse('no such list of keys')
  }
}

/** Each key has a byte at least: a count that is larger than that is none. */
function times(reader: PackedReader, count: number, read: () => string): readonly string[] {
  if (count > reader.remaining) reader.refuse(`${count} keys`)
  return Array.from({ length: count }, read)
}

function readStep(reader: PackedReader): number {
  let value = 0
  let scale = 1
  for (;;) {
    const byte = reader.u8()
    value += (byte % 128) * scale
    if (byte < 128) break
    scale *= 128
    if (scale > 2 ** 56) reader.refuse('a step without end')
  }
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2
}
