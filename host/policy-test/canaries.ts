/**
 * Rows of one person in every table of a module, made from its schema alone. Every value says whose it is: one
 * person's integers are odd, their texts say so, and what is an identity is theirs. So the rows of a person refer
 * to each other as those of a module would, and never to those of another.
 *
 * Where a policy compares a column with something written down, there are rows that have it: what is shown
 * because its status is 'public', or its age past 30, is found as well.
 */
import type { Condition, SqlRow, SqlValue } from '../plan/plan.ts'
import type { CheckedPolicy } from '../policy/check-policies.ts'
import type { Column, Table } from '../schema/schema.ts'
import type { Scalar } from '../value-type.ts'

/** Whose rows they are. */
export interface Owner {
  /** 32 bytes. */
  readonly identity: Uint8Array
  readonly word: string
  /** The least of their integers: those of two people are never equal, since they go on by two. */
  readonly integer: bigint
}

/** Rows that differ in all their integers, so that those of one number belong together in all tables. */
const kindsOfRows = 3
/** With those of the literals: integers of 8 bits have no more. */
const rowsPerTableMax = 24

export function canariesOf(owner: Owner, table: Table, policies: readonly CheckedPolicy[]): readonly SqlRow[] {
  const plain = Array.from({ length: kindsOfRows }, (_unused, kind) =>
    rowOf(owner, table, { number: kind, isShifted: true, isTrue: kind === 1, isNull: kind === 2 }),
  )
  const truths = table.columns.some(({ type }) => type.scalar === 'bool') ? [false, true] : [false]
  const literal = literalsOf(table, policies).flatMap(([column, value]) => truths.map((isTrue) => ({ isTrue, column, value })))
  const others = literal
    .slice(0, rowsPerTableMax - kindsOfRows)
    .map(({ isTrue, column, value }, index) =>
      rowOf(owner, table, { number: kindsOfRows + index, isShifted: false, isTrue, isNull: false, fixed: new Map([[column, value]]) }),
    )
  return [...plain, ...others]
}

/** A value of a type that is this person's. */
export function canary({ identity, word, integer }: Owner, scalar: Scalar, shift = 0n, isTrue = false): SqlValue {
  const suffix = shift === 0n ? '' : `-${shift}`
  switch (scalar) {
    case 'bool':
      return isTrue ? 1n : 0n
    case 'f32':
    case 'f64':
      return Number(integer + shift) + 0.25
    case 'string':
      return `${word}${suffix}`
    case 'json':
      return JSON.stringify({ of: `${word}${suffix}` })
    case 'bytes':
      return Buffer.from(`${word}${suffix}`)
    case 'identity':
      return identity
    default:
      return integer + shift
  }
}

interface Shape {
  readonly number: number
  /** All integers have the row's number, or only those that must differ. */
  readonly isShifted: boolean
  readonly isTrue: boolean
  readonly isNull: boolean
  readonly fixed?: ReadonlyMap<Column, SqlValue>
}

function rowOf(owner: Owner, table: Table, { number, isShifted, isTrue, isNull, fixed }: Shape): SqlRow {
  const distinct = new Set([table.key, ...table.indexes.filter(({ unique }) => unique !== undefined).flatMap(({ columns }) => columns)])
  return table.columns.map((column) => {
    const { scalar, nullable } = column.type
    const value = fixed?.get(column)
    if (value !== undefined) return value
    if (isNull && nullable) return null
    const isText = scalar === 'string' || scalar === 'bytes' || scalar === 'json'
    const shift = distinct.has(column) || (isShifted && !isText) ? BigInt(number) * 2n : 0n
    return canary(owner, scalar, shift, isTrue)
  })
}

/** What the policies of all tables compare columns of this one with, and then what lies on either side of that. */
function literalsOf(table: Table, policies: readonly CheckedPolicy[]): readonly (readonly [Column, SqlValue])[] {
  const compared = policies
    .flatMap(({ expression, check }) => [...literalsIn(expression), ...(check === undefined ? [] : literalsIn(check))])
    .filter(([column]) => table.columns.includes(column) && column.type.scalar !== 'bool')
  const beside = compared.flatMap(([column, value]) => neighbours(column, value).map((one) => [column, one] as const))
  return [...new Map([...compared, ...beside].map((pair) => [`${pair[0].id} ${String(pair[1])}`, pair])).values()]
}

function neighbours({ type }: Column, value: SqlValue): readonly SqlValue[] {
  if (typeof value === 'bigint') return [value + 1n, value - 1n].filter((one) => one >= 0n || !type.scalar.startsWith('u'))
  if (typeof value === 'number') return [value + 1, value - 1]
  return typeof value === 'string' ? [`${value}~`, ''] : []
}

function literalsIn(condition: Condition): readonly (readonly [Column, SqlValue])[] {
  switch (condition.kind) {
    case 'compare':
      return pairOf(condition.left, condition.right)
    case 'in':
      return condition.items.flatMap((item) => pairOf(condition.operand, item))
    case 'not':
      return literalsIn(condition.term)
    case 'and':
    case 'or':
      return condition.terms.flatMap(literalsIn)
    case 'exists':
      return literalsIn(condition.where)
    case 'examined':
      return literalsIn(condition.condition)
    default:
      return []
  }
}

type Side = Extract<Condition, { kind: 'compare' }>['left']

function pairOf(left: Side, right: Side): readonly (readonly [Column, SqlValue])[] {
  return left.kind === 'column' && right.kind === 'literal' && right.value !== null ? [[left.column, right.value]] : []
}
