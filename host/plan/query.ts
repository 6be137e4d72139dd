/**
 * A client's statement as frozen data (docs/sql.md), made by host/sql and printed beside all others. Each
 * table in it stands with what its policies let through, and with those terms of the client's that may only
 * be asked of rows that they have let through: the printer forces that order.
 */
import type { Column, Table } from '../schema/schema.ts'
import type { Condition, Operand, Operator } from './plan.ts'

/** What the storage computes for a statement: each checks its result, and none is one of SQLite's own. */
export const VALUE_FUNCTIONS = [
  '_add',
  '_subtract',
  '_multiply',
  '_divide',
  '_modulo',
  '_negate',
  '_absolute',
  '_float',
  '_integer',
  '_round',
  '_floor',
  '_ceil',
  '_concat',
  '_lower',
  '_upper',
  '_length',
  '_substring',
  '_trim',
  '_replace',
  '_position',
  '_starts_with',
  '_like',
  '_date_trunc',
  '_extract',
] as const
export type ValueFunction = (typeof VALUE_FUNCTIONS)[number]

export type AggregateFunction = 'count' | 'min' | 'max' | '_sum' | '_average'

/** A value of a row or of a group. Those that are true or false are 1 or 0, or null when it is unknown. */
export type Value =
  | { readonly kind: 'column'; readonly column: Column; readonly alias: string }
  | { readonly kind: 'operand'; readonly operand: Operand }
  | { readonly kind: 'call'; readonly name: ValueFunction; readonly args: readonly Value[] }
  /** Without an argument: of the rows themselves. */
  | { readonly kind: 'aggregate'; readonly name: AggregateFunction; readonly argument: Value | undefined; readonly isDistinct: boolean }
  | { readonly kind: 'case'; readonly branches: readonly Branch[]; readonly otherwise: Value | undefined }
  | { readonly kind: 'coalesce'; readonly args: readonly Value[] }
  | { readonly kind: 'compare'; readonly left: Value; readonly operator: Operator; readonly right: Value }
  | { readonly kind: 'in'; readonly operand: Value; readonly items: readonly Value[] }
  | { readonly kind: 'is-null'; readonly operand: Value }
  | { readonly kind: 'not'; readonly term: Value }
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Value[] }
  | { readonly kind: 'exists'; readonly query: Selection }
  | { readonly kind: 'in-query'; readonly operand: Value; readonly query: Selection; readonly column: Value }

export interface Branch {
  readonly when: Value
  readonly result: Value
}

/** One table in a statement. Its columns are known by its alias, and so are they in its policies' conditions. */
export interface Source {
  readonly table: Table
  readonly alias: string
  /** What of its policies an index may serve, and what is asked of each row beside: true where nothing is. */
  readonly served: Condition
  readonly policy: Condition
  /** Rows of it may be passed over by a comparison before `policy` is asked: each is counted first. */
  readonly isCounted: boolean
  /** The client's comparisons that an index may serve: with bound values and with those of sources before. They cannot fail. */
  readonly terms: readonly Value[]
  /** How often the statement names each column whose values may be long: what a row costs. */
  readonly weights: ReadonlyMap<Column, number>
  /** Bytes that going over a row costs beside those of its values: each expression of the statement may be computed for it. */
  readonly rowBytes: number
  /** The client's own terms, of this source and of those before it. */
  readonly filter: readonly Value[]
  /** Names this source to whoever keeps account of rows. */
  readonly touch: number
}

/** Rows of sources, the first of them the outermost. */
export interface Selection {
  readonly sources: readonly Source[]
}

export interface QueryOrder {
  readonly value: Value
  readonly isDescending: boolean
  /** Left out where there can be none. */
  readonly nulls: 'first' | 'last' | undefined
}

export interface Query extends Selection {
  readonly kind: 'query'
  readonly columns: readonly Value[]
  readonly isDistinct: boolean
  readonly groups: readonly Value[]
  readonly having: Value | undefined
  readonly order: readonly QueryOrder[]
  /** Bound when it runs, never more than the host's own bound. */
  readonly limit: Operand
  readonly offset: Operand | undefined
  /** How SQLite would go about it, instead of its rows. */
  readonly isExplained: boolean
}

/** Everything that a value is made of, itself first; what lies in the sources of an `exists` too. */
export function* partsOf(value: Value): Iterable<Value> {
  yield value
  for (const child of childrenOf(value)) yield* partsOf(child)
}

export function childrenOf(value: Value): readonly Value[] {
  switch (value.kind) {
    case 'column':
    case 'operand':
      return []
    case 'call':
    case 'coalesce':
      return value.args
    case 'aggregate':
      return value.argument === undefined ? [] : [value.argument]
    case 'case':
      return [...value.branches.flatMap(({ when, result }) => [when, result]), ...(value.otherwise === undefined ? [] : [value.otherwise])]
    case 'compare':
      return [value.left, value.right]
    case 'in':
      return [value.operand, ...value.items]
    case 'is-null':
      return [value.operand]
    case 'not':
      return [value.term]
    case 'and':
    case 'or':
      return value.terms
    case 'exists':
      return innerValues(value.query)
    case 'in-query':
      return [value.operand, value.column, ...innerValues(value.query)]
  }
}

/** The client's terms inside; a policy's are about their own table alone. */
function innerValues({ sources }: Selection): readonly Value[] {
  return sources.flatMap(({ terms, filter }) => [...terms, ...filter])
}
