/**
 * What a start finds in the folder of a log: its segments with their ends and databases, most of it told by the
 * header of the segment that follows. Only the last segment is read, and one whose follower has lost what it
 * should tell. Nothing is changed here.
 */
import type { Micros } from '../clock.ts'
import type { LogDamage } from './commit-log.ts'
import { frameAt, frameBytes, payloadOffset } from './frame.ts'
import { HeadTable } from './head-table.ts'
import { readAll } from './log-files.ts'
import type { ReadableFile } from './log-files.ts'
import type { LogFolder } from './log-folder.ts'
import { lostHeader, missing } from './log-reader.ts'
import { ReadablePages } from './readable-pages.ts'
import { saltBytes } from './record.ts'
import { readSegmentHeader } from './segment-header.ts'
import type { SegmentHeader } from './segment-header.ts'
import { findEnd, survey } from './segment-scan.ts'
import { parseSegmentName, rangeOf, segmentName } from './segment.ts'
import type { SealedSegment } from './segment.ts'

export interface FoundLog {
  /** Oldest first; none of them empty. */
  readonly segments: readonly SealedSegment[]
  /** Heads of the whole log, lost segments among them. */
  readonly heads: HeadTable
  /** Of the last tenure; 0 for a new log. */
  readonly epoch: bigint
  readonly nextSequence: bigint
  readonly damage: readonly LogDamage[]
  /** Files that a start which was interrupted has left. */
  readonly leftovers: readonly string[]
}

interface FoundSegment {
  readonly name: string
  readonly firstSequence: bigint
  readonly header: SegmentHeader | undefined
}

/** @throws HostError ERR_LOG_DAMAGED for a log of a later version, and what the files throw. */
export function findLog(folder: LogFolder, now: Micros): FoundLog {
  return new LogFinder(folder, now).find()
}

class LogFinder {
  readonly #folder: LogFolder
  readonly #now: Micros
  readonly #heads = new HeadTable()
  readonly #damage: LogDamage[] = []
  #epoch = 0n

  constructor(folder: LogFolder, now: Micros) {
    this.#folder = folder
    this.#now = now
  }

