/**
 * What the payload of a log record says (docs/log-format.md): sections of packed bytes, written by the
 * journal while a batch runs and read back by whoever restores, shows or replays. Bytes come from a disk,
 * so that the reader checks them like any others.
 */
import { HostError } from '../errors.ts'
import { ASSURANCES, identitySizeBytes } from '../identity.ts'
import type { Assurance } from '../identity.ts'
import { SECTION_TAGS, sections, SectionWriter } from '../log/sections.ts'
import type { SectionName } from '../log/sections.ts'
import { PackedReader } from '../packed-bytes.ts'
import type { PackedWriter } from '../packed-bytes.ts'
import type { SqlRow } from '../plan/plan.ts'
import type { Schema, SchemaChange, Table } from '../schema/schema.ts'
import type { DirectoryChange, DirectoryChangeKind } from './directory.ts'
import type { NewModule } from './module-store.ts'
import { packRow, unpackRow } from './row-image.ts'
import type { RowOperation } from './row-operation.ts'

export interface RecordedCaller {
  readonly sender: Uint8Array
  readonly actor: Uint8Array
  readonly assurance: Assurance
  readonly channel: string
  readonly claims: Readonly<Record<string, string>>
}

export interface RecordedCall {
  readonly reducer: string
  /** Of its caller's choice; empty when it gave none. */
  readonly id: string
  readonly caller: RecordedCaller
  /** Which version of the module packed arguments and result. */
  readonly version: number
  readonly args: Uint8Array
  readonly result: Uint8Array
}

export interface RecordedSchema {
  readonly schema: Schema
  readonly changes: readonly SchemaChange[]
}

/** The sections that a record may have; each kind of record has its own of them. */
export interface RecordPayload {
  readonly call?: RecordedCall
  readonly operations?: readonly RowOperation[]
  readonly directory?: DirectoryChange
  readonly module?: NewModule
  readonly schema?: RecordedSchema
  /** Rows of the file's `_meta`. */
  readonly meta?: Readonly<Record<string, string>>
}

const directoryChanges: readonly DirectoryChangeKind[] = ['mint', 'link', 'unlink']
const operationKinds = ['insert', 'update', 'delete'] as const

/** Written over and over: the journal's, one for each open database. */
export class PayloadWriter {
  readonly #sections = new SectionWriter()

  /** Valid until the next payload. */
  write({ call, operations, directory, module, schema, meta }: RecordPayload): Uint8Array {
    const sections = this.#sections
    sections.reset()
    if (call !== undefined) writeCall(sections, call)
    if (operations !== undefined) sections.write('operations', (packed) => packOperations(packed, operations))
    if (directory !== undefined) sections.write('identities', (packed) => packDirectoryChange(packed, directory))
    if (module !== undefined) sections.write('module', (packed) => packModule(packed, module))
    if (schema !== undefined) sections.write('schema', (packed) => packed.string(JSON.stringify(schema)))
    if (meta !== undefined) sections.write('meta', (packed) => packTexts(packed, meta))
    return sections.view()
  }
}

function writeCall(sections: SectionWriter, { caller, reducer, id, version, args, result }: RecordedCall): void {
  sections.write('caller', (packed) => {
    packed.raw(caller.sender)
    packed.raw(caller.actor)
    packed.u8(ASSURANCES.indexOf(caller.assurance))
    packed.string(caller.channel)
    packTexts(packed, caller.claims)
  })
  sections.write('call', (packed) => {
    packed.string(reducer)
    packed.string(id)
    packed.u32(version)
  })
  sections.add('arguments', args)
  sections.add('result', result)
}

/** A payload that was read, its sections unpacked as they are asked for. */
export class PayloadReader {
  readonly #sections: ReadonlyMap<number, Uint8Array>

  /** @throws HostError ERR_LOG_DAMAGED when the bytes are no sections. */
  constructor(bytes: Uint8Array) {
    this.#sections = sections(bytes)
  }

