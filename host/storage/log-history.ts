/** What a log has of one database: all that opening, replaying or checking its file asks of it. */
import type { CommitLog, LogDamage, LogHead } from '../log/commit-log.ts'
import type { LoggedRecord } from '../log/record.ts'
import type { History } from './open-state.ts'

type ReadableLog = Pick<CommitLog, 'segments' | 'read'>

/** `damage` is what the log's start saw. The log is asked anew each time: it grows, and forgets. */
export function historyOf(log: ReadableLog, damage: readonly LogDamage[], database: Uint8Array): History {
  const head = headOf(log, database)
  const last = head?.sequence ?? 0n
  return {
    head,
    hasLostRecords: damage.some((one) => one.database === undefined && one.lastSequence > last),
    read: (after) => recordsAfter(log, database, after),
  }
}

/** The records of a database after this position, from the first segment that has one. */
export function recordsAfter(log: ReadableLog, database: Uint8Array, after: bigint): AsyncIterable<readonly LoggedRecord[]> {
  const uid = hexOf(database)
  const segment = log.segments().find(({ heads }) => (heads.get(uid)?.position ?? 0n) > after)
  return segment === undefined ? nothing() : log.read(segment.heads.get(uid)?.firstSequence ?? segment.firstSequence, { database })
}

/** The oldest record of a database that the log still has; undefined when it has none. */
export function firstKept(log: ReadableLog, database: Uint8Array): bigint | undefined {
  const uid = hexOf(database)
  return log
    .segments()
    .find(({ heads }) => heads.has(uid))
    ?.heads.get(uid)?.firstPosition
}

function headOf(log: ReadableLog, database: Uint8Array): LogHead | undefined {
  const uid = hexOf(database)
  return log
    .segments()
    .map(({ heads }) => heads.get(uid))
    .findLast((head) => head !== undefined)
}

export function hexOf(uid: Uint8Array): string {
  return Buffer.from(uid.buffer, uid.byteOffset, uid.byteLength).toString('hex')
}

async function* nothing(): AsyncIterable<readonly LoggedRecord[]> {}
