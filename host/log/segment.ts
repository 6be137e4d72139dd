/**
 * A segment of the log, one file: the one that is written to, and those that are not any more.
 */
import type { Micros } from '../clock.ts'
import * as limits from '../limits.ts'
import { HeadTable } from './head-table.ts'
import { writeAll } from './log-files.ts'
import type { LogFile, ReadableFile } from './log-files.ts'
import type { LogFolder } from './log-folder.ts'
import type { RecordBatch } from './record-batch.ts'
import { uidBytes } from './record.ts'
import { encodeSegmentHeader } from './segment-header.ts'
import type { PreviousSegment, SegmentHeader } from './segment-header.ts'
import type { SegmentEnd } from './segment-scan.ts'
import type { WalkRange } from './segment-walk.ts'

/** The name says the first sequence, in 20 digits, so that names sort as sequences do. */
export function segmentName(firstSequence: bigint): string {
  return `${firstSequence.toString().padStart(20, '0')}.log`
}

/** The first sequence of a segment's name, or undefined for another file. */
export function parseSegmentName(name: string): bigint | undefined {
  const digits = /^(\d{20})\.log$/.exec(name)?.[1]
  return digits === undefined ? undefined : BigInt(digits)
}

/** A segment whose end is settled: nothing behind it counts, whatever the file holds there. */
export interface SealedSegment extends SegmentEnd {
  readonly name: string
  readonly firstSequence: bigint
  /** Undefined when the segment's header is lost, and its records with it. */
  readonly frames: { readonly mark: bigint; readonly offset: number } | undefined
  /** Microseconds since 1970. */
  readonly sealedAt: Micros
  readonly heads: HeadTable
}

/** What a walk over a segment needs, and of which file; undefined when no record of it can be found. */
export function rangeOf(segment: Pick<SealedSegment, 'frames' | 'endOffset' | 'firstSequence' | 'nextSequence'>, file: ReadableFile): WalkRange | undefined {
  const { frames, endOffset, firstSequence, nextSequence } = segment
  return frames && { file, mark: frames.mark, offset: frames.offset, endOffset, firstSequence, nextSequence }
}

export function previousOf(segment: SealedSegment | undefined): PreviousSegment | undefined {
  return segment && { firstSequence: segment.firstSequence, endOffset: segment.endOffset, heads: segment.heads }
}

const zeros = new Uint8Array(limits.logAheadBytes)

/** The segment that is written to. Its methods throw what the files throw; the log knows what then is to be done. */
export class ActiveSegment {
  readonly name: string
  readonly firstSequence: bigint
  readonly frames: { readonly mark: bigint; readonly offset: number }
  readonly heads = new HeadTable()
  readonly #file: LogFile
  readonly #aheadBytes: number
  #endOffset: number
  /** Up to here the file is written, with records and then with zeros. */
  #aheadOffset: number
  #nextSequence: bigint
  #isTrusted = true

  private constructor(file: LogFile, name: string, header: SegmentHeader, aheadBytes: number) {
    this.#file = file
    this.#aheadBytes = aheadBytes
    this.name = name
    this.firstSequence = header.firstSequence
    this.frames = { mark: header.mark, offset: header.framesOffset }
    this.#endOffset = header.framesOffset
    this.#aheadOffset = header.framesOffset
    this.#nextSequence = header.firstSequence
  }

  /**
   * On the disk when it returns, and with it the end of the segment before. It appears whole, under a name that
   * it has only then; an empty segment of that name goes.
   */
  static create(folder: LogFolder, header: Omit<SegmentHeader, 'framesOffset'>, aheadBytes: number): ActiveSegment {
    const name = segmentName(header.firstSequence)
    const temporary = `${name}.tmp`
    folder.remove(temporary)
    const bytes = encodeSegmentHeader(header)
    const file = folder.open(temporary, 'create')
    try {
      writeAll(file, bytes, 0)
      file.sync()
      folder.rename(temporary, name)
      folder.sync()
    } catch (error) {
      file.close()
      throw error
    }
    return new ActiveSegment(file, name, { ...header, framesOffset: bytes.length }, aheadBytes)
  }

  get endOffset(): number {
    return this.#endOffset
  }

  get nextSequence(): bigint {
    return this.#nextSequence
  }

  get isEmpty(): boolean {
    return this.#nextSequence === this.firstSequence
  }

  /**
   * False after a sync has failed: the system then takes pages for written that are not, and a later sync
   * would say that all is well.
   */
  get isTrusted(): boolean {
    return this.#isTrusted
  }

  append(batch: RecordBatch): void {
    const bytes = batch.stamp(this.frames.mark, this.#nextSequence)
    writeAll(this.#file, bytes, this.#endOffset)
    this.#writeAhead(this.#endOffset + bytes.length)
    this.#sync()
    this.#endOffset += bytes.length
    this.#note(batch)
  }

  /** Takes back what an append has written and not synced. */
  cut(): void {
    this.#aheadOffset = this.#endOffset
    this.#file.truncate(this.#endOffset)
    this.#sync()
  }

  /** Leaves it, once the next segment says where it ends. */
  close(): void {
    try {
      this.#file.truncate(this.#endOffset)
    } catch {
      // The zeros, and what was never acknowledged, stay behind the end: no reader goes there.
    }
    this.#file.close()
  }

  /** Leaves it to somebody who has taken it over. */
  abandon(): void {
    this.#file.close()
  }

  /** What is in it now. The table of heads goes on with the segment. */
  view(): Omit<SealedSegment, 'sealedAt'> {
    const { name, firstSequence, frames, heads, endOffset, nextSequence } = this
    return { name, firstSequence, frames, heads, endOffset, nextSequence }
  }

  #note(batch: RecordBatch): void {
    let known: Uint8Array | undefined
    let hex = ''
    for (const { database, position, chainAfter } of batch.entries) {
      // A batch mostly has several records of one database, one after the other.
      if (database !== known) hex = Buffer.from(database.buffer, database.byteOffset, uidBytes).toString('hex')
      known = database
      this.heads.note(hex, { position, sequence: this.#nextSequence, chain: chainAfter })
      this.#nextSequence += 1n
    }
  }

  #writeAhead(endOffset: number): void {
    if (endOffset <= this.#aheadOffset) return
    this.#aheadOffset = endOffset
    try {
      writeAll(this.#file, zeros.subarray(0, this.#aheadBytes), endOffset)
      this.#aheadOffset += this.#aheadBytes
    } catch {
      // They only make the next syncs faster. A disk without room for them may still have some for records.
    }
  }

  #sync(): void {
    this.#isTrusted = false
    this.#file.sync()
    this.#isTrusted = true
  }
}
