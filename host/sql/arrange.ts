/**
 * Where each term of a statement stands. The tables get the order in which they are walked, each after the
 * first by an index; comparisons that an index may serve stand outside, and every other term with the last
 * table that it speaks of, behind that table's policies.
 */
import * as limits from '../limits.ts'
import { always, and, indexColumns, physicalColumns, storedIndexes } from '../plan/plan.ts'
import type { Condition } from '../plan/plan.ts'
import { partsOf } from '../plan/query.ts'
import type { Source, Value } from '../plan/query.ts'
import type { Column, Table } from '../schema/schema.ts'
import type { Scalar } from '../value-type.ts'
import type { ScopeSource } from './scope.ts'
import { StatementError } from './statement-error.ts'

type Comparison = Extract<Value, { kind: 'compare' }>

export interface Arranged extends ScopeSource {
  /** The policies of reading, with the columns of this source by its alias. */
  readonly policies: Condition
}

/** @throws StatementError when no index serves a join. */
export function arrange(
  sources: readonly Arranged[],
  conjuncts: readonly Value[],
  outer: ReadonlySet<string>,
): readonly Omit<Source, 'weights' | 'rowBytes' | 'touch'>[] {
  const order = walkOrder(sources, conjuncts)
  const places = new Map(order.map((source, index) => [source.alias, index]))
  const terms: Value[][] = order.map(() => [])
  const filters: Value[][] = order.map(() => [])
  for (const conjunct of conjuncts) {
    const place = Math.max(0, ...aliasesOf(conjunct).map((alias) => places.get(alias) ?? 0))
    const source = order[place]
    const served = source === undefined ? undefined : servedTerm(conjunct, source, outer, places)
    if (served === undefined || (terms[place]?.length ?? 0) >= limits.sqlServedTermsMax) filters[place]?.push(conjunct)
    else terms[place]?.push(served)
  }
  return order.map(({ table, alias, policies }, index) => {
    const { served, policy } = split(policies)
    const own = terms[index] ?? []
    return {
      table,
      alias,
      served,
      policy,
      isCounted: own.length > 0 || policy.kind !== 'true' || !isOwners(served, table),
      terms: own,
      filter: filters[index] ?? [],
    }
  })
}

/** What compiled policies ask row by row, and what stands beside it for an index. */
function split(policies: Condition): { readonly served: Condition; readonly policy: Condition } {
  const terms = policies.kind === 'and' ? policies.terms : [policies]
  const policy = terms.find((term) => term.kind === 'examined')
  if (policy === undefined) return { served: policies, policy: always }
  return { served: and(...terms.filter((term) => term !== policy)), policy: policy.condition }
}

/** The owner alone leads every index there is to walk, so that no row is passed over by this. */
function isOwners(served: Condition, { owner }: Table): boolean {
  return served.kind === 'true' || (served.kind === 'compare' && served.operator === '=' && served.left.kind === 'column' && served.left.column === owner)
}

function aliasesOf(value: Value): readonly string[] {
  return [...partsOf(value)].flatMap((part) => (part.kind === 'column' ? [part.alias] : []))
}

// ---- what an index serves ------------------------------------------------------------------------

/** The comparison with this source's column on its left, or undefined for what must not be asked of hidden rows. */
function servedTerm(term: Value, source: ScopeSource, outer: ReadonlySet<string>, places: ReadonlyMap<string, number>): Value | undefined {
  const own = places.get(source.alias) ?? 0
  const isOutside = (value: Value): boolean =>
    value.kind === 'operand' || (value.kind === 'column' && (outer.has(value.alias) || (places.get(value.alias) ?? own) < own))
  const isIndexed = (value: Value): boolean => value.kind === 'column' && value.alias === source.alias && indexedColumns(source.table).has(value.column)
  switch (term.kind) {
    case 'compare':
      if (isIndexed(term.left) && isOutside(term.right)) return term
      return isIndexed(term.right) && isOutside(term.left) ? turned(term) : undefined
    case 'in':
      return isIndexed(term.operand) && term.items.every((item) => item.kind === 'operand') ? term : undefined
    case 'is-null':
      return isIndexed(term.operand) ? term : undefined
    default:
      return undefined
  }
}

const TURNED = { '=': '=', '<>': '<>', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const

function turned({ left, operator, right }: Comparison): Comparison {
  return { kind: 'compare', left: right, operator: TURNED[operator], right: left }
}

function indexLists(table: Table): readonly (readonly Column[])[] {
  return [physicalColumns(table), ...storedIndexes(table).map((index) => indexColumns(table, index))]
}

function indexedColumns(table: Table): ReadonlySet<Column> {
  return new Set(indexLists(table).flat())
}

// ---- the order of a walk -------------------------------------------------------------------------

/** As written, where an index leads from each table to the next; else the first order in which one does. */
function walkOrder(sources: readonly Arranged[], conjuncts: readonly Value[]): readonly Arranged[] {
  for (const start of sources) {
    const order = orderFrom(start, sources, conjuncts)
    if (order.length === sources.length) return order
  }
  if (sources.length === 0) return []
  const names = sources.map(({ name }) => name).join(' and ')
  throw new StatementError('ERR_SQL_UNSUPPORTED', `no index serves a join of ${names}: join by = on columns that an index begins with, its owner beside it`)
}

function orderFrom(start: Arranged, sources: readonly Arranged[], conjuncts: readonly Value[]): readonly Arranged[] {
  const order = [start]
  for (let next: Arranged | undefined = start; next !== undefined;) {
    next = sources.find((source) => !order.includes(source) && isReached(source, order, conjuncts))
    if (next !== undefined) order.push(next)
  }
  return order
}

/** By a list of columns that are all equal to something, one of them to a column of a table before it. */
function isReached({ table, alias, policies }: Arranged, before: readonly Arranged[], conjuncts: readonly Value[]): boolean {
  const known = new Map<Column, boolean>(boundByPolicy(policies).map((column) => [column, false]))
  for (const conjunct of conjuncts) {
    if (conjunct.kind !== 'compare' || conjunct.operator !== '=') continue
    for (const { left, right } of [conjunct, turned(conjunct)]) {
      if (left.kind !== 'column' || left.alias !== alias) continue
      const joins = right.kind === 'column' && before.some((source) => source.alias === right.alias)
      if (joins || right.kind === 'operand') known.set(left.column, joins || known.get(left.column) === true)
    }
  }
  return indexLists(table).some((list) => {
    const prefix = list.slice(
      0,
      Math.max(
        0,
        list.findIndex((column) => !known.has(column)),
      ),
    )
    return (prefix.length === 0 && list.every((column) => known.has(column)) ? list : prefix).some((column) => known.get(column) === true)
  })
}

function boundByPolicy(policies: Condition): readonly Column[] {
  const { served } = split(policies)
  const terms = served.kind === 'and' ? served.terms : [served]
  return terms.flatMap((term) => (term.kind === 'compare' && term.operator === '=' && term.left.kind === 'column' ? [term.left.column] : []))
}

const LONG: ReadonlySet<Scalar> = new Set(['string', 'bytes', 'json'])

/** How often each of a source's columns that may be long is named. */
export function weightsOf(alias: string, parts: readonly Value[]): ReadonlyMap<Column, number> {
  const weights = new Map<Column, number>()
  for (const part of parts) {
    if (part.kind === 'column' && part.alias === alias && LONG.has(part.column.type.scalar)) weights.set(part.column, (weights.get(part.column) ?? 0) + 1)
  }
  return weights
}
