/**
 * What a client's statement computes beside SQLite's own comparisons: arithmetic that says when it
 * overflows, texts as PostgreSQL counts them, times. SQLite would go on with null or with a rounded number
 * (docs/types.md). Null in gives null out; results are bounded, and what they cost is counted by bytes.
 */
import { assert, HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import type { SqlValue } from '../plan/plan.ts'
import type { ValueFunction } from '../plan/query.ts'
import { likeMatcher } from './like.ts'
import { extractField, truncateTime } from './time-parts.ts'

type Present = NonNullable<SqlValue>

const integerMin = -(2n ** 63n)
const integerMax = 2n ** 63n - 1n

/** Of values that are there and of the types that host/sql has checked. */
export const valueFunctions: Readonly<Record<ValueFunction, (...args: readonly Present[]) => SqlValue>> = {
  _add: (left, right) =>
    number(
      left,
      right,
      (a, b) => a + b,
      (a, b) => a + b,
    ),
  _subtract: (left, right) =>
    number(
      left,
      right,
      (a, b) => a - b,
      (a, b) => a - b,
    ),
  _multiply: (left, right) => number(left, right, (a, b) => a * b, product),
  _divide: (left, right) => {
    if (right === 0n || right === 0) throw divisionByZero()
    return number(left, right, (a, b) => a / b, quotient)
  },
  _modulo: (left, right) => {
    if (right === 0n) throw divisionByZero()
    return integer(big(left) % big(right))
  },
  _negate: (value) => (typeof value === 'bigint' ? integer(-value) : 0 - float(value)),
  _absolute: (value) => (typeof value === 'bigint' ? integer(value < 0n ? -value : value) : Math.abs(float(value))),
  _float: (value) => Number(value),
  _integer: (value) => toInteger(float(value)),
  _round: (value) => halfToEven(float(value)),
  _floor: (value) => Math.floor(float(value)) + 0,
  _ceil: (value) => Math.ceil(float(value)) + 0,
  _concat: (left, right) => bounded(text(left) + text(right)),
  // The C locale, as PostgreSQL's: only the letters of ASCII have another case.
  _lower: (value) => text(value).replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  _upper: (value) => text(value).replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase()),
  _length: (value) => BigInt(value instanceof Uint8Array ? value.length : codePointCount(text(value))),
  _substring: (value, start, count) => substring(text(value), big(start), count === undefined ? undefined : big(count)),
  _trim: (value, side) => trimmed(text(value), text(side)),
  _replace: (value, from, to) => replaced(text(value), text(from), text(to)),
  _position: (value, part) => {
    const at = text(value).indexOf(text(part))
    return at < 0 ? 0n : BigInt(codePointCount(text(value).slice(0, at)) + 1)
  },
  _starts_with: (value, start) => truth(text(value).startsWith(text(start))),
  _like: (value, pattern) => truth(likeMatcher(text(pattern))(text(value))),
  _date_trunc: (field, time) => truncateTime(text(field), big(time)),
  _extract: (field, time) => extractField(text(field), big(time)),
}

/** Bytes, roughly, of what a function has read or made. */
export function sizeOf(value: SqlValue): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 8
}

function number(left: Present, right: Present, integers: (a: bigint, b: bigint) => bigint, floats: (a: number, b: number) => number): SqlValue {
  if (typeof left === 'bigint' && typeof right === 'bigint') return integer(integers(left, right))
  return finite(floats(float(left), float(right)), float(left), float(right))
}

export function integer(value: bigint): bigint {
  if (value < integerMin || value > integerMax) throw new HostError('ERR_SQL_VALUE', 'an integer of this statement leaves the range of 64 bits')
  return value
}

/** Infinity comes of infinity only, and there is no NaN. */
export function finite(result: number, ...from: readonly number[]): number {
  if (Number.isNaN(result)) throw new HostError('ERR_SQL_VALUE', 'a float of this statement would be no number')
  if (!Number.isFinite(result) && from.every((one) => Number.isFinite(one))) throw new HostError('ERR_SQL_VALUE', 'a float of this statement leaves its range')
  return result === 0 ? 0 : result
}

function product(a: number, b: number): number {
  return notVanished(a * b, a !== 0 && b !== 0)
}

function quotient(a: number, b: number): number {
  return notVanished(a / b, a !== 0 && Number.isFinite(b))
}

/** PostgreSQL refuses what only became zero because it is too small to be written. */
function notVanished(result: number, isNotZero: boolean): number {
  if (result === 0 && isNotZero) throw new HostError('ERR_SQL_VALUE', 'a float of this statement leaves its range: it is too small')
  return result
}

function divisionByZero(): HostError {
  return new HostError('ERR_SQL_VALUE', 'division by zero: write nullif(x, 0) where x may be 0')
}

function toInteger(value: number): bigint {
  const rounded = halfToEven(value)
  if (!Number.isFinite(rounded)) throw new HostError('ERR_SQL_VALUE', 'a float of this statement is no integer of 64 bits')
  return integer(BigInt(rounded))
}

/** As PostgreSQL rounds a float8. */
function halfToEven(value: number): number {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value) + 0
  return (floor % 2 === 0 ? floor : floor + 1) + 0
}

function codePointCount(value: string): number {
  let count = value.length
  for (let at = 0; at < value.length; at++) if ((value.charCodeAt(at) & 0xfc00) === 0xdc00) count--
  return count
}

/** From the `start`th character, 1 the first; places before it count too, as in the standard. */
function substring(value: string, start: bigint, count: bigint | undefined): string {
  if (count !== undefined && count < 0n) throw new HostError('ERR_SQL_VALUE', 'a substring has no negative length')
  const characters = Array.from(value)
  const end = count === undefined ? BigInt(characters.length) : start + count - 1n
  const clamp = (place: bigint): number => Number(place < 0n ? 0n : place > BigInt(characters.length) ? BigInt(characters.length) : place)
  return characters.slice(clamp(start - 1n), clamp(end)).join('')
}

function trimmed(value: string, side: string): string {
  const start = side === 'trailing' ? value : value.replace(/^ +/, '')
  if (side === 'leading') return start
  let end = start.length
  while (end > 0 && start[end - 1] === ' ') end--
  return start.slice(0, end)
}

function replaced(value: string, from: string, to: string): string {
  if (from === '') return value
  const parts = value.split(from)
  if (value.length + (parts.length - 1) * to.length > limits.sqlTextBytesMade) throw tooLong()
  return parts.join(to)
}

function bounded(value: string): string {
  if (value.length > limits.sqlTextBytesMade) throw tooLong()
  return value
}

function tooLong(): HostError {
  return new HostError('ERR_SQL_BUDGET', `a statement makes texts of at most ${limits.sqlTextBytesMade} characters`)
}

function truth(value: boolean): bigint {
  return value ? 1n : 0n
}

function text(value: Present): string {
  return String(value)
}

function big(value: Present): bigint {
  assert(typeof value === 'bigint', 'host/sql gives integers where they are wanted')
  return value
}

function float(value: Present): number {
  return Number(value)
}
