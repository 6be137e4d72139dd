/**
 * The row format (docs/row-format.md): a bounded writer and reader of packed bytes, and JavaScript
 * values in and out of them. Bytes come from guests and callers, so the reader checks every length,
 * every UTF-8 sequence and every range, and values are checked before they are written.
 *
 * In JavaScript u64, i64 and timestamp are bigint, other numbers are number, bytes are Uint8Array, an
 * identity is its hex text, json is its text, rows and records are plain objects.
 */
import { isUtf8 } from 'node:buffer'

import { timestampMax, timestampMin } from './clock.ts'
import { HostError } from './errors.ts'
import type { ErrorCode } from './errors.ts'
import { identityFromBytes, identitySizeBytes, identityToBytes, parseIdentity } from './identity.ts'
import * as limits from './limits.ts'
import { formatValueType } from './value-type.ts'
import type { Scalar, ValueType } from './value-type.ts'

export interface Field {
  readonly name: string
  readonly type: ValueType
}

/** What rows and records are made of: the module's own declarations. */
export interface Layouts {
  rowFields(table: string): readonly Field[]
  recordFields(record: string): readonly Field[]
}

export const u64Max = 2n ** 63n - 1n
const i64Min = -(2n ** 63n)

/** Inclusive ranges of the integers that fit a double. */
const smallRanges = {
  u8: [0, 255],
  i8: [-128, 127],
  u16: [0, 65_535],
  i16: [-32_768, 32_767],
  u32: [0, 4_294_967_295],
  i32: [-2_147_483_648, 2_147_483_647],
} as const satisfies Partial<Record<Scalar, readonly [number, number]>>

const largeRanges = {
  u64: [0n, u64Max],
  i64: [i64Min, u64Max],
  timestamp: [timestampMin, timestampMax],
} as const satisfies Partial<Record<Scalar, readonly [bigint, bigint]>>

// ---- bytes out ---------------------------------------------------------------------------------

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

// ---- bytes in ----------------------------------------------------------------------------------

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

/** Why a text is not one JSON value of bounded depth, or undefined. */
export function jsonProblem(text: string, { deepest } = jsonShape(text)): string | undefined {
  if (deepest > limits.jsonDepthMax) return `JSON nested deeper than ${limits.jsonDepthMax}`
  try {
    JSON.parse(text)
    return undefined
  } catch {
    return 'text that is not one JSON value'
  }
}

interface JsonShape {
  readonly deepest: number
  /** At most so many are in it: those of JSON weigh as much as others once they are parsed. */
  readonly values: number
}

function jsonShape(text: string): JsonShape {
  let depth = 0
  let deepest = 0
  let values = 1
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (inString) {
      if (code === 0x5c) index++
      else if (code === 0x22) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x2c) values++
    else if (code === 0x5b || code === 0x7b) {
      values++
      deepest = Math.max(deepest, ++depth)
    } else if (code === 0x5d || code === 0x7d) depth--
  }
  return { deepest, values }
}

// ---- values ------------------------------------------------------------------------------------

/**
 * Packs a value of a caller. `path` names it in errors. `depth` counts the lists, rows and records
 * around it: records may hold themselves.
 *
 * @throws HostError ERR_ARGUMENT_TYPE, ERR_ARGUMENT_RANGE, ERR_ARGUMENTS_TOO_LARGE.
 */
export function packValue(writer: PackedWriter, type: ValueType, value: unknown, layouts: Layouts, path: string, depth = 0): void {
  if (depth > limits.jsonDepthMax) throw outOfRange(path.slice(0, 80), `nesting of at most ${limits.jsonDepthMax}`, '…')
  switch (type.kind) {
    case 'void':
      return
    case 'scalar':
      if (packPresence(writer, type.nullable, value)) packScalar(writer, type.scalar, value, path)
      return
    case 'row':
      if (packPresence(writer, type.nullable, value)) packFields(writer, layouts.rowFields(type.table), value, layouts, path, depth)
      return
    case 'record':
      if (packPresence(writer, type.nullable, value)) packFields(writer, layouts.recordFields(type.record), value, layouts, path, depth)
      return
    case 'array':
      if (!Array.isArray(value)) throw wrongType(path, formatValueType(type), value)
      writer.u32(value.length)
      for (const [index, element] of value.entries()) packValue(writer, type.element, element, layouts, `${path}[${index}]`, depth + 1)
  }
}

