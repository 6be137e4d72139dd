/**
 * The memories of guests, owned by the host and used again: V8 reserves 10 GiB of addresses for each,
 * and making one costs three times what clearing one of 64 KiB does. A memory is all zeroes when it is
 * handed out. One that grew cannot shrink and is left to the collector, which V8 runs as their bytes mount
 * up: a thread whose calls all grew theirs never had addresses for more than 1,200 (test/sandbox). A process has
 * some for about 13,000; a thread that counts `liveMax` of its own makes no more until some are collected.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { GuestMemory, pageSizeBytes } from './guest-memory.ts'
import type { MemoryShape } from './guest-memory.ts'

export class MemoryPool {
  readonly #liveMax: number
  readonly #idle: GuestMemory[] = []
  #idleBytes = 0
  #live = 0
  readonly #collected = new FinalizationRegistry<undefined>(() => this.#live--)

  constructor(liveMax: number = limits.memoriesLiveMax) {
    this.#liveMax = liveMax
  }

  /** Memories in use, idle, or grown and not yet known to be collected, which takes a turn of the event loop. */
  get live(): number {
    return this.#live
  }

  get idle(): number {
    return this.#idle.length
  }

  /** @throws HostError ERR_BUSY when too many are alive, or V8 has none left. */
  acquire({ initial, maximum }: MemoryShape): GuestMemory {
    const place = this.#idle.findLastIndex(({ shape }) => shape.initial === initial && shape.maximum === maximum)
    const found = this.#idle[place]
    if (found === undefined) return this.#make({ initial, maximum })
    this.#idle.splice(place, 1)
    this.#idleBytes -= sizeOf(found)
    found.clear()
    return found
  }

  /** Only what `acquire` gave, and only once. */
  release(memory: GuestMemory): void {
    if (memory.hasGrown) return
    this.#idle.push(memory)
    this.#idleBytes += sizeOf(memory)
    while (this.#idle.length > limits.memoriesIdleMax || this.#idleBytes > limits.memoryIdleBytesMax) {
      const oldest = this.#idle.shift()
      if (oldest !== undefined) this.#idleBytes -= sizeOf(oldest)
    }
  }

  #make(shape: MemoryShape): GuestMemory {
    if (this.#live >= this.#liveMax) throw new HostError('ERR_BUSY', `${this.#live} memories of instances are alive: try again`)
    try {
      const memory = new WebAssembly.Memory(shape)
      this.#live++
      this.#collected.register(memory, undefined)
      return new GuestMemory(memory, shape)
    } catch (cause) {
      throw new HostError('ERR_BUSY', 'no memory for another instance at the moment: try again', { cause })
    }
  }
}

function sizeOf({ shape }: GuestMemory): number {
  return shape.initial * pageSizeBytes
}
