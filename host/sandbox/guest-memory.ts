/**
 * One memory of the host's that guests run over, with a view of its bytes. Making a view takes as long as
 * clearing four kilobytes, so one is kept from call to call, as long as the memory does not grow.
 */
export const pageSizeBytes = 65_536

export interface MemoryShape {
  /** In pages of 64 KiB. */
  readonly initial: number
  readonly maximum: number
}

export class GuestMemory {
  readonly memory: WebAssembly.Memory
  readonly shape: MemoryShape
  #bytes: Uint8Array<ArrayBuffer>
  #words: DataView<ArrayBuffer>

  constructor(memory: WebAssembly.Memory, shape: MemoryShape) {
    this.memory = memory
    this.shape = shape
    this.#bytes = new Uint8Array(memory.buffer)
    this.#words = new DataView(memory.buffer)
  }

  /** All of it as it is now: valid until the guest runs again. */
  get bytes(): Uint8Array<ArrayBuffer> {
    // Growth detaches the buffer that was, and leaves a view of nothing.
    if (this.#bytes.length === 0) this.#look()
    return this.#bytes
  }

  /** The same for numbers, which are little-endian. */
  get words(): DataView<ArrayBuffer> {
    if (this.#bytes.length === 0) this.#look()
    return this.#words
  }

  get hasGrown(): boolean {
    return this.bytes.length !== this.shape.initial * pageSizeBytes
  }

  /** All of it is zero. */
  clear(): void {
    this.bytes.fill(0)
  }

  #look(): void {
    const { buffer } = this.memory
    this.#bytes = new Uint8Array(buffer)
    this.#words = new DataView(buffer)
  }
}