function packPresence(writer: PackedWriter, isNullable: boolean, value: unknown): boolean {
  if (!isNullable) return true
  const isPresent = value !== null && value !== undefined
  writer.u8(isPresent ? 1 : 0)
  return isPresent
}

function packFields(writer: PackedWriter, fields: readonly Field[], value: unknown, layouts: Layouts, path: string, depth: number): void {
  if (typeof value !== 'object' || value === null) throw wrongType(path, 'an object', value)
  for (const key of Object.keys(value)) {
    if (!fields.some((field) => field.name === key)) {
      throw new HostError('ERR_ARGUMENT_TYPE', `${path} has no ${JSON.stringify(key.slice(0, 80))}; it has ${fields.map((field) => field.name).join(', ')}`)
    }
  }
  const given = new Map(Object.entries(value))
  for (const field of fields) packValue(writer, field.type, given.get(field.name), layouts, `${path}.${field.name}`, depth + 1)
}

export function packScalar(writer: PackedWriter, scalar: Scalar, value: unknown, path: string): void {
  switch (scalar) {
    case 'bool':
      if (typeof value !== 'boolean') throw wrongType(path, 'bool', value)
      return writer.u8(value ? 1 : 0)
    case 'u8':
    case 'i8':
      return writer.u8(smallInteger(scalar, value, path) & 0xff)
    case 'u16':
    case 'i16':
      return writer.u16(smallInteger(scalar, value, path) & 0xffff)
    case 'u32':
    case 'i32':
      return writer.u32(smallInteger(scalar, value, path) >>> 0)
    case 'u64':
    case 'i64':
    case 'timestamp':
      return writer.i64(largeInteger(scalar, value, path))
    case 'f32':
      return writer.f32(orderedFloat(scalar, value, path))
    case 'f64':
      return writer.f64(orderedFloat(scalar, value, path))
    case 'string':
      return writer.string(wellFormed(scalar, value, path))
    case 'json':
      return writer.string(jsonText(value, path))
    case 'bytes':
      if (!(value instanceof Uint8Array)) throw wrongType(path, 'bytes (a Uint8Array)', value)
      return writer.bytes(value)
    case 'identity':
      if (typeof value !== 'string') throw wrongType(path, 'an identity (64 hex digits)', value)
      return writer.raw(identityToBytes(parseIdentity(value)))
  }
}

function smallInteger(scalar: keyof typeof smallRanges, value: unknown, path: string): number {
  if (typeof value !== 'number') throw wrongType(path, scalar, value)
  const [least, most] = smallRanges[scalar]
  if (!Number.isInteger(value) || value < least || value > most) throw outOfRange(path, `${scalar}, ${least} to ${most}`, value)
  return value
}

function largeInteger(scalar: keyof typeof largeRanges, value: unknown, path: string): bigint {
  const integer = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof integer !== 'bigint') throw wrongType(path, `${scalar} (a bigint)`, value)
  const [least, most] = largeRanges[scalar]
  if (integer < least || integer > most) throw outOfRange(path, `${scalar}, ${least} to ${most}`, integer)
  return integer
}

function orderedFloat(scalar: 'f32' | 'f64', value: unknown, path: string): number {
  if (typeof value !== 'number') throw wrongType(path, scalar, value)
  if (Number.isNaN(value)) throw outOfRange(path, `${scalar}, not NaN`, value)
  if (scalar === 'f32' && Number.isFinite(value) && !Number.isFinite(Math.fround(value))) throw outOfRange(path, 'f32', value)
  return value === 0 ? 0 : value
}

