/**
 * The publish gate: an upload goes in, its core module and description come out, or a HostError. All
 * looking at it is done in a child process (gate-child.ts, check-component.ts), because a bad component
 * can panic the tools, loop in `describe` or take memory that no heap limit sees. One child is kept warm.
 *
 *   const gate = new Gate()
 *   const { core, description, componentHash } = await gate.check(bytes)
 *   await gate.close()
 */
import { HostError } from '../errors.ts'
import { componentSizeBytesMax, gateIdleTimeMsMax, gateMemoryWarmBytesMax, gateQueueMax, gateUsesMax } from '../limits.ts'
import type { CheckedComponent } from './check-component.ts'
import { GateProcess } from './gate-process.ts'

export type GateResult = CheckedComponent

export class Gate implements AsyncDisposable {
  #process: GateProcess | undefined
  #uses = 0
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()
  #idleTimer: NodeJS.Timeout | undefined
  #isClosed = false

  /**
   * Checks one component; checks run one after another. `bytes` must not change until the answer.
   *
   * @throws HostError ERR_COMPONENT_* and ERR_DESCRIPTION for the upload's faults, ERR_BUSY when too many
   * wait, when the child cannot start, or when the gate is closed meanwhile.
   */
  async check(bytes: Uint8Array): Promise<GateResult> {
    if (bytes.length > componentSizeBytesMax) {
      throw new HostError('ERR_COMPONENT_TOO_LARGE', `the component has ${bytes.length} bytes: at most ${componentSizeBytesMax}`)
    }
    if (this.#waiting >= gateQueueMax) throw new HostError('ERR_BUSY', `${this.#waiting} publishes are waiting: publish again later`)
    this.#waiting += 1
    const turn = this.#last.then(() => this.#checkNext(bytes))
    this.#last = turn.catch(() => undefined)
    try {
      return await turn
    } finally {
      this.#waiting -= 1
    }
  }

  /** Ends the child; checks that run or wait fail with ERR_BUSY. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#discard()
    await this.#last
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #checkNext(bytes: Uint8Array): Promise<GateResult> {
    clearTimeout(this.#idleTimer)
    const { process, startMs } = await this.#warmProcess()
    this.#uses += 1
    const answer = await process.check(bytes)
    if (answer.kind === 'accepted' || answer.isClean) this.#keepWarm(process)
    else this.#discard()
    if (answer.kind === 'accepted') return { ...answer.checked, timings: { start: startMs, ...answer.checked.timings } }
    throw new HostError(answer.code, answer.message, { detail: answer.detail })
  }

  /** The child, and how long its start took if it had to be started for this check. */
  async #warmProcess(): Promise<{ process: GateProcess; startMs: number }> {
    if (this.#isClosed) throw new HostError('ERR_BUSY', 'the gate is closed')
    if (this.#process?.isAlive === true) return { process: this.#process, startMs: 0 }
    const startedMs = performance.now()
    this.#uses = 0
    this.#process = new GateProcess()
    await this.#process.ready()
    return { process: this.#process, startMs: performance.now() - startedMs }
  }

  #keepWarm(process: GateProcess): void {
    if (this.#uses >= gateUsesMax || process.residentBytes > gateMemoryWarmBytesMax) return this.#discard()
    this.#idleTimer = setTimeout(() => this.#discard(), gateIdleTimeMsMax).unref()
  }

  #discard(): void {
    clearTimeout(this.#idleTimer)
    this.#process?.kill()
    this.#process = undefined
  }
}
