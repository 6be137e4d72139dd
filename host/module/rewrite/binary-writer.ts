/** Writes the binary format: the counterpart of binary-reader.ts, for modules of our own making. */

const utf8 = new TextEncoder()

export class BinaryWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #sizeBytes = 0

  constructor(capacityBytes = 256) {
    this.#bytes = new Uint8Array(capacityBytes)
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** What was written, without a copy: valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#sizeBytes)
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#sizeBytes)
  }

  u8(...values: readonly number[]): this {
    this.#reserve(values.length)
    for (const value of values) this.#bytes[this.#sizeBytes++] = value
    return this
  }

  u32(value: number): this {
    this.#reserve(5)
    let left = value >>> 0
    while (left >= 0x80) {
      this.#bytes[this.#sizeBytes++] = (left & 0x7f) | 0x80
      left >>>= 7
    }
    this.#bytes[this.#sizeBytes++] = left
    return this
  }

  s32(value: number): this {
    this.#reserve(5)
    let left = value | 0
    while (left < -64 || left > 63) {
      this.#bytes[this.#sizeBytes++] = (left & 0x7f) | 0x80
      left >>= 7
    }
    this.#bytes[this.#sizeBytes++] = left & 0x7f
    return this
  }

  bytes(source: Uint8Array, start = 0, end = source.length): this {
    this.#reserve(end - start)
    this.#bytes.set(source.subarray(start, end), this.#sizeBytes)
    this.#sizeBytes += end - start
    return this
  }

  sized(content: Uint8Array): this {
    return this.u32(content.length).bytes(content)
  }

  name(text: string): this {
    return this.sized(utf8.encode(text))
  }

  section(id: number, content: BinaryWriter): this {
    return this.u8(id).sized(content.view())
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#sizeBytes + sizeBytes
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.view())
    this.#bytes = grown
  }
}
