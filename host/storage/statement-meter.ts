/**
 * What a client's statement may still examine, and what it has seen. The functions of its SQL report here:
 * SQLite cannot be interrupted, so that each row that it goes over, each text that it makes, is paid for.
 */
import type Sqlite from 'better-sqlite3'

import { assert } from '../errors.ts'
import type { SqlValue } from '../plan/plan.ts'
import { seenFunction, touchFunction } from '../plan/printer.ts'
import { VALUE_FUNCTIONS } from '../plan/query.ts'
import type { AggregateFunction, ValueFunction } from '../plan/query.ts'
import { finite, integer, sizeOf, valueFunctions } from './value-functions.ts'

/** Told of each row that the policies and the terms of a statement have let through: the source's number, then its key. */
export type OnTouch = (source: number, key: readonly SqlValue[]) => void

const bytesPerStep = 1_024

export class StatementMeter {
  /** Rows that the policies have let through, whatever became of them: what hidden rows cost is not in it. */
  rowsSeen = 0
  onTouch: OnTouch | undefined
  readonly #spend: (steps: number) => void

  /** `spend` throws once there is nothing left. */
  constructor(spend: (steps: number) => void) {
    this.#spend = spend
  }

  register(sqlite: Sqlite.Database): void {
    const options = { directOnly: true, safeIntegers: true, varargs: true }
    sqlite.function(seenFunction, { directOnly: true }, (bytes: unknown) => this.#seen(Number(bytes)))
    sqlite.function(touchFunction, options, (...args: unknown[]) => this.#touch(args as SqlValue[]))
    for (const name of VALUE_FUNCTIONS) {
      // SQLite gives what it has stored.
      sqlite.function(name, options, (...args: unknown[]) => this.#call(name, args as SqlValue[]))
    }
    const step = (sum: Sum, value: unknown): Sum => {
      this.#spend(1)
      return sumStep(sum, value)
    }
    sqlite.aggregate('_sum' satisfies AggregateFunction, { ...aggregateOptions, step, result: sumResult })
    sqlite.aggregate('_average' satisfies AggregateFunction, { ...aggregateOptions, step, result: average })
  }

  #seen(bytes: number): number {
    this.rowsSeen++
    this.#spend(1 + Math.floor(bytes / bytesPerStep))
    return 1
  }

  #touch([source, ...key]: readonly SqlValue[]): bigint {
    this.onTouch?.(Number(source), key)
    return 1n
  }

  #call(name: ValueFunction, args: readonly SqlValue[]): SqlValue {
    const present: NonNullable<SqlValue>[] = []
    let size = 0
    for (const value of args) {
      if (value === null) return null
      size += sizeOf(value)
      present.push(value)
    }
    // Where a pattern goes back, each of its characters may meet each of the text.
    if (name === '_like') size *= 1 + sizeOf(present[1] ?? null) / 16
    this.#spend(1 + Math.floor(size / bytesPerStep))
    const result = valueFunctions[name](...present)
    this.#spend(Math.floor(sizeOf(result) / bytesPerStep))
    return result
  }
}

/** Of a group: integers exactly, however large on the way. */
interface Sum {
  readonly count: number
  readonly integers: bigint
  readonly floats: number
  readonly isFloat: boolean
}

const aggregateOptions = { directOnly: true, safeIntegers: true, start: (): Sum => ({ count: 0, integers: 0n, floats: 0, isFloat: false }) }

function sumStep(sum: Sum, value: unknown): Sum {
  if (value === null) return sum
  const count = sum.count + 1
  if (typeof value === 'bigint') return { ...sum, count, integers: sum.integers + value }
  assert(typeof value === 'number', 'host/sql sums numbers')
  return { ...sum, count, floats: finite(sum.floats + value, sum.floats, value), isFloat: true }
}

function sumResult({ count, integers, floats, isFloat }: Sum): SqlValue {
  if (count === 0) return null
  return isFloat ? floats : integer(integers)
}

function average({ count, integers, floats, isFloat }: Sum): SqlValue {
  if (count === 0) return null
  return isFloat ? floats / count : quotient(integers, BigInt(count))
}

/** The float nearest to it as far as 64 bits of the whole part and 53 of the rest say. */
function quotient(sum: bigint, count: bigint): number {
  return Number(sum / count) + Number(sum % count) / Number(count)
}
