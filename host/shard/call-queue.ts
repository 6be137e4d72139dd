/**
 * The work of one database that waits for its turn (commit-group.ts). In a turn calls run in the order they
 * came; when what they did is in the log, and not before, anyone gets an answer. A call that fails is
 * undone alone; a disk that fails undoes the turn and says so to everybody in it. Rows enter the file later, many turns
 * at once (upkeep.ts): until then they are read where they were written, in the open transaction of the file.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import type { RecordBatch } from '../log/record-batch.ts'
import type { Database } from '../reducer/database.ts'

interface WaitingCall {
  /** It changes nothing: what the disk does to others is nothing to it. */
  readonly isRead: boolean
  run(): void
  /** After the commit, or with what the disk said. */
  settle(failure: unknown): void
}

interface Turn {
  readonly epoch: bigint
  /** As `performance.now()` counts. */
  readonly endMs: number
  readonly refusal?: HostError | undefined
}

/** Where a queue reports that somebody waits in it. */
export interface TurnGiver {
  enqueue(queue: CallQueue): void
}

export class CallQueue {
  readonly database: Database
  readonly #turns: TurnGiver
  readonly #onTurn: () => void
  #waiting: WaitingCall[] = []
  #running: WaitingCall[] = []
  #isClosed = false
  /** Why nothing may be changed in the turn that runs. */
  #refusal: HostError | undefined
  #retry: NodeJS.Timeout | undefined

  /** `onTurn` is called after each turn, when its log may be shown. */
  constructor(database: Database, turns: TurnGiver, onTurn: () => void) {
    this.database = database
    this.#turns = turns
    this.#onTurn = onTurn
  }

  /** Neither waits anybody, nor is a turn under way. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#running.length === 0
  }

  /** @throws HostError ERR_HOST_CLOSED after close. */
  requireOpen(): void {
    if (this.#isClosed) throw new HostError('ERR_HOST_CLOSED', 'the database is closed: open it anew')
  }

  /**
   * Whoever reads outside turns sees what is committed, and nothing else.
   *
   * @throws HostError ERR_HOST_CLOSED, ERR_BUSY while the log has not answered.
   */
  requireReadable(): void {
    this.requireOpen()
    if (this.#running.length > 0) throw new HostError('ERR_BUSY', 'calls of this database are being committed: try again')
    if (!this.database.isMissingRows) return
    this.catchUpSoon()
    throw new HostError('ERR_BUSY', 'the disk has failed this database, and its rows are being read from the log again: try again')
  }

  /**
   * Runs `work` in the next turn; resolves when it is in the log. What only reads runs again, on what is committed,
   * when its turn comes to nothing.
   *
   * @throws HostError ERR_BUSY when too many wait, ERR_HOST_CLOSED after close, or what `work` threw.
   */
  run<T>(work: () => T, { isRead = false } = {}): Promise<T> {
    this.requireOpen()
    if (this.#waiting.length >= limits.queuePerDatabaseMax) {
      throw new HostError('ERR_BUSY', `${limits.queuePerDatabaseMax} calls of this database are waiting: try again`)
    }
    return new Promise<T>((resolve, reject) => {
      let outcome: { readonly value: T } | { readonly error: unknown } | undefined
      this.#waiting.push({
        isRead,
        run: () => {
          outcome = attempt(work, this.#refusal)
        },
        settle: (failure) => {
          if (failure !== undefined || outcome === undefined) reject(failure)
          else if ('error' in outcome) reject(outcome.error)
          else resolve(outcome.value)
        },
      })
      if (this.#waiting.length === 1) this.#turns.enqueue(this)
    })
  }

  /**
   * As many calls as wait, as long as they are quick: the lane's other databases want their turn. What they
   * did stands in `records` and in the open transaction of the database's file; `end` settles it.
   *
   * With a `refusal` nobody may change anything: whoever reads is answered, and whoever writes is told.
   *
   * @returns what the disk said, when it ended the turn: nothing of it is left then, and `end` says so.
   */
  runTurn(records: RecordBatch, { epoch, endMs, refusal }: Turn): unknown {
    const start = records.mark()
    const { trail } = this.database
    const trailStart = trail?.mark()
    this.#refusal = refusal
    try {
      if (refusal === undefined) this.database.journal.begin(records, epoch)
      else this.database.journal.refuse(refusal)
      while (this.#running.length < limits.callsPerBatchMax && hasRoom(records)) {
        const call = this.#waiting.shift()
        if (call === undefined) break
        this.#running.push(call)
        call.run()
        if (performance.now() > endMs) break
      }
      this.database.finishBatch()
      return undefined
    } catch (failure) {
      this.database.rollback()
      records.rewind(start)
      if (trailStart !== undefined) trail?.rewind(trailStart)
      return failure
    }
  }

  /**
   * The turn is in the log, or `failure` says why not. Where that is in doubt, the database reads the log
   * before its next turn: what is there then has happened.
   */
  end(failure?: unknown): void {
    if (failure === undefined) {
      this.database.commit()
      return this.#settle(undefined)
    }
    this.database.rollback()
    if (failure instanceof HostError && failure.code === 'ERR_COMMIT_UNKNOWN') this.database.doubt()
    else this.database.trail?.settle(this.database.journal.committed.position)
    this.#settle(failure)
  }

  /** Nobody who waits gets a turn. */
  refuse(failure: unknown): void {
    this.#running = this.#waiting
    this.#waiting = []
    this.#settle(failure)
  }

  #settle(failure: unknown): void {
    const settled = this.#running
    this.#running = []
    for (const call of settled) {
      if (call.isRead && isOfDisk(failure)) this.#readAgain(call, failure)
      else call.settle(failure)
    }
    this.#onTurn()
    if (this.#waiting.length > 0) this.#turns.enqueue(this)
  }

  #readAgain(call: WaitingCall, refusal: HostError): void {
    if (this.database.isMissingRows) return call.settle(refusal)
    this.#refusal = refusal
    this.database.journal.refuse(refusal)
    try {
      call.run()
      call.settle(undefined)
    } catch (error) {
      call.settle(error)
    } finally {
      this.database.rollback()
    }
  }

  /** Whoever comes next brings the file to where the log is; this does so when nobody comes. */
  catchUpSoon(): void {
    this.#retry ??= setTimeout(() => this.#catchUp(), limits.catchUpTimeMs).unref()
  }

  #catchUp(): void {
    this.#retry = undefined
    if (this.database.isBehind && this.#waiting.length === 0 && !this.#isClosed) this.run(() => undefined).catch(() => undefined)
  }

  /** What has been taken is answered before this resolves; then the file may go. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    while (!this.isIdle) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A call has its record and one for each login that is new. */
function hasRoom(records: RecordBatch): boolean {
  return records.sizeBytes < limits.batchBytesMax && records.count + 3 < limits.logBatchRecordsMax
}

/** A refused call is an outcome, and so is one that must not write in this turn; a disk that fails ends the turn. */
function attempt<T>(work: () => T, refusal: HostError | undefined): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: work() }
  } catch (error) {
    if (error instanceof HostError && (error.code !== 'ERR_STORAGE' || error === refusal)) return { error }
    throw error
  }
}

/** A log that another host has taken is none: there the rows may be others by now. */
function isOfDisk(failure: unknown): failure is HostError {
  return failure instanceof HostError && (failure.code === 'ERR_STORAGE' || failure.code === 'ERR_COMMIT_UNKNOWN')
}
