/**
 * The calls of one database that wait together share one transaction and one fsync. They run in the
 * order they came; then the transaction is committed; only then does anyone get an answer. A call
 * that fails is undone alone; a disk that fails undoes the batch and says so to everybody in it.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import type { Database } from '../reducer/database.ts'

interface WaitingCall {
  run(): void
  /** After the commit, or with what the disk said. */
  settle(failure: unknown): void
}

export class CallQueue {
  readonly #database: Database
  readonly #onBatch: () => void
  #waiting: WaitingCall[] = []
  #isScheduled = false
  #isClosed = false
  #idle: NodeJS.Timeout | undefined

  /** `onBatch` is called after each batch, when its log may be shown. */
  constructor(database: Database, onBatch: () => void) {
    this.#database = database
    this.#onBatch = onBatch
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** @throws HostError ERR_HOST_CLOSED after close. */
  requireOpen(): void {
    if (this.#isClosed) throw new HostError('ERR_HOST_CLOSED', 'the database is closed: open it anew')
  }

  /**
   * Runs `work` in the next batch; resolves when it is on disk.
   *
   * @throws HostError ERR_BUSY when too many wait, ERR_HOST_CLOSED after close, or what `work` threw.
   */
  run<T>(work: () => T): Promise<T> {
    this.requireOpen()
    if (this.#waiting.length >= limits.queuePerDatabaseMax) {
      throw new HostError('ERR_BUSY', `${limits.queuePerDatabaseMax} calls of this database are waiting: try again`)
    }
    return new Promise<T>((resolve, reject) => {
      let outcome: { readonly value: T } | { readonly error: unknown } | undefined
      this.#waiting.push({
        run: () => {
          outcome = attempt(work)
        },
        settle: (failure) => {
          if (failure !== undefined || outcome === undefined) reject(failure)
          else if ('error' in outcome) reject(outcome.error)
          else resolve(outcome.value)
        },
      })
      this.#schedule()
    })
  }

  /** setImmediate lets every message that has arrived join the batch. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#drain())
  }

  #drain(): void {
    this.#isScheduled = false
    const { batch, failure } = this.#runBatch()
    for (const call of batch) call.settle(failure)
    this.#onBatch()
    if (!this.isEmpty) this.#schedule()
    this.#database.file.checkpoint(false)
    this.#idle ??= setTimeout(() => this.#whenIdle(), limits.idleTimeMsMin).unref()
    this.#idle.refresh()
  }

  /** Moving pages takes tens of milliseconds: it waits until nobody does. */
  #whenIdle(): void {
    if (this.isEmpty && !this.#isClosed) this.#database.file.checkpoint(true)
  }

  /** What has been taken is answered before this resolves; then the file may go. */
  async close(): Promise<void> {
    this.#isClosed = true
    while (!this.isEmpty) await new Promise((resolve) => setImmediate(resolve))
    clearTimeout(this.#idle)
  }

  /** As many calls as wait, as long as they are quick: the shard's other databases want their turn. */
  #runBatch(): { batch: readonly WaitingCall[]; failure: unknown } {
    const batch: WaitingCall[] = []
    const end = performance.now() + limits.batchTimeMsMax
    try {
      while (batch.length < limits.callsPerBatchMax && performance.now() < end) {
        const call = this.#waiting.shift()
        if (call === undefined) break
        batch.push(call)
        call.run()
      }
      this.#database.commit()
      return { batch, failure: undefined }
    } catch (failure) {
      this.#database.rollback()
      return { batch, failure }
    }
  }
}

/** A refused call is an outcome; a disk that fails ends the batch. */
function attempt<T>(work: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: work() }
  } catch (error) {
    if (error instanceof HostError && error.code !== 'ERR_STORAGE') return { error }
    throw error
  }
}
