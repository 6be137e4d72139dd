/**
 * Forgetting a database in an immutable log: the payloads of its records are overwritten where they stand, and
 * their headers, which hold only hashes, stay for the chain. A file says that it has begun and goes when it is
 * done; a start that finds one does the work again.
 */
import { crc32 } from 'node:zlib'

import type { Micros } from '../clock.ts'
import { erasure, headerOf, payloadOffset } from './frame.ts'
import { readAll, writeAll } from './log-files.ts'
import type { LogFile } from './log-files.ts'
import type { LogFolder } from './log-folder.ts'
import { databaseOf } from './record.ts'
import { walk } from './segment-walk.ts'
import { rangeOf } from './segment.ts'
import type { SealedSegment } from './segment.ts'

const intentName = /^erase-([0-9a-f]{32})$/
/** The sequence before which records are erased, and a checksum: a file that was not written whole says nothing. */
const intentBytes = 12

/** The databases, as hex, of these names of files. */
export function begunErasures(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => intentName.exec(name)?.[1] ?? [])
}

export class Erasure {
  readonly #folder: LogFolder
  readonly #database: string

  constructor(folder: LogFolder, database: string) {
    this.#folder = folder
    this.#database = database
  }

  get #intent(): string {
    return `erase-${this.#database}`
  }

  /** After this the erasure of the records before this sequence will be done, whatever happens. */
  begin(before: bigint): void {
    const bytes = Buffer.alloc(intentBytes)
    bytes.writeBigUInt64LE(before)
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8)
    const isThere = this.#folder.names().includes(this.#intent)
    this.#folder.within(this.#intent, isThere ? 'update' : 'create', (file) => {
      writeAll(file, bytes, 0)
      file.sync()
    })
    this.#folder.sync()
  }

  /** What it has begun with; undefined when it has not come so far. */
  begun(): bigint | undefined {
    const bytes = this.#folder.within(this.#intent, 'read', (file) => readAll(file, Buffer.alloc(intentBytes), 0))
    const isWhole = bytes.length === intentBytes && crc32(bytes.subarray(0, 8)) === bytes.readUInt32LE(8)
    return isWhole ? bytes.readBigUInt64LE() : undefined
  }

  /** Overwrites in these segments. May be done again. */
  overwrite(segments: Iterable<SegmentToErase>, before: bigint): void {
    for (const segment of segments) {
      this.#folder.within(segment.name, 'update', (file) => {
        // What never happened is this database's too, perhaps. The segment that is written to has no such end.
        if (segment.sealedAt !== undefined && file.sizeBytes > segment.endOffset) file.truncate(segment.endOffset)
        overwriteIn(file, segment, { database: this.#database, before })
        file.sync()
      })
    }
  }

  end(): void {
    this.#folder.remove(this.#intent)
    this.#folder.sync()
  }
}

function overwriteIn(file: LogFile, segment: SegmentToErase, { database, before }: { readonly database: string; readonly before: bigint }): void {
  const range = rangeOf(segment, file)
  if (range === undefined) return
  const payloads: { readonly offset: number; readonly sizeBytes: number }[] = []
  for (const step of walk(range)) {
    if (step.kind === 'gap' || step.frame.sequence >= before) continue
    if (databaseOf(headerOf(step.bytes, step.frame)) !== database) continue
    // A file that ends within a payload is not made longer.
    payloads.push({ offset: step.offset, sizeBytes: Math.min(step.frame.payloadBytes, step.bytes.length - payloadOffset) })
  }
  // Only when the word is on the disk may the payload go: zeros without it are a damage.
  for (const { offset } of payloads) writeAll(file, erasure.word, offset + erasure.wordOffset)
  file.sync()
  for (const { offset, sizeBytes } of payloads) writeZeros(file, offset + payloadOffset, sizeBytes)
}

/** One that is written to has not been sealed. */
export type SegmentToErase = Pick<SealedSegment, 'name' | 'firstSequence' | 'nextSequence' | 'endOffset' | 'frames'> & { readonly sealedAt?: Micros }

const zeros = new Uint8Array(64 * 1024)

function writeZeros(file: LogFile, offset: number, sizeBytes: number): void {
  for (let written = 0; written < sizeBytes; written += zeros.length) {
    writeAll(file, zeros.subarray(0, Math.min(zeros.length, sizeBytes - written)), offset + written)
  }
}
