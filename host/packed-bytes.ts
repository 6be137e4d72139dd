/**
 * Packed bytes (docs/row-format.md): a bounded writer, and a reader of bytes that came from a guest or a
 * caller, so that it checks every length, every UTF-8 sequence and every number without an order. What
 * the bytes mean is for row-codec.ts to say.
 */
import { isUtf8 } from 'node:buffer'

import { HostError } from './errors.ts'
import type { ErrorCode } from './errors.ts'
import { jsonProblem, jsonShape } from './json-text.ts'
import * as limits from './limits.ts'

/** Grows as it is written to, up to a bound. */
export class PackedWriter {
  #buffer: Buffer
  #length = 0
  readonly #sizeBytesMax: number
  readonly #code: ErrorCode

  constructor(code: ErrorCode = 'ERR_ARGUMENTS_TOO_LARGE', sizeBytesMax: number = limits.argumentsSizeBytesMax) {
    this.#buffer = Buffer.allocUnsafe(256)
    this.#sizeBytesMax = sizeBytesMax
    this.#code = code
  }

  get length(): number {
    return this.#length
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer.subarray(0, this.#length))
  }

  /** What was written, valid until the next write. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Forgets everything and keeps the memory, unless one large value made it grow. */
  reset(): void {
    this.#length = 0
    if (this.#buffer.length > limits.packedBytesKept) this.#buffer = Buffer.allocUnsafe(256)
  }

  u8(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
  }

  u16(value: number): void {
    this.#reserve(2)
    this.#length = this.#buffer.writeUInt16LE(value, this.#length)
  }

  u32(value: number): void {
    this.#reserve(4)
    this.#length = this.#buffer.writeUInt32LE(value, this.#length)
  }

  /** Writes over four bytes written before: a count that is known only at the end. */
  u32At(offset: number, value: number): void {
    this.#buffer.writeUInt32LE(value, offset)
  }

  i64(value: bigint): void {
    this.#reserve(8)
    this.#length = this.#buffer.writeBigInt64LE(value, this.#length)
  }

  u64(value: bigint): void {
    this.#reserve(8)
    this.#length = this.#buffer.writeBigUInt64LE(value, this.#length)
  }

  f32(value: number): void {
    this.#reserve(4)
    this.#length = this.#buffer.writeFloatLE(value, this.#length)
  }

  f64(value: number): void {
    this.#reserve(8)
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  bytes(bytes: Uint8Array): void {
    this.u32(bytes.length)
    this.raw(bytes)
  }

  /** The text must be well formed: a lone surrogate would be replaced here. */
  string(text: string): void {
    const longest = text.length * 3
    this.#reserve(4 + longest)
    const size = this.#buffer.write(text, this.#length + 4, 'utf8')
    this.#buffer.writeUInt32LE(size, this.#length)
    this.#length += 4 + size
    if (this.#length > this.#sizeBytesMax) this.#refuse()
  }

  #reserve(size: number): void {
    const needed = this.#length + size
    if (needed <= this.#buffer.length) return
    // A string reserves three times its length; what counts is what is written in the end.
    if (needed > this.#sizeBytesMax * 3 + 256) this.#refuse()
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }

  /** Call when done: fixed-size writes check the bound only here. */
  finish(): void {
    if (this.#length > this.#sizeBytesMax) this.#refuse()
  }

  #refuse(): never {
    throw new HostError(this.#code, `the packed bytes are more than the ${this.#sizeBytesMax} that are allowed: send less at once`)
  }
}

/** Reads hostile bytes; every refusal carries the code it was made with. */
export class PackedReader {
  readonly #buffer: Buffer
  readonly #code: ErrorCode
  #offset = 0
  #valuesLeft: number = limits.valuesUnpackedMax

  constructor(bytes: Uint8Array, code: ErrorCode) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#code = code
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#buffer.length - this.#offset
  }

  refuse(what: string): never {
    throw new HostError(this.#code, `packed bytes: ${what} at offset ${this.#offset} of ${this.#buffer.length}`)
  }

  /** Called for each value that becomes one of JavaScript's, which weigh fifty times their byte. */
  countValues(count = 1): void {
    this.#valuesLeft -= count
    if (this.#valuesLeft < 0) this.refuse(`more than ${limits.valuesUnpackedMax} values`)
  }

  end(): void {
    if (this.remaining > 0) this.refuse(`${this.remaining} bytes too many`)
  }

  u8(): number {
    return this.#buffer[this.#take(1)] ?? 0
  }

  i8(): number {
    return this.#buffer.readInt8(this.#take(1))
  }

  u16(): number {
    return this.#buffer.readUInt16LE(this.#take(2))
  }

  i16(): number {
    return this.#buffer.readInt16LE(this.#take(2))
  }

  u32(): number {
    return this.#buffer.readUInt32LE(this.#take(4))
  }

  i32(): number {
    return this.#buffer.readInt32LE(this.#take(4))
  }

  i64(): bigint {
    return this.#buffer.readBigInt64LE(this.#take(8))
  }

  u64(): bigint {
    return this.#buffer.readBigUInt64LE(this.#take(8))
  }

  /** NaN has many bit patterns and no order; −0 and 0 would be two keys for one number. */
  f32(): number {
    return this.#ordered(this.#buffer.readFloatLE(this.#take(4)))
  }

  f64(): number {
    return this.#ordered(this.#buffer.readDoubleLE(this.#take(8)))
  }

  bool(): boolean {
    const byte = this.u8()
    if (byte > 1) this.refuse(`a bool is 0 or 1, not ${byte},`)
    return byte === 1
  }

  /** A view, not a copy. */
  raw(size: number): Buffer {
    const start = this.#take(size)
    return this.#buffer.subarray(start, start + size)
  }

  bytes(): Buffer {
    return this.raw(this.u32())
  }

  string(): string {
    const bytes = this.bytes()
    if (!isUtf8(bytes)) this.refuse('invalid UTF-8')
    if (bytes.includes(0)) this.refuse('U+0000 in a text')
    return bytes.toString('utf8')
  }

  json(): string {
    const text = this.string()
    const shape = jsonShape(text)
    this.countValues(shape.values)
    const problem = jsonProblem(text, shape)
    if (problem !== undefined) this.refuse(problem)
    return text
  }

  #ordered(value: number): number {
    if (Number.isNaN(value)) this.refuse('NaN is not storable')
    return value === 0 ? 0 : value
  }

  #take(size: number): number {
    const start = this.#offset
    if (size > this.#buffer.length - start) this.refuse(`${size} bytes expected, ${this.#buffer.length - start} left`)
    this.#offset = start + size
    return start
  }
}
