/**
 * Instances that are kept for the next call of the same module, where the host resets them
 * (`--instances reset`). An instance is bound to its memory, and calls of a module run one after
 * another, so a module needs one; a thread keeps those that were used last. What is given back here
 * came to its end as it should: an instance whose call trapped, failed or grew its memory never is.
 */
import * as limits from '../limits.ts'
import type { Door } from './door.ts'
import { pageSizeBytes } from './guest-memory.ts'
import type { GuestMemory, MemoryShape } from './guest-memory.ts'
import type { MemoryPool } from './memory-pool.ts'

export interface GuestInstance {
  readonly memory: GuestMemory
  /** Undefined until the instance is made. */
  door: Door | undefined
}

export class InstancePool {
  readonly #memories: MemoryPool
  /** By the module they are of, the one used last at the end. */
  readonly #idle = new Map<object, GuestInstance>()
  #idleBytes = 0

  /** @param memories takes the memories of instances that are given up. */
  constructor(memories: MemoryPool) {
    this.#memories = memories
  }

  get idle(): number {
    return this.#idle.size
  }

  /** The module's instance over a memory of this shape, which is cleared; the rest its own start makes new. */
  take(module: object, { initial, maximum }: MemoryShape): GuestInstance | undefined {
    const kept = this.#remove(module)
    if (kept === undefined) return undefined
    const { shape } = kept.memory
    if (shape.initial !== initial || shape.maximum !== maximum) {
      this.#memories.release(kept.memory)
      return undefined
    }
    kept.memory.clear()
    return kept
  }

  /** Only what `take` did not leave here: a module has one at most. */
  keep(module: object, instance: GuestInstance): void {
    this.#idle.set(module, instance)
    this.#idleBytes += sizeOf(instance)
    while (this.#idle.size > limits.instancesIdleMax || this.#idleBytes > limits.instanceIdleBytesMax) {
      const [oldest] = this.#idle.keys()
      if (oldest !== undefined) this.giveUp(oldest)
    }
  }

  /** The module runs no more. */
  giveUp(module: object): void {
    const kept = this.#remove(module)
    if (kept !== undefined) this.#memories.release(kept.memory)
  }

  #remove(module: object): GuestInstance | undefined {
    const kept = this.#idle.get(module)
    if (kept === undefined) return undefined
    this.#idle.delete(module)
    this.#idleBytes -= sizeOf(kept)
    return kept
  }
}

function sizeOf({ memory }: GuestInstance): number {
  return memory.shape.initial * pageSizeBytes
}