  find(): FoundLog {
    const names = this.#folder.names()
    const found = names
      .flatMap((name) => parseSegmentName(name) ?? [])
      .sort((left, right) => (left < right ? -1 : 1))
      .map((firstSequence) => this.#found(firstSequence))
    const segments = found.map((segment, index) => this.#settled(segment, found[index + 1]))
    return {
      segments: segments.filter((segment) => segment.nextSequence > segment.firstSequence),
      heads: this.#heads,
      epoch: this.#epoch,
      nextSequence: segments.at(-1)?.nextSequence ?? 1n,
      damage: this.#damage,
      leftovers: names.filter((name) => name.endsWith('.log.tmp')),
    }
  }

  #found(firstSequence: bigint): FoundSegment {
    const name = segmentName(firstSequence)
    const { header, damage } = this.#folder.within(name, 'read', readSegmentHeader)
    for (const one of damage) this.#note(name, { ...one, firstSequence, lastSequence: firstSequence - 1n })
    if (header !== undefined && header.epoch > this.#epoch) this.#epoch = header.epoch
    if (header === undefined || header.firstSequence === firstSequence) return { name, firstSequence, header }
    const what = `the header of the segment that begins with record ${header.firstSequence}: the file was given another name`
    this.#note(name, { offset: 0, sizeBytes: header.framesOffset, firstSequence, lastSequence: firstSequence - 1n, what })
    return { name, firstSequence, header: undefined }
  }

  #settled(segment: FoundSegment, next: FoundSegment | undefined): SealedSegment {
    if (next === undefined) return this.#last(segment)
    const told = next.header?.previous
    if (told === undefined || told.firstSequence <= segment.firstSequence) {
      const isThis = told?.firstSequence === segment.firstSequence
      const settled = this.#sealed(segment, { ...(isThis ? told : {}), nextSequence: next.firstSequence }, next)
      this.#heads.append(settled.heads)
      return settled
    }
    const settled = this.#sealed(segment, { nextSequence: told.firstSequence }, next)
    this.#heads.append(settled.heads)
    if (told.heads !== undefined) this.#heads.append(told.heads, true)
    this.#damage.push(missing(told.firstSequence, next.firstSequence - 1n))
    return settled
  }

  /** A segment with one after it. Its records end before the next one's begin, whatever else is damaged. */
  #sealed(segment: FoundSegment, told: Told, next: FoundSegment): SealedSegment {
    const { name, firstSequence, header } = segment
    const sealedAt = next.header?.createdAt ?? this.#now
    const frames = header && { mark: header.mark, offset: header.framesOffset }
    const endOffset = told.endOffset ?? this.#folder.within(name, 'read', (file) => file.sizeBytes)
    const settled = { name, firstSequence, frames, endOffset, nextSequence: told.nextSequence, sealedAt }
    if (header === undefined) this.#lost(settled)
    return { ...settled, heads: told.heads ?? this.#surveyed(settled) }
  }

  /** The segment without one after it: perhaps the end of it was never synced. */
  #last({ name, firstSequence, header }: FoundSegment): SealedSegment {
    const sealedAt = this.#now
    const size = this.#folder.within(name, 'read', (file) => file.sizeBytes)
    if (header === undefined) {
      // Its records, however many, are lost; numbers that they may have had are not given again.
      const nextSequence = firstSequence + BigInt(Math.floor(size / frameBytes(saltBytes)))
      const lost = { name, firstSequence, frames: undefined, endOffset: size, nextSequence, sealedAt, heads: new HeadTable() }
      this.#lost(lost)
      return lost
    }
    return this.#folder.within(name, 'read', (file) => {
      const frames = { mark: header.mark, offset: header.framesOffset }
      const pages = new ReadablePages(file)
      const end = findEnd({ file: pages, mark: frames.mark, offset: frames.offset, endOffset: size, firstSequence, nextSequence: undefined })
      const failure = hiddenBatch(pages, frames.mark, end.endOffset)
      if (failure !== undefined) throw failure
      const settled = { name, firstSequence, frames, ...end, sealedAt }
      const heads = this.#surveyedIn(pages, settled)
      this.#heads.append(heads)
      return { ...settled, heads }
    })
  }

  /** The databases of a segment, read from its records. */
  #surveyed(segment: Omit<SealedSegment, 'heads'>): HeadTable {
    return this.#folder.within(segment.name, 'read', (file) => this.#surveyedIn(new ReadablePages(file), segment))
  }

  #surveyedIn(file: ReadableFile, segment: Omit<SealedSegment, 'heads'>): HeadTable {
    const range = rangeOf(segment, file)
    if (range === undefined) return new HeadTable()
    const { heads, epoch, damage } = survey(range)
    for (const one of damage) this.#note(segment.name, one)
    if (epoch > this.#epoch) this.#epoch = epoch
    return heads
  }

  #lost({ name, firstSequence, nextSequence, endOffset }: Omit<SealedSegment, 'heads'>): void {
    this.#note(name, { offset: 0, sizeBytes: endOffset, firstSequence, lastSequence: nextSequence - 1n, what: lostHeader })
  }

  #note(file: string, damage: Omit<LogDamage, 'file'>): void {
    this.#damage.push({ file, ...damage })
  }
}

/**
 * Why it cannot be told that no other batch was acknowledged: that would begin where the last whole one ends, and the
 * disk does not give what stands there, or all of what has begun there.
 */
function hiddenBatch(file: ReadablePages, mark: bigint, endOffset: number): Error | undefined {
  const hasBegun = frameAt(readAll(file, Buffer.alloc(payloadOffset), endOffset), 0, mark) !== undefined
  const until = hasBegun ? file.sizeBytes : endOffset + payloadOffset
  return file.unreadable.find(({ offset, sizeBytes }) => offset < until && offset + sizeBytes > endOffset)?.failure
}

/** What the header of the next segment tells. */
interface Told {
  readonly nextSequence: bigint
  readonly endOffset?: number
  readonly heads?: HeadTable | undefined
}
