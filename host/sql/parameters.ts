/**
 * The values that go with a statement, typed by where its `$n` stand: an identity is 64 hex digits or its 32
 * bytes, a time RFC 3339 or microseconds, a 64-bit integer a bigint, a safe number or its digits. They come
 * from this process or as JSON; either way each is checked against its kind before anything runs.
 */
import { parseTimestamp, timestampMax, timestampMin } from '../clock.ts'
import { HostError } from '../errors.ts'
import { identitySizeBytes } from '../identity.ts'
import { jsonProblem } from '../json-text.ts'
import type { SqlValue } from '../plan/plan.ts'
import type { Known } from './kinds.ts'
import { named } from './kinds.ts'

/** @throws HostError ERR_ARGUMENT_COUNT, ERR_ARGUMENT_TYPE, ERR_ARGUMENT_RANGE */
export function parameterValues(kinds: readonly Known[], given: readonly unknown[]): SqlValue[] {
  if (given.length !== kinds.length) {
    throw new HostError('ERR_ARGUMENT_COUNT', `the statement has ${kinds.length} ${kinds.length === 1 ? 'parameter' : 'parameters'}, and ${given.length} came`)
  }
  return kinds.map((kind, index) => parameterValue(kind, given[index], `$${index + 1}`))
}

export function parameterValue(kind: Known, value: unknown, path: string): SqlValue {
  if (value === null) return null
  const made = convert[kind](value, path)
  if (made !== undefined) return made
  throw new HostError('ERR_ARGUMENT_TYPE', `${path}: expected ${named[kind]}${forms[kind] ?? ''}, got ${shown(value)}`)
}

/** Undefined for what is none of this kind. */
const convert: Readonly<Record<Known, (value: unknown, path: string) => SqlValue | undefined>> = {
  bool: boolOf,
  integer: integerOf,
  float: floatOf,
  text: textOf,
  bytes: bytesOf,
  identity: identityOf,
  timestamp: timestampOf,
  json: (value, path) => {
    const text = textOf(value, path)
    const problem = text === undefined ? undefined : jsonProblem(text)
    if (problem !== undefined) throw new HostError('ERR_ARGUMENT_TYPE', `${path}: ${problem}`)
    return text
  },
}

const forms: Partial<Readonly<Record<Known, string>>> = {
  integer: ' (a bigint, a number up to 2^53 − 1, or its digits)',
  bytes: ' (a Uint8Array, or base64)',
  identity: ' (64 hex digits, or 32 bytes)',
  timestamp: ' (RFC 3339, or microseconds since 1970 as a bigint)',
}

const integerMin = -(2n ** 63n)
const integerMax = 2n ** 63n - 1n

/** Also as text, as it comes from a command line. */
function boolOf(value: unknown): bigint | undefined {
  if (value === true || value === 'true') return 1n
  return value === false || value === 'false' ? 0n : undefined
}

function integerOf(value: unknown, path: string): bigint | undefined {
  const integer = bigintOf(value)
  if (integer !== undefined && (integer < integerMin || integer > integerMax)) {
    throw new HostError('ERR_ARGUMENT_RANGE', `${path}: expected an integer of 64 bits, got ${integer}`)
  }
  return integer
}

function bigintOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  // No 64-bit integer has more than 20 characters, and BigInt takes its time with long ones.
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : undefined
}

function floatOf(value: unknown, path: string): number | undefined {
  if (value === 'Infinity') return Number.POSITIVE_INFINITY
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY
  if (typeof value === 'string' && /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number(value)
  if (typeof value !== 'number') return undefined
  if (Number.isNaN(value)) throw new HostError('ERR_ARGUMENT_RANGE', `${path}: expected a float, not NaN`)
  return value === 0 ? 0 : value
}

function textOf(value: unknown, path: string): string | undefined {
  if (typeof value !== 'string') return undefined
  if (!value.isWellFormed() || value.includes('\0')) {
    throw new HostError('ERR_ARGUMENT_RANGE', `${path}: expected a text without lone surrogates and without U+0000`)
  }
  return value
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined
  return bytes !== undefined && bytes.toString('base64') === value ? bytes : undefined
}

function identityOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value.length === identitySizeBytes ? value : undefined
  return typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value) ? Buffer.from(value, 'hex') : undefined
}

function timestampOf(value: unknown, path: string): bigint | undefined {
  const micros = typeof value === 'bigint' ? value : typeof value === 'string' ? parseTimestamp(value) : undefined
  if (micros !== undefined && (micros < timestampMin || micros > timestampMax)) {
    throw new HostError('ERR_ARGUMENT_RANGE', `${path}: expected a time of the years 1 to 9999, got ${micros}`)
  }
  return micros
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80))
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  return value === undefined ? 'nothing' : Array.isArray(value) ? 'an array' : 'an object'
}
