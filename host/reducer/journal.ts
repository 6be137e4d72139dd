/**
 * The history of one database as it grows: what a batch did becomes records in the append of its host
 * (host/log), each chained to the one before. Nothing counts until the batch is committed; a batch that
 * is not takes position, chain and time back to where they were.
 */
import type { Micros } from '../clock.ts'
import { assert } from '../errors.ts'
import type { HostError } from '../errors.ts'
import type { BatchMark, RecordBatch } from '../log/record-batch.ts'
import type { RecordKind } from '../log/record.ts'
import { noCallKey } from '../storage/call-results.ts'
import type { Head } from '../storage/head.ts'
import { PayloadWriter } from '../storage/record-payload.ts'
import type { RecordPayload } from '../storage/record-payload.ts'
import { hostVersion, packVersion } from '../version.ts'

/** What stays the same for all records of one database while it is open. */
export interface JournalFacts {
  readonly database: Uint8Array
  readonly tenant: Uint8Array
  readonly sqliteVersion: number
}

/** The versions under which a record's bytes mean what they mean. */
export interface RecordVersions {
  readonly moduleHash: Uint8Array
  readonly schemaVersion: number
  readonly policyVersion: number
  readonly fuelSchedule: number
}

export interface NewRecord {
  readonly kind: RecordKind
  readonly timestamp: Micros
  readonly versions: RecordVersions
  readonly payload: RecordPayload
  readonly seed?: readonly [bigint, bigint]
  readonly fuel?: number
  readonly callKey?: Uint8Array
}

/** Before the first publish. */
export const noVersions: RecordVersions = { moduleHash: new Uint8Array(32), schemaVersion: 0, policyVersion: 0, fuelSchedule: 0 }

const noSeed = [0n, 0n] as const

export interface JournalMark {
  readonly head: Head
  readonly batchMark: BatchMark
}

export class Journal {
  readonly #facts: JournalFacts
  readonly #writer = new PayloadWriter()
  #committed: Head
  #head: Head
  #batch: { readonly records: RecordBatch; readonly epoch: bigint; readonly startBytes: number } | undefined
  #refusal: HostError | undefined

  constructor(facts: JournalFacts, head: Head) {
    this.#facts = facts
    this.#committed = head
    this.#head = head
  }

  /** Where the open batch has come to, or the last one that was committed. */
  get head(): Head {
    return this.#head
  }

  get committed(): Head {
    return this.#committed
  }

  get hasRecords(): boolean {
    return this.#head !== this.#committed
  }

  /** What was added to the open batch so far. */
  get batchBytes(): number {
    return this.#batch === undefined ? 0 : this.#batch.records.sizeBytes - this.#batch.startBytes
  }

  /** What is added until `commit` or `rollback` goes into `records`. */
  begin(records: RecordBatch, epoch: bigint): void {
    this.#batch = { records, epoch, startBytes: records.sizeBytes }
  }

  /** A batch is open: what is done now is answered when it is in the log. */
  get isOpen(): boolean {
    return this.#batch !== undefined
  }

  /** Until `commit` or `rollback` nothing may be added. */
  refuse(refusal: HostError): void {
    this.#refusal = refusal
  }

  /** To be called before anything is changed that `add` will tell of. @throws HostError why nothing may be changed now. */
  requireWritable(): void {
    if (this.#refusal !== undefined) throw this.#refusal
  }

  add({ kind, timestamp, versions, payload, seed = noSeed, fuel = 0, callKey = noCallKey }: NewRecord): void {
    assert(this.#batch !== undefined, 'a change of a database belongs to a batch')
    const { records, epoch } = this.#batch
    const position = this.#head.position + 1n
    const sections = this.#writer.write(payload)
    const chain = records.add(
      { kind, epoch, position, timestamp, seed, fuel, callKey, ...versions, ...this.#facts, hostVersion: packedHostVersion },
      sections,
      this.#head.chain,
    )
    this.#head = { position, chain, timestamp }
  }

  mark(): JournalMark {
    assert(this.#batch !== undefined, 'a mark is set in a batch')
    return { head: this.#head, batchMark: this.#batch.records.mark() }
  }

  /** Forgets what was added since the mark. */
  rewind({ head, batchMark }: JournalMark): void {
    this.#head = head
    this.#batch?.records.rewind(batchMark)
  }

  commit(): void {
    this.#committed = this.#head
    this.#batch = undefined
    this.#refusal = undefined
  }

  /** The file was brought to where the log is. */
  resume(head: Head): void {
    this.#committed = head
    this.#head = head
  }

  rollback(): void {
    this.#head = this.#committed
    this.#batch = undefined
    this.#refusal = undefined
  }
}

const packedHostVersion = packVersion(hostVersion)
