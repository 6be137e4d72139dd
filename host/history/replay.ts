/**
 * Runs recorded calls again on a copy of the state before them, and says which came out otherwise than their
 * records say. replayer.ts is what happens to each.
 */
import { HostError } from '../errors.ts'
import { unknownCall } from './calls.ts'
import type { DatabaseHistory } from './folder-history.ts'
import { earliestPosition, PastState } from './past-state.ts'
import { Replayer } from './replayer.ts'
import type { ReplayFindings } from './replayer.ts'

export interface ReplayOptions {
  /** Positions, both of them in the range; the earliest that can be had and the last one when left out. */
  readonly from?: bigint | undefined
  readonly to?: bigint | undefined
  /** Called after each record. */
  readonly onProgress?: (progress: ReplayProgress) => void
}

export interface ReplayProgress {
  readonly position: bigint
  readonly from: bigint
  readonly to: bigint
  readonly callsDiffering: number
}

export interface ReplayReport extends ReplayFindings {
  readonly database: string
  readonly from: string
  readonly to: string
  /** What it took to get to the state before the range. */
  readonly recordsRebuilt: number
  readonly rebuildMs: number
}

/** @throws HostError ERR_CALL_UNKNOWN for what the log does not have, ERR_LOG_DAMAGED when it has lost what comes before the range. */
export async function replay(history: DatabaseHistory, options: ReplayOptions = {}): Promise<ReplayReport> {
  const { from, to } = await rangeOf(history, options)
  const start = performance.now()
  using state = await PastState.before(history, from)
  const replayer = await Replayer.over(state.file)
  const rebuildMs = performance.now() - start
  for await (const record of history.records(from)) {
    if (record.head.position !== replayer.next || !(await replayer.step(record))) break
    options.onProgress?.({ position: record.head.position, from, to, callsDiffering: replayer.callsDiffering })
    if (record.head.position >= to) break
  }
  if (replayer.next <= to) replayer.end('the log has lost it: remembrancer check shows where')
  return { database: history.name, from: String(from), to: String(to), ...replayer.report(), recordsRebuilt: state.recordsApplied, rebuildMs }
}

async function rangeOf(history: DatabaseHistory, { from, to }: ReplayOptions): Promise<{ readonly from: bigint; readonly to: bigint }> {
  const { range } = history
  const first = from ?? (await earliestPosition(history))
  const last = to ?? range?.last
  if (range === undefined || first === undefined || last === undefined) throw unknownCall(history, 'nothing that could run again')
  for (const position of [first, last]) if (position < range.first || position > range.last) throw unknownCall(history, `no record at position ${position}`)
  if (last < first) throw new HostError('ERR_USAGE', `a range goes from the earlier position to the later one, not from ${first} to ${last}`)
  return { from: first, to: last }
}
