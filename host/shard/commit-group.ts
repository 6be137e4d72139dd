/**
 * Group commit: the databases of one lane take their turns one after the other, all that they did goes into
 * the log in one append with one fsync, and then each keeps its rows and answers. In this order:
 *
 *   run     calls of every database that waits, each in an open batch of its own file
 *   tell    the access log has what they did, before anybody learns of it
 *   append  the records of all of them, durable when the log says so
 *   keep    the rows, which follow from the log whenever the file loses them
 *   answer  results and errors alike: none leaves before what it may depend on is durable
 */
import type { AccessLog } from '../access-log/access-log.ts'
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import type { CommitLog } from '../log/commit-log.ts'
import { RecordBatch } from '../log/record-batch.ts'
import type { CallQueue, TurnGiver } from './call-queue.ts'

export interface CommitGroupEvents {
  /** Called for each database whose rows did not follow the log: it must be brought there before its next turn. */
  readonly catchUp: (queue: CallQueue) => Promise<void>
  /** The log has grown by so much. */
  readonly onAppended: (sizeBytes: number) => void
}

export class CommitGroup implements TurnGiver {
  readonly #log: CommitLog
  readonly #epoch: bigint
  readonly #access: AccessLog
  readonly #events: CommitGroupEvents
  readonly #records = new RecordBatch()
  readonly #waiting = new Set<CallQueue>()
  /** Queues whose next turn may change nothing, and why: their files could not be brought to where the log is. */
  readonly #refusals = new Map<CallQueue, HostError>()
  #isScheduled = false
  #isAppending = false

  constructor(log: CommitLog, epoch: bigint, access: AccessLog, events: CommitGroupEvents) {
    this.#log = log
    this.#access = access
    this.#epoch = epoch
    this.#events = events
  }

  enqueue(queue: CallQueue): void {
    this.#waiting.add(queue)
    this.#schedule()
  }

  /** setImmediate lets every message that has arrived join the batch. */
  #schedule(): void {
    if (this.#isScheduled || this.#isAppending || this.#waiting.size === 0) return
    this.#isScheduled = true
    setImmediate(() => this.#drain())
  }

  #drain(): void {
    this.#isScheduled = false
    this.#records.reset()
    const queues = [...this.#waiting]
    this.#waiting.clear()
    const start = performance.now()
    const committing: CallQueue[] = []
    const reading: CallQueue[] = []
    const failed: (readonly [CallQueue, unknown])[] = []
    for (const [index, queue] of queues.entries()) {
      const refusal = this.#refusals.get(queue)
      this.#refusals.delete(queue)
      if (queue.database.isBehind && refusal === undefined) {
        void this.#bringUp(queue)
        continue
      }
      // Each gets its part of the time, and what those before it left of theirs.
      const endMs = start + (limits.batchTimeMsMax * (index + 1)) / queues.length
      const hadRecords = this.#records.count
      const failure = queue.runTurn(this.#records, { epoch: this.#epoch, endMs, refusal })
      if (failure !== undefined) failed.push([queue, failure])
      else if (this.#records.count === hadRecords) reading.push(queue)
      else committing.push(queue)
    }
    const untold = this.#access.write()
    // Whoever reads again there writes records of their own: not before those of others have been answered for.
    for (const [queue, failure] of failed) queue.end(failure)
    for (const queue of reading) queue.end(untold)
    if (untold !== undefined) for (const queue of committing.splice(0)) queue.end(untold)
    if (committing.length === 0) return this.#schedule()
    this.#isAppending = true
    this.#log.append(this.#records, (outcome) => this.#settle(committing, 'failure' in outcome ? outcome.failure : undefined))
  }

  #settle(queues: readonly CallQueue[], failure: HostError | undefined): void {
    this.#isAppending = false
    for (const queue of queues) queue.end(failure)
    if (failure === undefined) this.#events.onAppended(this.#records.sizeBytes)
    this.#schedule()
  }

  async #bringUp(queue: CallQueue): Promise<void> {
    try {
      await this.#events.catchUp(queue)
    } catch (failure) {
      if (!(failure instanceof HostError)) return queue.refuse(failure)
      // Not even what was committed can be read then.
      if (queue.database.isMissingRows) return queue.refuse(failure)
      this.#refusals.set(queue, failure)
    }
    this.enqueue(queue)
  }
}
