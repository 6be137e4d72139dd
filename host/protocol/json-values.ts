/**
 * JSON values of the API and JavaScript values of the row format (docs/api.md, Values). Only what JSON
 * cannot say is converted here: 64-bit integers, bytes, times and infinities; ranges and everything
 * else are checked once, by packValue. Nothing is rounded, clamped or replaced on the way.
 */
import { formatTimestamp, parseTimestamp } from '../clock.ts'
import { assert, HostError } from '../errors.ts'
import type { Field, Layouts } from '../row-codec.ts'
import type { Scalar, ValueType } from '../value-type.ts'

/**
 * What packValue takes for a JSON value. `path` names the value in errors.
 *
 * @throws HostError ERR_ARGUMENT_TYPE, ERR_ARGUMENT_RANGE
 */
export function fromJson(type: ValueType, json: unknown, layouts: Layouts, path: string): unknown {
  if (json === null || json === undefined) return json
  switch (type.kind) {
    case 'void':
      return undefined
    case 'scalar':
      return scalarFromJson(type.scalar, json, path)
    case 'row':
      return fieldsFromJson(layouts.rowFields(type.table), json, layouts, path)
    case 'record':
      return fieldsFromJson(layouts.recordFields(type.record), json, layouts, path)
    case 'array':
      return Array.isArray(json) ? json.map((one, index) => fromJson(type.element, one, layouts, `${path}[${index}]`)) : json
  }
}

/** Unknown fields and other things than objects are left for packValue to refuse. */
function fieldsFromJson(fields: readonly Field[], json: unknown, layouts: Layouts, path: string): unknown {
  if (!isObject(json)) throw unexpected(path, 'an object', json)
  const types = new Map(fields.map((field) => [field.name, field.type]))
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      const type = types.get(name)
      return [name, type === undefined ? value : fromJson(type, value, layouts, `${path}.${name}`)]
    }),
  )
}

function scalarFromJson(scalar: Scalar, json: unknown, path: string): unknown {
  switch (scalar) {
    case 'u64':
    case 'i64':
      return integerFromJson(scalar, json, path)
    case 'f32':
    case 'f64':
      return floatFromJson(scalar, json, path)
    case 'bytes':
      return bytesFromJson(json, path)
    case 'timestamp':
      return timestampFromJson(json, path)
    case 'identity':
      if (typeof json === 'string' && /^[0-9a-f]{64}$/i.test(json)) return json
      throw unexpected(path, 'an identity (a string of 64 hex digits)', json)
    default:
      return json
  }
}

function integerFromJson(scalar: 'u64' | 'i64', json: unknown, path: string): unknown {
  if (typeof json === 'string' && /^(0|-?[1-9][0-9]*)$/.test(json)) {
    // BigInt takes a time that grows with the square of the digits, and no 64-bit integer has more than 20.
    if (json.length > 20) throw outside(path, `${scalar}, which has at most 19 digits`, json)
    return BigInt(json)
  }
  if (typeof json !== 'number') throw unexpected(path, `${scalar} (a string of decimal digits)`, json)
  if (Number.isSafeInteger(json)) return json
  // JSON.parse has already rounded it, so that the caller's digits are lost.
  throw outside(path, `${scalar} (a string of decimal digits, since a number beyond 2^53 − 1 is not exact)`, json)
}

function floatFromJson(scalar: 'f32' | 'f64', json: unknown, path: string): unknown {
  if (json === 'Infinity') return Infinity
  if (json === '-Infinity') return -Infinity
  if (typeof json !== 'number') throw unexpected(path, `${scalar} (a number, "Infinity" or "-Infinity")`, json)
  // What JSON.parse made of 1e999.
  if (!Number.isFinite(json)) throw outside(path, scalar, json)
  return json
}

function bytesFromJson(json: unknown, path: string): unknown {
  const bytes = typeof json === 'string' ? Buffer.from(json, 'base64') : undefined
  // Node skips what is not base64; whatever does not come back the same was not.
  if (bytes === undefined || bytes.toString('base64') !== json) throw unexpected(path, 'bytes (a string in base64, with its padding)', json)
  return bytes
}

function timestampFromJson(json: unknown, path: string): unknown {
  const micros = typeof json === 'string' ? parseTimestamp(json) : undefined
  if (micros === undefined) throw unexpected(path, 'timestamp (an RFC 3339 string, "2026-11-22T09:30:00.000000Z")', json)
  return micros
}

/** The JSON of an unpacked value, whose nesting unpackValue has bounded. */
export function toJson(type: ValueType, value: unknown, layouts: Layouts): unknown {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'void':
      return null
    case 'scalar':
      return scalarToJson(type.scalar, value)
    case 'row':
      return fieldsToJson(layouts.rowFields(type.table), value, layouts)
    case 'record':
      return fieldsToJson(layouts.recordFields(type.record), value, layouts)
    case 'array':
      assert(Array.isArray(value), 'an array type unpacks to an array')
      return value.map((one) => toJson(type.element, one, layouts))
  }
}

function fieldsToJson(fields: readonly Field[], value: unknown, layouts: Layouts): unknown {
  assert(isObject(value), 'a row or record unpacks to an object')
  return Object.fromEntries(fields.map(({ name, type }) => [name, toJson(type, value[name], layouts)]))
}

function scalarToJson(scalar: Scalar, value: unknown): unknown {
  if (typeof value === 'bigint') return scalar === 'timestamp' ? formatTimestamp(value) : value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  return value
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unexpected(path: string, expected: string, json: unknown): HostError {
  return new HostError('ERR_ARGUMENT_TYPE', `${path}: expected ${expected}, got ${shown(json)}`)
}

function outside(path: string, expected: string, json: unknown): HostError {
  return new HostError('ERR_ARGUMENT_RANGE', `${path}: expected ${expected}, got ${shown(json)}`)
}

/** What came, short enough for a message. */
function shown(json: unknown): string {
  if (Array.isArray(json)) return 'an array'
  if (isObject(json)) return 'an object'
  // JSON.stringify would show an infinity as null.
  if (typeof json === 'number') return String(json)
  return (JSON.stringify(json) ?? 'nothing').slice(0, 80)
}