function wellFormed(what: string, value: unknown, path: string): string {
  if (typeof value !== 'string') throw wrongType(path, what, value)
  if (!value.isWellFormed()) throw outOfRange(path, `${what} without lone surrogates`, '…')
  if (value.includes('\0')) throw outOfRange(path, `${what} without U+0000`, '…')
  return value
}

function jsonText(value: unknown, path: string): string {
  const text = wellFormed('json (its text)', value, path)
  const problem = jsonProblem(text)
  if (problem !== undefined) throw new HostError('ERR_ARGUMENT_TYPE', `${path}: ${problem}`)
  return text
}

function wrongType(path: string, expected: string, value: unknown): HostError {
  const came = value === null ? 'null' : value === undefined ? 'nothing' : Array.isArray(value) ? 'an array' : `${typeof value} ${shown(value)}`
  return new HostError('ERR_ARGUMENT_TYPE', `${path}: expected ${expected}, got ${came}`)
}

function outOfRange(path: string, expected: string, value: unknown): HostError {
  return new HostError('ERR_ARGUMENT_RANGE', `${path}: expected ${expected}, got ${shown(value)}`)
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, 80)
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? value.toString() : ''
}

/** The value of packed bytes. Arrays cost at least a byte an element, so that a count cannot lie. */
export function unpackValue(reader: PackedReader, type: ValueType, layouts: Layouts, depth = 0): unknown {
  if (depth > limits.jsonDepthMax) reader.refuse(`values nested deeper than ${limits.jsonDepthMax}`)
  reader.countValues()
  switch (type.kind) {
    case 'void':
      return undefined
    case 'scalar':
      return type.nullable && !reader.bool() ? null : unpackScalar(reader, type.scalar)
    case 'row':
      return type.nullable && !reader.bool() ? null : unpackFields(reader, layouts.rowFields(type.table), layouts, depth)
    case 'record':
      return type.nullable && !reader.bool() ? null : unpackFields(reader, layouts.recordFields(type.record), layouts, depth)
    case 'array': {
      const count = reader.u32()
      if (count > reader.remaining) reader.refuse(`an array of ${count} in ${reader.remaining} bytes`)
      return Array.from({ length: count }, () => unpackValue(reader, type.element, layouts, depth + 1))
    }
  }
}

function unpackFields(reader: PackedReader, fields: readonly Field[], layouts: Layouts, depth: number): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const field of fields) value[field.name] = unpackValue(reader, field.type, layouts, depth + 1)
  return value
}

export function unpackScalar(reader: PackedReader, scalar: Scalar): boolean | number | bigint | string | Uint8Array {
  switch (scalar) {
    case 'bool':
      return reader.bool()
    case 'u8':
      return reader.u8()
    case 'i8':
      return reader.i8()
    case 'u16':
      return reader.u16()
    case 'i16':
      return reader.i16()
    case 'u32':
      return reader.u32()
    case 'i32':
      return reader.i32()
    case 'u64':
    case 'i64':
    case 'timestamp':
      return checkedLarge(reader, scalar, scalar === 'u64' ? reader.u64() : reader.i64())
    case 'f32':
      return reader.f32()
    case 'f64':
      return reader.f64()
    case 'string':
      return reader.string()
    case 'json':
      return reader.json()
    case 'bytes':
      return new Uint8Array(reader.bytes())
    case 'identity':
      return identityFromBytes(reader.raw(identitySizeBytes))
  }
}

function checkedLarge(reader: PackedReader, scalar: keyof typeof largeRanges, value: bigint): bigint {
  const [least, most] = largeRanges[scalar]
  if (value < least || value > most) reader.refuse(`${scalar} ${value} out of its range ${least} to ${most}`)
  return value
}
