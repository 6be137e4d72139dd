/**
 * What the list of a SELECT, its groups and its order have in common: values with names and places, which of them are
 * written alike, and an order in which no two rows have one place.
 */
import type { Node } from 'libpg-query'

import { partsOf } from '../plan/query.ts'
import type { QueryOrder, Value } from '../plan/query.ts'
import type { Column } from '../schema/schema.ts'
import { kindOf } from '../value-type.ts'
import { asNode, locationOf, opened, stringOf } from './node.ts'
import { shown } from './scope.ts'
import { StatementError } from './statement-error.ts'
import { as } from './typed.ts'
import type { ParameterKinds, Typed } from './typed.ts'

export interface Target {
  readonly name: string
  /** By an AS of its own. */
  readonly isNamed: boolean
  readonly value: Typed
}

export interface Sorted {
  readonly value: Typed
  readonly isDescending: boolean
  readonly nulls: 'first' | 'last'
}

export function columnValue(column: Column, alias: string, at: number | undefined): Typed {
  const { scalar, nullable } = column.type
  return { value: { kind: 'column', column, alias }, kind: kindOf[scalar], scalar, nullable, at, open: undefined }
}

/** What is still open is a text, as in PostgreSQL. */
export function settled(value: Typed, parameters: ParameterKinds): Typed {
  return value.kind === 'unknown' ? as(value, (value.open?.kind === 'parameter' ? parameters.known(value.open.index) : undefined) ?? 'text', parameters) : value
}

export function namedTarget(node: Node, targets: readonly Target[]): Typed | undefined {
  const fields = asNode(node, 'ColumnRef')?.fields ?? []
  if (fields.length !== 1) return undefined
  const name = stringOf(fields[0])
  const found = targets.filter((target) => target.name === name)
  const different = new Set(found.map(({ value }) => keyOf(value.value)))
  if (different.size > 1)
    throw new StatementError('ERR_SQL_NAME', `${shown(name)} stands twice in the list: write which with its place or its table`, locationOf(opened(node).body))
  return found[0]?.value
}

/** As PostgreSQL names what has no name. */
export function defaultName(node: Node | undefined): string {
  if (node === undefined) return '?column?'
  const column = asNode(node, 'ColumnRef')
  if (column !== undefined) return stringOf(column.fields?.at(-1))
  const call = asNode(node, 'FuncCall')
  if (call !== undefined) return stringOf(call.funcname?.at(-1))
  if ('CoalesceExpr' in node) return 'coalesce'
  if ('CaseExpr' in node) return 'case'
  if (asNode(node, 'SubLink')?.subLinkType === 'EXISTS_SUBLINK') return 'exists'
  const cast = asNode(node, 'TypeCast')
  if (cast !== undefined) {
    const inner = defaultName(cast.arg)
    return inner === '?column?' ? stringOf(cast.typeName?.names?.at(-1)) : inner
  }
  return asNode(node, 'A_Expr')?.kind === 'AEXPR_NULLIF' ? 'nullif' : '?column?'
}

export function hasAggregate(value: Value): boolean {
  return [...partsOf(value)].some((part) => part.kind === 'aggregate')
}

/** As in PostgreSQL: rows that are taken for one have no order by what they differ in. */
export function refuseOutside(sorted: readonly Sorted[], columns: readonly Typed[]): void {
  const known = new Set(columns.map(({ value }) => keyOf(value)))
  if (columns.some(({ kind }) => kind === 'json')) throw new StatementError('ERR_SQL_TYPE', 'Json is not distinct: it has no equality', undefined)
  for (const { value } of sorted) {
    if (!known.has(keyOf(value.value))) throw new StatementError('ERR_SQL_NAME', 'SELECT DISTINCT is ordered by columns of its list', value.at)
  }
}

/** What was asked for, then `rest`, so that no two rows have the same place; in its last direction, so that one index may serve both. */
export function totalOrder(sorted: readonly Sorted[], rest: readonly Typed[]): readonly QueryOrder[] {
  const isDescending = sorted.at(-1)?.isDescending ?? false
  const known = new Set(sorted.map(({ value }) => keyOf(value.value)))
  const added = rest.filter(({ value }) => !known.has(keyOf(value))).map((value): Sorted => ({ value, isDescending, nulls: isDescending ? 'first' : 'last' }))
  return [...sorted, ...added].map(({ value, isDescending: isDown, nulls }) => ({
    value: value.value,
    isDescending: isDown,
    nulls: value.nullable ? nulls : undefined,
  }))
}

/** Equal for values that are written alike. */
export function keyOf(value: Value): string {
  return JSON.stringify(value, (_key, one: unknown) => {
    if (typeof one === 'bigint') return `${one}n`
    return isCatalogued(one) ? one.id : one
  })
}

/** A table or a column. */
function isCatalogued(value: unknown): value is { readonly id: number; readonly name: string } {
  return typeof value === 'object' && value !== null && 'id' in value && 'name' in value
}
