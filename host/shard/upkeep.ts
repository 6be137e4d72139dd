/** Moves the state file of one database on between its turns: at once when it must be, and when nobody has called for a while. */
import * as limits from '../limits.ts'
import type { StateFile } from '../storage/state-file.ts'

export class Upkeep {
  readonly #state: StateFile
  readonly #isIdle: () => boolean
  #timer: NodeJS.Timeout | undefined

  constructor(state: StateFile, isIdle: () => boolean) {
    this.#state = state
    this.#isIdle = isIdle
  }

  afterTurn(): void {
    if (this.#state.file.isInTransaction) return
    this.#state.moveOn(false)
    this.#timer ??= setTimeout(() => this.#whenQuiet(), limits.idleTimeMsMin).unref()
    this.#timer.refresh()
  }

  #whenQuiet(): void {
    if (this.#isIdle() && !this.#state.file.isInTransaction) this.#state.moveOn(true)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
