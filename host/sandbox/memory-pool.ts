/**
 * The memories of guests, owned by the host and used again: V8 reserves 10 GiB of addresses for each,
 * and making one costs three times what clearing one of 64 KiB does. A memory is all zeroes when it is
 * handed out. One that grew cannot shrink and is left to the collector. V8 runs that as their bytes mount
 * up, and at the latest near its own bound of about 13,000 memories in a process: while 13,000 calls grew
 * theirs in one turn of the event loop, a thread never had addresses for more than 1,200 (test/sandbox).
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { GuestMemory, pageSizeBytes } from './guest-memory.ts'
import type { MemoryShape } from './guest-memory.ts'

export class MemoryPool {
  readonly #idle: GuestMemory[] = []
  #live = 0
  readonly #collected = new FinalizationRegistry<undefined>(() => this.#live--)

  /** Memories in use, idle, or grown and not yet collected. */
  get live(): number {
    return this.#live
  }

  get idle(): number {
    return this.#idle.length
  }

  /** @throws HostError ERR_BUSY when V8 has none left. */
  acquire({ initial, maximum }: MemoryShape): GuestMemory {
    const place = this.#idle.findLastIndex(({ shape }) => shape.initial === initial && shape.maximum === maximum)
    const [found] = place < 0 ? [] : this.#idle.splice(place, 1)
    if (found === undefined) return this.#make({ initial, maximum })
    found.clear()
    return found
  }

  /** Only what `acquire` gave, and only once. */
  release(memory: GuestMemory): void {
    if (memory.hasGrown) return
    this.#idle.push(memory)
    while (this.#idle.length > limits.memoriesIdleMax || this.#idleBytes() > limits.memoryIdleBytesMax) this.#idle.shift()
  }

  #make(shape: MemoryShape): GuestMemory {
    try {
      const memory = new WebAssembly.Memory(shape)
      this.#live++
      this.#collected.register(memory, undefined)
      return new GuestMemory(memory, shape)
    } catch (cause) {
      throw new HostError('ERR_BUSY', 'no memory for another instance at the moment: try again', { cause })
    }
  }

  #idleBytes(): number {
    return this.#idle.reduce((sum, { shape }) => sum + shape.initial * pageSizeBytes, 0)
  }
}
