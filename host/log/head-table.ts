/**
 * The last record of each database among some records of the log: those of one segment while it is written or
 * scanned, those of the whole log at its start. Written at the start of the segment that follows, so that a
 * start need not read the records again.
 */
import type { LogHead } from './commit-log.ts'
import { hashBytes, uidBytes } from './record.ts'

/** uid, first and last position, first and last sequence, chain after the last. */
const entryBytes = uidBytes + 4 * 8 + hashBytes

export interface HeadUpdate {
  readonly position: bigint
  readonly sequence: bigint
  readonly chain: Uint8Array
}

interface MutableHead {
  firstPosition: bigint
  firstSequence: bigint
  position: bigint
  sequence: bigint
  chain: Uint8Array
}

export class HeadTable {
  readonly #heads: Map<string, MutableHead>

  constructor(heads: Iterable<readonly [string, LogHead]> = []) {
    this.#heads = new Map(Array.from(heads, ([database, head]) => [database, { ...head }]))
  }

  get size(): number {
    return this.#heads.size
  }

  has(database: string): boolean {
    return this.#heads.has(database)
  }

  /** The records of a database come in their order. */
  note(database: string, { position, sequence, chain }: HeadUpdate): void {
    const head = this.#heads.get(database)
    if (head === undefined) {
      this.#heads.set(database, { firstPosition: position, firstSequence: sequence, position, sequence, chain })
      return
    }
    head.position = position
    head.sequence = sequence
    head.chain = chain
  }

  /** For a table that was noted before the chains were known. */
  setChain(database: string, chain: Uint8Array): void {
    const head = this.#heads.get(database)
    if (head !== undefined) head.chain = chain
  }

  /** Adds the records of a later table. Those of a lost one count as the last ones, but not as the first ones kept. */
  append(later: HeadTable, isLost = false): void {
    for (const [database, head] of later.#heads) {
      const known = this.#heads.get(database)
      const first = isLost ? { firstPosition: head.position + 1n, firstSequence: head.sequence + 1n } : head
      this.#heads.set(database, { ...head, firstPosition: (known ?? first).firstPosition, firstSequence: (known ?? first).firstSequence })
    }
  }

  /** As it is now. */
  copy(): ReadonlyMap<string, LogHead> {
    return new Map(Array.from(this.#heads, ([database, head]) => [database, { ...head }]))
  }

  encode(): Buffer {
    const bytes = Buffer.alloc(this.#heads.size * entryBytes)
    let at = 0
    for (const [database, head] of this.#heads) {
      at += bytes.write(database, at, 'hex')
      for (const value of [head.firstPosition, head.position, head.firstSequence, head.sequence]) at = bytes.writeBigUInt64LE(value, at)
      bytes.set(head.chain, at)
      at += hashBytes
    }
    return bytes
  }

  /** Bytes whose checksum was right. */
  static decode(bytes: Buffer): HeadTable {
    const table = new HeadTable()
    for (let at = 0; at + entryBytes <= bytes.length; at += entryBytes) {
      const numbers = at + uidBytes
      table.#heads.set(bytes.toString('hex', at, numbers), {
        firstPosition: bytes.readBigUInt64LE(numbers),
        position: bytes.readBigUInt64LE(numbers + 8),
        firstSequence: bytes.readBigUInt64LE(numbers + 16),
        sequence: bytes.readBigUInt64LE(numbers + 24),
        chain: new Uint8Array(bytes.subarray(numbers + 32, numbers + 32 + hashBytes)),
      })
    }
    return table
  }

  static sizeBytes(count: number): number {
    return count * entryBytes
  }
}
