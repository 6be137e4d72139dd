/**
 * The commit log of a host: what is in it has happened, and everything else that the host keeps is derived
 * from it. One lane, a thread's own, takes the records of many databases in batches; a batch is in it whole or
 * not at all. file-log.ts is the driver that a host runs on, memory-log.ts the one that tests make fail.
 */
import type { Micros } from '../clock.ts'
import type { HostError } from '../errors.ts'
import type { RecordBatch } from './record-batch.ts'
import type { LoggedRecord } from './record.ts'

export interface CommitLog {
  /**
   * Takes the log: earlier holders are fenced, and the torn end of a batch that nobody was told of is cut.
   *
   * @throws HostError ERR_FOLDER_LOCKED while somebody else has it, ERR_STORAGE, and ERR_LOG_DAMAGED for a log
   * that a later version wrote. A damage is no error: the tenure names it.
   */
  acquire(): Promise<LogTenure>
  /**
   * Says that the log is still ours; also the moment for what can wait, such as a reserve that was used up.
   *
   * @throws HostError ERR_LOG_FENCED when somebody else has taken it.
   */
  heartbeat(): Promise<void>
  /**
   * Puts the whole batch into the log, durably, or answers why not. `done` is called exactly once, perhaps
   * before this returns (the file log does); until then the batch is the log's.
   *
   * Its failures: ERR_STORAGE, none of it happened or ever will. ERR_LOG_FENCED, the log is not ours any more, and
   * none of it happened. ERR_COMMIT_UNKNOWN, it may or may not have happened: this tenure does not read it, the
   * next append that succeeds makes it void, and otherwise the next acquire finds it whole or not at all.
   */
  append(batch: RecordBatch, done: (outcome: AppendOutcome) => void): void
  /**
   * The records from this sequence to the end that the log has when the first are asked for, in order, in chunks
   * of bounded size. A record that is damaged is left out: the reader of one database sees its positions jump, or
   * sees that the last one is not that of the head.
   */
  read(from: bigint, filter?: { readonly database?: Uint8Array }): AsyncIterable<readonly LoggedRecord[]>
  /** Looks at every byte and every chain that the log keeps, and names what is wrong. */
  check(): Promise<readonly LogDamage[]>
  /** The parts that `trim` can take away, oldest first; the last one is being written. */
  segments(): readonly LogSegment[]
  /** Forgets the segments whose records are all older than `before`. */
  trim(before: bigint): Promise<void>
  /**
   * Overwrites the payloads of one database's records. The chain and the other databases stay as they are. Once
   * begun it is finished, by the next acquire if need be.
   */
  erase(database: Uint8Array): Promise<void>
  /** Lets the next holder in at once, and closes. */
  release(): Promise<void>
}

export type AppendOutcome = { readonly firstSequence: bigint } | { readonly failure: HostError }

export interface LogTenure {
  /** Larger than that of every tenure before. */
  readonly epoch: bigint
  readonly nextSequence: bigint
  /** By the uid's hex digits: the databases of which the log has records. */
  readonly heads: ReadonlyMap<string, LogHead>
  /** What a start sees: it reads the ends of sealed segments and all of the last one. `check` sees the rest. */
  readonly damage: readonly LogDamage[]
}

/** The last record of a database. */
export interface LogHead {
  readonly position: bigint
  readonly sequence: bigint
  /** The chain after it. */
  readonly chain: Uint8Array
  /** The oldest record of the database that the log still has. */
  readonly firstPosition: bigint
  readonly firstSequence: bigint
}

/** Bytes that are not what was written. They stay as they are. */
export interface LogDamage {
  readonly file: string
  readonly offset: number
  readonly sizeBytes: number
  /** The records that are lost to it; none when last is less than first. */
  readonly firstSequence: bigint
  readonly lastSequence: bigint
  /** Hex of the uid, where it is known: all lost records are of this database. */
  readonly database?: string
  readonly what: string
}

export interface LogSegment {
  readonly file: string
  readonly sizeBytes: number
  readonly firstSequence: bigint
  readonly lastSequence: bigint
  /** Undefined while it is written to. */
  readonly sealedAt: Micros | undefined
  /** The last record of each database in this segment, and its oldest one in it. */
  readonly heads: ReadonlyMap<string, LogHead>
}
