/**
 * All attacks, one after the other, beside the innocent. `npm run attack` prints them (main.ts), and
 * `npm test` runs them as tests (attack.test.ts).
 */
import assert from 'node:assert/strict'
import { availableParallelism, loadavg } from 'node:os'

import { buildModule } from '../../host/module/build.ts'
import type { InstanceMode } from '../../host/sandbox/instance-mode.ts'
import { Arena } from './arena.ts'
import type { Attack } from './attack.ts'
import { Innocent } from './innocent.ts'
import type { Peace } from './innocent.ts'

/** The innocent's longest wait that is still none, on a machine of one's own: an attacker's whole fuel is a tenth of a second or two. */
const stallMsMaxAlone = 3_000

/** On a machine with more to do than processors everything takes longer, this too. */
export function stallMsMax(): number {
  return Math.round(stallMsMaxAlone * othersShare())
}

/** How many times as long as alone something takes, as the machine's load over the last minute says. */
export function othersShare(): number {
  return Math.max(1, (loadavg()[0] ?? 0) / (2 * availableParallelism()))
}

export interface Result {
  readonly attack: Attack
  /** Undefined where all was as expected. */
  readonly failure: string | undefined
  readonly tookMs: number
  /** The innocent's longest request meanwhile. */
  readonly stallMs: number
}

export class Siege implements AsyncDisposable {
  readonly #arena: Arena
  #innocent: Innocent | undefined
  #worst = { name: 'none', stallMs: 0 }

  constructor(instances: InstanceMode = 'fresh') {
    this.#arena = new Arena(instances)
  }

  async start(attacks: readonly Attack[]): Promise<void> {
    const { component } = await buildModule(new URL('../../modules/claims', import.meta.url).pathname, { optimize: false })
    await this.#arena.start(attacks)
    this.#innocent = await Innocent.moveIn(this.#arena.host, component)
  }

  async carryOut(attack: Attack): Promise<Result> {
    const started = performance.now()
    this.#innocent?.takeWorstMs()
    const failure = await this.#failureOf(attack)
    const stallMs = this.#innocent?.takeWorstMs() ?? 0
    if (stallMs > this.#worst.stallMs) this.#worst = { name: attack.name, stallMs }
    return { attack, failure, tookMs: performance.now() - started, stallMs }
  }

  /** The attack under which the innocent waited longest. */
  get worstAttack(): string {
    return this.#worst.name
  }

  async #failureOf(attack: Attack): Promise<string | undefined> {
    const { failures } = this.#arena.host
    const before = failures.length
    try {
      const verdict = await this.#arena.carryOut(attack)
      assert(this.#arena.host.isAlive, 'the host is dead')
      assert.deepEqual(failures.slice(before), [], `something failed inside the host, and the verdict was ${verdict}`)
      assert.equal(verdict, attack.expected.verdict)
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** Ends it, and says what it was to the innocent. */
  async lift(): Promise<Peace> {
    assert(this.#innocent !== undefined, 'the siege was begun')
    return this.#innocent.leave()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#arena[Symbol.asyncDispose]()
  }
}
