/**
 * Reads what stands in the segments of a log's folder: their records in chunks, and everything that is wrong
 * with them.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

import * as limits from '../limits.ts'
import { ChainCheck } from './chain-check.ts'
import type { LogDamage } from './commit-log.ts'
import { HeadTable } from './head-table.ts'
import { isMissing } from './log-files.ts'
import type { LogFile } from './log-files.ts'
import type { LogFolder } from './log-folder.ts'
import { ReadablePages } from './readable-pages.ts'
import type { LoggedRecord } from './record.ts'
import { readSegmentHeader } from './segment-header.ts'
import { scan } from './segment-scan.ts'
import type { ScanFilter } from './segment-scan.ts'
import { rangeOf, segmentName } from './segment.ts'
import type { SealedSegment } from './segment.ts'

/** One that is written to can be read up to its end of now. */
export type SegmentToRead = Omit<SealedSegment, 'sealedAt'>

/** A place between two records: whoever has read up to it goes on there. */
export interface LogPlace {
  readonly segment: string
  readonly offset: number
  readonly sequence: bigint
}

export class LogReader {
  readonly #folder: LogFolder

  constructor(folder: LogFolder) {
    this.#folder = folder
  }

  /** Others of this thread have their turn after each chunk: a log can have gigabytes. */
  async *chunks(segments: readonly SegmentToRead[], filter: ScanFilter): AsyncGenerator<readonly LoggedRecord[]> {
    let chunk: LoggedRecord[] = []
    let sizeBytes = 0
    for (const record of this.records(segments, filter)) {
      if (chunk.length === limits.logChunkRecordsMax || (chunk.length > 0 && sizeBytes + record.sections.length > limits.logChunkBytesMax)) {
        yield chunk
        await nextTurn()
        chunk = []
        sizeBytes = 0
      }
      chunk.push(record)
      sizeBytes += record.sections.length
    }
    if (chunk.length > 0) yield chunk
  }

  /** The records one by one, in the caller's own turn: from a place, where the segments still have it. */
  *records(segments: readonly SegmentToRead[], filter: ScanFilter, place?: LogPlace): Generator<LoggedRecord> {
    for (const segment of segments) {
      if (segment.nextSequence <= (filter.from ?? 0n) || (filter.database !== undefined && !segment.heads.has(filter.database))) continue
      using opened = this.#opened(segment)
      const whole = opened && rangeOf(segment, opened.file)
      if (whole === undefined) continue
      const range = segment.name === place?.segment ? { ...whole, offset: place.offset, firstSequence: place.sequence } : whole
      for (const scanned of scan(range, filter)) if (scanned.kind === 'record') yield scanned.record
    }
  }

  /** The first thousand damages; `onSegment` hears of each segment before it is read. */
  async damages(segments: readonly SegmentToRead[], onSegment?: (segment: SegmentToRead) => void): Promise<readonly LogDamage[]> {
    const found: LogDamage[] = []
    const chains = new ChainCheck()
    const heads = new HeadTable()
    let expected = segments[0]?.firstSequence ?? 0n
    for (const segment of segments) {
      onSegment?.(segment)
      if (segment.firstSequence > expected) {
        chains.noteDamage({})
        found.push(missing(expected, segment.firstSequence - 1n))
      }
      for (const damage of this.#damagesOf(segment, chains)) {
        found.push(damage)
        if (found.length === limits.logDamagesMax) return found
      }
      heads.append(segment.heads)
      expected = segment.nextSequence
      await nextTurn()
    }
    for (const [database, head] of heads.copy()) {
      const what = chains.problemOfHead(database, head)
      const lost = { offset: 0, sizeBytes: 0, firstSequence: head.sequence, lastSequence: head.sequence, database }
      if (what !== undefined) found.push({ file: segments.at(-1)?.name ?? '', ...lost, what })
    }
    return found.slice(0, limits.logDamagesMax)
  }

  *#damagesOf(segment: SegmentToRead, chains: ChainCheck): Generator<LogDamage> {
    const file = segment.name
    using opened = this.#opened(segment)
    if (opened === undefined) return chains.noteDamage({})
    const { firstSequence, nextSequence, endOffset } = segment
    for (const damage of readSegmentHeader(opened.file).damage) yield { file, ...damage, firstSequence, lastSequence: firstSequence - 1n }
    const pages = new ReadablePages(opened.file)
    const range = rangeOf(segment, pages)
    if (range === undefined) {
      chains.noteDamage({})
      yield { file, offset: 0, sizeBytes: endOffset, firstSequence, lastSequence: nextSequence - 1n, what: lostHeader }
      return
    }
    for (const scanned of scan(range)) {
      if (scanned.kind === 'damage') {
        chains.noteDamage(scanned.damage)
        yield { file, ...scanned.damage, what: pages.failureAt(scanned.damage) ?? scanned.damage.what }
        continue
      }
      const { record, offset, sizeBytes } = scanned
      const what = chains.problemOf(record)
      const database = Buffer.from(record.head.database).toString('hex')
      if (what !== undefined) yield { file, offset, sizeBytes, firstSequence: record.sequence, lastSequence: record.sequence, database, what }
    }
  }

  /** Undefined for a segment that was trimmed meanwhile. */
  #opened({ name }: SegmentToRead): (Disposable & { readonly file: LogFile }) | undefined {
    try {
      const file = this.#folder.open(name, 'read')
      return { file, [Symbol.dispose]: () => file.close() }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }
}

export const lostHeader = 'both copies of the header are damaged, and no record can be found without it'

/** A segment that should be there. */
export function missing(firstSequence: bigint, lastSequence: bigint): LogDamage {
  return { file: segmentName(firstSequence), offset: 0, sizeBytes: 0, firstSequence, lastSequence, what: 'the segment is missing' }
}
