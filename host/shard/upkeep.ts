/** Moves the state file of one database on between its turns: at once when it must be, and when nobody has called for a while. */
import * as limits from '../limits.ts'
import type { StateFile } from '../storage/state-file.ts'
import type { CallQueue } from './call-queue.ts'

export class Upkeep {
  readonly #state: StateFile
  readonly #queue: CallQueue
  #timer: NodeJS.Timeout | undefined

  constructor(state: StateFile, queue: CallQueue) {
    this.#state = state
    this.#queue = queue
  }

  afterTurn(): void {
    this.#moveOn(false)
    this.#timer ??= setTimeout(() => this.#whenQuiet(), limits.idleTimeMsMin).unref()
    this.#timer.refresh()
  }

  #whenQuiet(): void {
    if (this.#queue.isIdle) this.#moveOn(true)
  }

  #moveOn(isIdle: boolean): void {
    if (this.#state.file.hasBatch) return
    this.#state.moveOn(isIdle)
    if (this.#queue.database.isBehind) this.#queue.catchUpSoon()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
