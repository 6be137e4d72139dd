/** Calls that a database has recorded, found by their positions, or by the ids that their callers gave them. */
import { HostError } from '../errors.ts'
import type { LoggedRecord } from '../log/record.ts'
import { PayloadReader } from '../storage/record-payload.ts'
import { Archive } from './archive.ts'
import type { DatabaseHistory } from './folder-history.ts'
import { isCall, showCall, showRecord } from './shown-record.ts'
import type { CallRecord, ShownCall, ShownRecord } from './shown-record.ts'

export interface CallRange {
  /** Positions, both of them in the range. */
  readonly from?: bigint | undefined
  readonly to?: bigint | undefined
  /** Only so many, the last ones. */
  readonly countMax: number
}

/** The calls of a range in their order, the newest last. */
export async function listCalls(history: DatabaseHistory, { from = 1n, to, countMax }: CallRange): Promise<readonly ShownCall[]> {
  using archive = await Archive.of(history)
  const kept: CallRecord[] = []
  for await (const record of noting(history, archive)) {
    if (to !== undefined && record.head.position > to) break
    if (record.head.position < from || !isCall(record)) continue
    kept.push(record)
    // Twice as many, so that the first ones are not moved away one by one.
    if (kept.length >= countMax * 2) kept.splice(0, kept.length - countMax)
  }
  return kept.slice(-countMax).map((record) => showCall(record, archive))
}

/**
 * The record at a position.
 *
 * @throws HostError ERR_CALL_UNKNOWN, and ERR_MODULE_MISSING, ERR_LOG_DAMAGED when it cannot be decoded.
 */
export async function recordAt(history: DatabaseHistory, position: bigint): Promise<ShownRecord> {
  using archive = await Archive.of(history)
  for await (const record of noting(history, archive)) {
    if (record.head.position === position) return showRecord(record, archive)
    if (record.head.position > position) break
  }
  throw unknownCall(history, `no record at position ${position}`)
}

/**
 * The calls that were given this id, oldest first: mostly one, but an id is a caller's own, and forgotten after a day.
 *
 * @throws HostError as `recordAt`.
 */
export async function callsWithId(history: DatabaseHistory, id: string): Promise<readonly ShownCall[]> {
  using archive = await Archive.of(history)
  const found: ShownCall[] = []
  for await (const record of noting(history, archive)) if (isCall(record) && idOf(record) === id) found.push(showCall(record, archive))
  if (found.length === 0) throw unknownCall(history, `no call with the id ${JSON.stringify(id)}`)
  return found
}

/** Those that have none are told by their header. */
export function idOf({ head, sections }: CallRecord): string {
  return head.callKey.every((byte) => byte === 0) ? '' : new PayloadReader(sections).call.id
}

async function* noting(history: DatabaseHistory, archive: Archive): AsyncGenerator<LoggedRecord> {
  for await (const record of history.records()) {
    archive.note(record)
    yield record
  }
}

export function unknownCall({ name, range }: DatabaseHistory, what: string): HostError {
  const has = range === undefined ? 'the log has none of its records' : `the log has its positions ${range.first} to ${range.last}`
  return new HostError('ERR_CALL_UNKNOWN', `${name} has ${what}: ${has}`)
}
