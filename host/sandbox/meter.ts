/**
 * Fuel and depth of the running call: two globals that every instance of a module imports. A module
 * lowers the one as it runs, the host lowers it for what only the host sees, and either below zero says
 * why a trap was a trap.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { DEPTH_IMPORT, FUEL_IMPORT } from './door.ts'

export interface CallLimits {
  readonly fuel: number
  /** Pages of 64 KiB that the memory may grow to. */
  readonly memoryPages: number
  /** Stack slots of 8 bytes. */
  readonly depth: number
}

/** What a call may use where nothing else is said. */
export const CALL_LIMITS: CallLimits = {
  fuel: limits.fuelPerCallMax,
  memoryPages: limits.memoryPagesPerCallMax,
  depth: limits.stackSlotsPerCallMax,
}

export class Meter {
  readonly #fuel = new WebAssembly.Global({ value: 'i32', mutable: true }, 0)
  readonly #depth = new WebAssembly.Global({ value: 'i32', mutable: true }, 0)
  #fuelMax = 0

  readonly imports = { [FUEL_IMPORT]: this.#fuel, [DEPTH_IMPORT]: this.#depth }

  /** @throws HostError ERR_CALL_FUEL when the start alone costs more than there is. */
  start({ fuel, depth }: CallLimits, startPrice: number): void {
    this.#fuelMax = fuel
    this.#depth.value = depth
    this.#leave(fuel - startPrice)
  }

  /** @throws HostError ERR_CALL_FUEL. */
  charge(fuel: number): void {
    this.#leave(this.#fuel.value - fuel)
  }

  /** What the call has burnt: all that it had, when it ran out. */
  get burnt(): number {
    return this.#fuelMax - Math.max(this.#fuel.value, 0)
  }

  /** Why the module trapped, when it was for want of fuel or depth. */
  trapCause(cause: unknown): HostError | undefined {
    if (this.#fuel.value < 0) return this.fuelError(cause)
    if (this.#depth.value < 0) return depthError(cause)
    return undefined
  }

  #leave(left: number): void {
    this.#fuel.value = Math.max(left, -1)
    if (left < 0) throw this.fuelError()
  }

  fuelError(cause?: unknown): HostError {
    return new HostError('ERR_CALL_FUEL', `all ${this.#fuelMax} units of fuel were used up: everything of the call was undone`, {
      detail: { fuel: this.#fuelMax },
      cause,
    })
  }
}

export function depthError(cause: unknown): HostError {
  return new HostError('ERR_CALL_DEPTH', 'the module recursed too deep: everything of the call was undone', { cause })
}
