/**
 * The records of one append, framed one after the other in one memory that is kept for the next batch. The
 * commit path adds records; a driver of the log stamps them with their sequences and writes the bytes as
 * they stand.
 */
import { randomFillSync } from 'node:crypto'

import { assert } from '../errors.ts'
import * as limits from '../limits.ts'
import { closeFrame, frameBytes, frameHeadBytes, openFrame, payloadOffset } from './frame.ts'
import { encodeHead, hashBytes, recordHeadBytes, saltBytes, sha256, uidBytes } from './record.ts'
import type { ByteTarget, RecordHead } from './record.ts'

const firstSizeBytes = 64 * 1024
/** One draw for 256 records: a draw costs a microsecond before its first byte. */
const saltsDrawn = 256 * saltBytes

/** What a driver keeps of a record that it has written. */
export interface BatchEntry {
  readonly database: Uint8Array
  readonly position: bigint
  readonly chainAfter: Uint8Array
}

/** A place between two records of a batch. */
export interface BatchMark {
  readonly sizeBytes: number
  readonly count: number
}

export class RecordBatch {
  #target: ByteTarget = targetOf(firstSizeBytes)
  /** The header that is being made: hashed where it stands and then copied, which is cheaper than a view for each record. */
  readonly #head: ByteTarget = targetOf(recordHeadBytes)
  #sizeBytes = 0
  readonly #entries: BatchEntry[] = []
  readonly #salts = new Uint8Array(saltsDrawn)
  #saltAt = saltsDrawn

  get count(): number {
    return this.#entries.length
  }

  /** With frames and padding: what will stand in the log. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get entries(): readonly BatchEntry[] {
    return this.#entries
  }

  /** Forgets the records and keeps the memory, unless a large batch made it grow. */
  reset(): void {
    this.#sizeBytes = 0
    this.#entries.length = 0
    if (this.#target.bytes.length > limits.logBatchBytesKept) this.#target = targetOf(firstSizeBytes)
  }

  /**
   * Encodes one record and gives the chain after it: 32 bytes, the caller's own, not to be changed. `sections`
   * is the payload after its salt, which is drawn here. A batch has at most 65,535 records, and a payload
   * 64 MiB: the commit path looks before it adds.
   */
  add(head: RecordHead, sections: Uint8Array, chainBefore: Uint8Array): Uint8Array {
    const payloadBytes = saltBytes + sections.length
    assertSizes(head, chainBefore, payloadBytes)
    assert(this.count < limits.logBatchRecordsMax, 'a batch is full')
    const at = this.#sizeBytes
    const sizeBytes = frameBytes(payloadBytes)
    this.#reserve(sizeBytes)
    const { bytes } = this.#target
    const payloadAt = at + payloadOffset
    this.#writeSalt(payloadAt)
    bytes.set(sections, payloadAt + saltBytes)
    for (let padding = payloadAt + payloadBytes; padding < at + sizeBytes; padding += 1) bytes[padding] = 0
    encodeHead(this.#head, head, { payload: bytes.subarray(payloadAt, payloadAt + payloadBytes), chainBefore })
    bytes.set(this.#head.bytes, at + frameHeadBytes)
    openFrame(this.#target, at, { payloadBytes, batchIndex: this.count })
    const chainAfter = sha256(this.#head.bytes)
    this.#entries.push({ database: head.database, position: head.position, chainAfter })
    this.#sizeBytes = at + sizeBytes
    return chainAfter
  }

  /** To go back to when what was added since turns out not to happen. */
  mark(): BatchMark {
    return { sizeBytes: this.#sizeBytes, count: this.count }
  }

  rewind({ sizeBytes, count }: BatchMark): void {
    this.#sizeBytes = sizeBytes
    this.#entries.length = count
  }

  /**
   * For a driver: gives the records their sequences from `firstSequence` on, and the bytes as they go into a
   * segment with this mark. They are valid until the batch is changed.
   */
  stamp(mark: bigint, firstSequence: bigint): Uint8Array {
    let at = 0
    for (let index = 0; index < this.count; index += 1) {
      at += closeFrame(this.#target, at, { mark, sequence: firstSequence + BigInt(index), batchCount: this.count })
    }
    return this.#target.bytes.subarray(0, this.#sizeBytes)
  }

  #writeSalt(at: number): void {
    if (this.#saltAt === saltsDrawn) {
      randomFillSync(this.#salts)
      this.#saltAt = 0
    }
    const { bytes } = this.#target
    for (let index = 0; index < saltBytes; index += 1) bytes[at + index] = this.#salts[this.#saltAt + index] ?? 0
    this.#saltAt += saltBytes
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#sizeBytes + sizeBytes
    if (needed <= this.#target.bytes.length) return
    const larger = targetOf(Math.max(needed, this.#target.bytes.length * 2))
    larger.bytes.set(this.#target.bytes.subarray(0, this.#sizeBytes))
    this.#target = larger
  }
}

function targetOf(sizeBytes: number): ByteTarget {
  const buffer = new ArrayBuffer(sizeBytes)
  return { bytes: Buffer.from(buffer), view: new DataView(buffer) }
}

function assertSizes({ database, tenant, moduleHash, callKey }: RecordHead, chainBefore: Uint8Array, payloadBytes: number): void {
  assert(database.length === uidBytes && tenant.length === uidBytes && callKey.length === uidBytes, 'uids and call keys have 16 bytes')
  assert(moduleHash.length === hashBytes && chainBefore.length === hashBytes, 'hashes have 32 bytes')
  assert(payloadBytes <= limits.recordPayloadBytesMax, 'a payload is too large')
}
