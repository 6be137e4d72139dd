/**
 * A scan as a guest or a host-side reader asks for it (docs/row-format.md, "Scans"), and the choice
 * of the index that serves it. What no index serves is refused: a table may have a million rows.
 */
import { HostError } from '../errors.ts'
import type { Column, Table } from '../schema/schema.ts'
import { and, compare, indexColumns, isNull, never, physicalColumns } from './plan.ts'
import type { Condition, Operator, Order, SqlValue } from './plan.ts'

/** `latest` takes the last rows and gives them ascending, as one reads a conversation. */
export type ScanDirection = 'ascending' | 'descending' | 'latest'

export interface ScanTerm {
  readonly column: Column
  /** `any` constrains nothing and names the column to order by. */
  readonly operator: Exclude<Operator, '<>'> | 'any'
  readonly value: SqlValue
}

export interface Scan {
  readonly direction: ScanDirection
  /** Undefined: as many rows as the host's limits let through. */
  readonly limit: number | undefined
  readonly terms: readonly ScanTerm[]
}

export interface ScanPlan {
  readonly where: Condition
  readonly order: readonly Order[]
}

/** Says which statement a scan needs, whatever its values: the key of the statement cache. */
export function scanShape(scan: Scan): string {
  const terms = scan.terms.map((term) => `${term.column.id}${term.operator}${term.operator !== 'any' && term.value === null ? ' null' : ''}`)
  return `${scan.direction === 'ascending' ? 'a' : 'd'} ${terms.join(' ')}`
}

/** The values that the plan's parameters take, in order. */
export function scanValues(scan: Scan): SqlValue[] {
  return scan.terms.filter((term) => term.operator !== 'any' && term.value !== null).map((term) => term.value)
}

/** @throws HostError ERR_NO_INDEX when no index of the table serves the terms. */
export function planScan(table: Table, scan: Scan): ScanPlan {
  const equal = [...new Set(scan.terms.filter((term) => term.operator === '=').map((term) => term.column))]
  const ranged = [...new Set(scan.terms.filter((term) => term.operator !== '=').map((term) => term.column))]
  const columns = candidates(table).find((candidate) => serves(candidate, table, equal, ranged))?.columns
  if (columns === undefined) throw noIndex(table, equal, ranged)
  const isDescending = scan.direction !== 'ascending'
  return {
    where: and(...scan.terms.flatMap(termCondition)),
    order: totalOrder(table, columns, equal).map((column) => ({ column, isDescending })),
  }
}

/** A column list that a b-tree keeps in order. */
interface Candidate {
  readonly columns: readonly Column[]
  /** It holds the rows of all owners together: to walk it would cost, and tell, how many there are. */
  readonly isShared: boolean
}

/** The table's own order first, then its indexes. */
function candidates(table: Table): readonly Candidate[] {
  const owner = table.owner === undefined ? [] : [table.owner]
  const own = [...(table.clustered.length > 0 ? [physicalColumns(table)] : []), [...owner, table.key]]
  const indexes = table.indexes.map((index) => ({
    columns: indexColumns(table, index),
    isShared: index.unique === 'global' && table.owner !== undefined,
  }))
  return [...own.map((columns) => ({ columns, isShared: false })), ...indexes]
}

/** The owner leads every list and is always bound by the policy, so it need not be named. */
function serves({ columns, isShared }: Candidate, table: Table, equal: readonly Column[], ranged: readonly Column[]): boolean {
  if (ranged.length > 1) return false
  const rest = columns.filter((column) => column !== table.owner)
  const wanted = equal.filter((column) => column !== table.owner)
  const prefix = rest.slice(0, wanted.length)
  if (!wanted.every((column) => prefix.includes(column))) return false
  if (isShared && wanted.length < rest.length) return false
  const [next] = ranged
  return next === undefined || wanted.includes(next) || rest[wanted.length] === next
}

function totalOrder(table: Table, columns: readonly Column[], equal: readonly Column[]): readonly Column[] {
  const leading = columns.filter((column) => column !== table.owner && column !== table.key && !equal.includes(column))
  return [...leading, ...(table.owner === undefined ? [] : [table.owner]), table.key]
}

function termCondition(term: ScanTerm): readonly Condition[] {
  if (term.operator === 'any') return []
  if (term.value !== null) return [compare(term.column, term.operator)]
  return [term.operator === '=' ? isNull(term.column) : never]
}

function noIndex(table: Table, equal: readonly Column[], ranged: readonly Column[]): HostError {
  const wanted = [...equal, ...ranged].map((column) => column.name)
  const quoted = wanted.map((one) => `"${one}"`).join(', ')
  const advice = ranged.length > 1 ? 'a scan can range over one column' : `add @index(${quoted}) to the class`
  return new HostError('ERR_NO_INDEX', `no index of ${table.name} serves a scan by ${wanted.join(', ')}: ${advice}`)
}
