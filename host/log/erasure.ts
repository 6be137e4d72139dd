/**
 * Forgetting a database in an immutable log: the payloads of its records are overwritten where they stand, and
 * their headers, which hold only hashes, stay for the chain. A file says that it has begun and goes when it is
 * done; a start that finds one does the work again.
 */
import { join } from 'node:path'

import type { Micros } from '../clock.ts'
import { erasure, frameHeadBytes, payloadOffset } from './frame.ts'
import { isMissing, writeAll } from './log-files.ts'
import type { LogFile, LogFiles } from './log-files.ts'
import { databaseOf } from './record.ts'
import { walk } from './segment-walk.ts'
import { rangeOf } from './segment.ts'
import type { SealedSegment } from './segment.ts'

const intentName = /^erase-([0-9a-f]{32})$/

/** The databases, as hex, whose erasure has begun and not ended. */
export function begunErasures(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => intentName.exec(name)?.[1] ?? [])
}

export class Erasure {
  readonly #files: LogFiles
  readonly #folder: string
  readonly #database: string

  constructor(files: LogFiles, folder: string, database: string) {
    this.#files = files
    this.#folder = folder
    this.#database = database
  }

  get #intent(): string {
    return join(this.#folder, `erase-${this.#database}`)
  }

  /** After this the erasure will be done, whatever happens. */
  begin(): void {
    if (!this.#files.list(this.#folder).includes(`erase-${this.#database}`)) this.#files.open(this.#intent, 'create').close()
    this.#files.syncFolder(this.#folder)
  }

  /** Overwrites in these segments. May be done again. */
  overwrite(segments: Iterable<SegmentToErase>): void {
    for (const segment of segments) {
      const file = this.#files.open(join(this.#folder, segment.name), 'update')
      try {
        // What never happened is this database's too, perhaps. The segment that is written to has no such end.
        if (segment.sealedAt !== undefined && file.sizeBytes > segment.endOffset) file.truncate(segment.endOffset)
        this.#overwriteIn(file, segment)
        file.sync()
      } finally {
        file.close()
      }
    }
  }

  end(): void {
    try {
      this.#files.unlink(this.#intent)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    this.#files.syncFolder(this.#folder)
  }

  #overwriteIn(file: LogFile, segment: SegmentToErase): void {
    const range = rangeOf(segment, file)
    if (range === undefined) return
    const payloads: { readonly offset: number; readonly sizeBytes: number }[] = []
    for (const step of walk(range)) {
      if (step.kind === 'gap' || databaseOf(step.bytes.subarray(frameHeadBytes, payloadOffset)) !== this.#database) continue
      // A file that ends within a payload is not made longer.
      const sizeBytes = Math.min(step.frame.payloadBytes, step.bytes.length - payloadOffset)
      payloads.push({ offset: step.offset, sizeBytes })
    }
    // Only when the word is on the disk may the payload go: zeros without it are a damage.
    for (const { offset } of payloads) writeAll(file, erasure.word, offset + erasure.wordOffset)
    file.sync()
    for (const { offset, sizeBytes } of payloads) writeZeros(file, offset + payloadOffset, sizeBytes)
  }
}

/** One that is written to has not been sealed. */
export type SegmentToErase = Pick<SealedSegment, 'name' | 'firstSequence' | 'nextSequence' | 'endOffset' | 'frames'> & { readonly sealedAt?: Micros }

const zeros = new Uint8Array(64 * 1024)

function writeZeros(file: LogFile, offset: number, sizeBytes: number): void {
  for (let written = 0; written < sizeBytes; written += zeros.length) {
    writeAll(file, zeros.subarray(0, Math.min(zeros.length, sizeBytes - written)), offset + written)
  }
}