  get call(): RecordedCall {
    const caller = this.#reading('caller')
    const recordedCaller = {
      sender: new Uint8Array(caller.raw(identitySizeBytes)),
      actor: new Uint8Array(caller.raw(identitySizeBytes)),
      assurance: ASSURANCES[caller.u8()] ?? caller.refuse('no such assurance'),
      channel: caller.string(),
      claims: unpackTexts(caller),
    }
    caller.end()
    const call = this.#reading('call')
    const recorded = { reducer: call.string(), id: call.string(), version: call.u32(), caller: recordedCaller }
    call.end()
    return { ...recorded, args: this.#bytes('arguments'), result: this.#bytes('result') }
  }

  /** Of tables as `writerOf` knows them by their numbers. */
  operations<W extends { readonly table: Table }>(writerOf: (table: number) => W | undefined): RowOperation<W>[] {
    const reader = this.#reading('operations')
    const operations: RowOperation<W>[] = []
    for (let left = reader.u32(); left > 0; left--) {
      const kind = operationKinds[reader.u8()] ?? reader.refuse('no such operation')
      const table = reader.u32()
      const writer = writerOf(table) ?? reader.refuse(`no table ${table}`)
      const row = (): SqlRow => unpackRow(reader, writer.table.columns)
      if (kind === 'insert') operations.push({ kind, writer, after: row() })
      else if (kind === 'delete') operations.push({ kind, writer, before: row() })
      else operations.push({ kind, writer, before: row(), after: row() })
    }
    reader.end()
    return operations
  }

  /** The packed operations, to be compared with others. */
  get operationBytes(): Uint8Array {
    return this.#bytes('operations')
  }

  get directory(): DirectoryChange {
    const reader = this.#reading('identities')
    const change = {
      kind: directoryChanges[reader.u8()] ?? reader.refuse('no such change of a login'),
      login: { issuer: reader.string(), subject: reader.string() },
      before: optionalIdentity(reader),
      after: new Uint8Array(reader.raw(identitySizeBytes)),
      own: optionalIdentity(reader),
      at: reader.i64(),
      by: reader.string(),
    }
    reader.end()
    return change
  }

  get module(): NewModule {
    const reader = this.#reading('module')
    const module = {
      version: reader.u32(),
      hash: reader.string(),
      core: new Uint8Array(reader.bytes()),
      fuelSchedule: reader.u32(),
      description: new Uint8Array(reader.bytes()),
      schemaVersion: reader.u32(),
      policyVersion: reader.u32(),
      publishedAt: reader.i64(),
      publishedBy: reader.string(),
    }
    reader.end()
    return module
  }

  /** The schema as JSON holds it: its tables and columns are not the objects of any other schema. */
  get schema(): RecordedSchema {
    const reader = this.#reading('schema')
    const text = reader.string()
    reader.end()
    // Written by this file from a schema of ours, under a checksum and a hash.
    return JSON.parse(text) as RecordedSchema
  }

  get meta(): Readonly<Record<string, string>> {
    const reader = this.#reading('meta')
    const texts = unpackTexts(reader)
    reader.end()
    return texts
  }

  #bytes(name: SectionName): Uint8Array {
    const found = this.#sections.get(SECTION_TAGS[name])
    if (found === undefined) throw new HostError('ERR_LOG_DAMAGED', `a record has no section of its ${name}`)
    return found
  }

  #reading(name: SectionName): PackedReader {
    return new PackedReader(this.#bytes(name), 'ERR_LOG_DAMAGED')
  }
}

export function packOperations(packed: PackedWriter, operations: readonly RowOperation[]): void {
  packed.u32(operations.length)
  for (const operation of operations) {
    const { table } = operation.writer
    packed.u8(operationKinds.indexOf(operation.kind))
    packed.u32(table.id)
    if (operation.kind !== 'insert') packImage(packed, table, operation.before)
    if (operation.kind !== 'delete') packImage(packed, table, operation.after)
  }
}

function packImage(packed: PackedWriter, table: Table, row: SqlRow): void {
  packRow(packed, table.columns, row)
}

function packDirectoryChange(packed: PackedWriter, { kind, login, before, after, own, at, by }: DirectoryChange): void {
  packed.u8(directoryChanges.indexOf(kind))
  packed.string(login.issuer)
  packed.string(login.subject)
  packOptional(packed, before)
  packed.raw(after)
  packOptional(packed, own)
  packed.i64(at)
  packed.string(by)
}

function packModule(packed: PackedWriter, module: NewModule): void {
  packed.u32(module.version)
  packed.string(module.hash)
  packed.bytes(module.core)
  packed.u32(module.fuelSchedule)
  packed.bytes(module.description)
  packed.u32(module.schemaVersion)
  packed.u32(module.policyVersion)
  packed.i64(module.publishedAt)
  packed.string(module.publishedBy)
}

function packOptional(packed: PackedWriter, bytes: Uint8Array | null): void {
  packed.u8(bytes === null ? 0 : 1)
  if (bytes !== null) packed.raw(bytes)
}

function optionalIdentity(reader: PackedReader): Uint8Array | null {
  return reader.bool() ? new Uint8Array(reader.raw(identitySizeBytes)) : null
}

function packTexts(packed: PackedWriter, texts: Readonly<Record<string, string>>): void {
  const entries = Object.entries(texts)
  packed.u32(entries.length)
  for (const [name, value] of entries) {
    packed.string(name)
    packed.string(value)
  }
}

function unpackTexts(reader: PackedReader): Record<string, string> {
  const texts: [string, string][] = []
  for (let left = reader.u32(); left > 0; left--) texts.push([reader.string(), reader.string()])
  return Object.fromEntries(texts)
}
