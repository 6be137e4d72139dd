/**
 * What a segment holds: where the last batch that counts ends in one that was not sealed, and the records and
 * damages of one whose end is known.
 */
import { HostError } from '../errors.ts'
import type { LogDamage } from './commit-log.ts'
import { headerOf, isPayloadWhole, recordOf } from './frame.ts'
import { HeadTable } from './head-table.ts'
import { databaseOf, epochOf, positionOf, sha256 } from './record.ts'
import type { LoggedRecord } from './record.ts'
import { walk } from './segment-walk.ts'
import type { FrameStep, GapStep, WalkRange } from './segment-walk.ts'

/** Where a segment ends, and which sequence comes after it. */
export interface SegmentEnd {
  readonly endOffset: number
  readonly nextSequence: bigint
}

/**
 * The end of the last whole batch. The last batch of a log that was not closed may be torn: any part of it may
 * be missing, since nobody synced it. So a batch of which something is missing is cut, if no later one shows
 * that it was synced; if one does, it is damaged, and what is left of it counts.
 */
export function findEnd(range: WalkRange): SegmentEnd {
  const nothing: SegmentEnd = { endOffset: range.offset, nextSequence: range.firstSequence }
  let last = { start: nothing, count: 0 }
  let gap: GapStep | undefined
  for (const step of walk(range)) {
    if (step.kind === 'gap') {
      gap = step
      continue
    }
    const { sequence, batchIndex, batchCount } = step.frame
    const first = sequence - BigInt(batchIndex)
    if (first !== last.start.nextSequence || last.count === 0) {
      const endOffset = gap?.firstSequence === first ? gap.offset : step.offset
      last = { start: { endOffset, nextSequence: first }, count: batchCount }
    }
    gap = undefined
  }
  return endOfWhole(range, last.start, last.count) ?? last.start
}

/** The end of the batch that starts here, if all its records are there. */
function endOfWhole(range: WalkRange, { endOffset, nextSequence }: SegmentEnd, count: number): SegmentEnd | undefined {
  let missing = count
  let end: SegmentEnd | undefined
  for (const step of walk({ ...range, offset: endOffset, firstSequence: nextSequence })) {
    if (step.kind === 'gap' || !isPayloadWhole(step.bytes, step.frame)) continue
    missing -= 1
    end = { endOffset: step.offset + step.frame.sizeBytes, nextSequence: step.frame.sequence + 1n }
  }
  return missing === 0 ? end : undefined
}

/** What a start must know of a segment that nothing else tells. */
export interface Survey {
  readonly heads: HeadTable
  /** The latest tenure of which there is a record. */
  readonly epoch: bigint
  readonly damage: readonly ScannedDamage[]
}

export function survey(range: WalkRange): Survey {
  const last = new Map<string, Buffer>()
  const heads = new HeadTable()
  const damage: ScannedDamage[] = []
  let epoch = 0n
  for (const step of walk(range)) {
    if (step.kind === 'gap') {
      damage.push(gapDamage(step))
      continue
    }
    if (!isPayloadWhole(step.bytes, step.frame)) damage.push(frameDamage(step, 'its payload is not what was written'))
    const header = headerOf(step.bytes, step.frame)
    const database = databaseOf(header)
    heads.note(database, { position: positionOf(header), sequence: step.frame.sequence, chain: header })
    // Hashing each header would take longer than all the rest of a start.
    last.set(database, Buffer.from(header))
    epoch = epochOf(header) > epoch ? epochOf(header) : epoch
  }
  for (const [database, header] of last) heads.setChain(database, sha256(header))
  return { heads, epoch, damage }
}

export type Scanned =
  | { readonly kind: 'record'; readonly offset: number; readonly sizeBytes: number; readonly record: LoggedRecord }
  | { readonly kind: 'damage'; readonly damage: ScannedDamage }

export type ScannedDamage = Omit<LogDamage, 'file'>

export interface ScanFilter {
  readonly from?: bigint
  /** Hex of the uid. Gaps, of which nobody knows whose they are, are left out. */
  readonly database?: string | undefined
}

/** The records and damages of a segment whose end is known. */
export function* scan(range: WalkRange, { from = 0n, database }: ScanFilter = {}): Generator<Scanned> {
  for (const step of walk(range)) {
    if (step.kind === 'gap') {
      if (database === undefined) yield { kind: 'damage', damage: gapDamage(step) }
    } else if (step.frame.sequence >= from && (database === undefined || databaseOf(headerOf(step.bytes, step.frame)) === database)) {
      yield scannedRecord(step)
    }
  }
}

function scannedRecord(step: FrameStep): Scanned {
  const { offset, frame, bytes } = step
  try {
    return { kind: 'record', offset, sizeBytes: frame.sizeBytes, record: recordOf(bytes, frame) }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return { kind: 'damage', damage: frameDamage(step, error.message) }
  }
}

function gapDamage({ offset, sizeBytes, firstSequence, lastSequence }: GapStep): ScannedDamage {
  return { offset, sizeBytes, firstSequence, lastSequence, what: 'bytes that are no records of this log' }
}

function frameDamage(step: FrameStep, what: string): ScannedDamage {
  const { offset, frame } = step
  return {
    offset,
    sizeBytes: frame.sizeBytes,
    firstSequence: frame.sequence,
    lastSequence: frame.sequence,
    database: databaseOf(headerOf(step.bytes, step.frame)),
    what,
  }
}
