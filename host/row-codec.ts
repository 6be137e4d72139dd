/**
 * The values of the row format (docs/row-format.md): JavaScript's own into packed bytes, checked before
 * they are written, and out of them again.
 *
 * In JavaScript u64, i64 and timestamp are bigint, other numbers are number, bytes are Uint8Array, an
 * identity is its hex text, json is its text, rows and records are plain objects.
 */
import { timestampMax, timestampMin } from './clock.ts'
import { HostError } from './errors.ts'
import { identityFromBytes, identitySizeBytes, identityToBytes, parseIdentity } from './identity.ts'
import { jsonProblem } from './json-text.ts'
import * as limits from './limits.ts'
import type { PackedReader, PackedWriter } from './packed-bytes.ts'
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
