/**
 * Statements as frozen data. A plan names tables and columns only by the catalogue's objects and
 * holds no values: each operand says where its value comes from when the statement runs. The printer
 * beside this file is the one place where a plan becomes SQL.
 */
import { unreachable } from '../errors.ts'
import type { Column, Index, Table } from '../schema/schema.ts'
import type { Query } from './query.ts'

/** What a call says of itself: policies and statements may speak of all of it. */
export type ContextOperand =
  | { readonly kind: 'sender' }
  | { readonly kind: 'actor' }
  /** Its place in the order of ASSURANCES, so that a stronger one is greater. */
  | { readonly kind: 'assurance' }
  | { readonly kind: 'channel' }
  /** Null when the caller's token has no such claim. */
  | { readonly kind: 'claim'; readonly name: string }

/** Where a bound value comes from. */
export type Operand =
  | ContextOperand
  /** The statement's own list, in order. */
  | { readonly kind: 'parameter' }
  /** Of the same list, by its place: a client's `$1` may stand in several. */
  | { readonly kind: 'numbered'; readonly ordinal: number }
  | { readonly kind: 'literal'; readonly value: SqlValue }
  /** The row at hand, which is not stored yet: its value at this place. */
  | { readonly kind: 'row'; readonly ordinal: number }

/** A value: bound, or a column of the statement's own table (no alias) or of one that it looks into. */
export type Expression = Operand | { readonly kind: 'column'; readonly column: Column; readonly alias: string | undefined }

export type Operator = '=' | '<>' | '<' | '<=' | '>' | '>='

/** True, false or unknown, as in SQL: what is unknown lets no row through. */
export type Condition =
  | { readonly kind: 'true' }
  | { readonly kind: 'false' }
  | { readonly kind: 'unknown' }
  /** The value of a bool. */
  | { readonly kind: 'holds'; readonly operand: Expression }
  | { readonly kind: 'compare'; readonly left: Expression; readonly operator: Operator; readonly right: Expression }
  | { readonly kind: 'in'; readonly operand: Expression; readonly items: readonly Expression[] }
  | { readonly kind: 'is-null'; readonly operand: Expression }
  | { readonly kind: 'not'; readonly term: Condition }
  | { readonly kind: 'and'; readonly terms: readonly Condition[] }
  | { readonly kind: 'or'; readonly terms: readonly Condition[] }
  /** `condition`, asked after the row has been counted as examined: what it hides costs as what it shows. */
  | { readonly kind: 'examined'; readonly condition: Condition }
  /** Whether `table` has a row, called `alias` in `where`, of which `where` is true. */
  | { readonly kind: 'exists'; readonly table: Table; readonly alias: string; readonly where: Condition }

export type Exists = Extract<Condition, { kind: 'exists' }>

export interface Order {
  readonly column: Column
  readonly isDescending: boolean
}

export type Statement =
  | Query
  | { readonly kind: 'select'; readonly table: Table; readonly where: Condition; readonly order: readonly Order[]; readonly hasLimit: boolean }
  /** How many rows there are, counted no further than its last parameter. */
  | { readonly kind: 'count'; readonly table: Table; readonly where: Condition }
  /** The same, and each row that is counted is told by these columns to whoever keeps account of rows. */
  | { readonly kind: 'touched-count'; readonly table: Table; readonly where: Condition; readonly names: readonly Column[] }
  /** 1 when a row is there, else 0: an `exists` asked for a row that is not stored yet. */
  | { readonly kind: 'probe'; readonly exists: Exists }
  /** The largest key, or null: where a counter goes on from. */
  | { readonly kind: 'max-key'; readonly table: Table; readonly where: Condition }
  /** The parameters are the rows one after the other. */
  | { readonly kind: 'insert'; readonly table: Table; readonly rowCount: number }
  /** Sets every column; the parameters are the whole row, then those of `where`. */
  | { readonly kind: 'update'; readonly table: Table; readonly where: Condition }
  | { readonly kind: 'delete'; readonly table: Table; readonly where: Condition }
  | { readonly kind: 'create-table'; readonly table: Table }
  | { readonly kind: 'create-index'; readonly table: Table; readonly index: Index }
  /** `literal` fills the rows that are there. */
  | { readonly kind: 'add-column'; readonly table: Table; readonly column: Column; readonly literal: SqlValue }

/** A value as SQLite stores it: every integer a bigint (bools too), every number a float. */
export type SqlValue = null | bigint | number | string | Uint8Array

/** A whole row, its values in the table's column order. */
export type SqlRow = readonly SqlValue[]

export const parameter: Operand = { kind: 'parameter' }
export const sender: Operand = { kind: 'sender' }

export const always: Condition = { kind: 'true' }
export const never: Condition = { kind: 'false' }

/** A column of the statement's own table. */
export function columnOf(column: Column, alias?: string): Expression {
  return { kind: 'column', column, alias }
}

export function compare(column: Column, operator: Operator, right: Expression = parameter): Condition {
  return { kind: 'compare', left: columnOf(column), operator, right }
}

export function isNull(column: Column): Condition {
  return { kind: 'is-null', operand: columnOf(column) }
}

/** True when all are, and when there are none. */
export function and(...terms: readonly Condition[]): Condition {
  return joined('and', terms, always)
}

/** False when all are, and when there are none. */
export function or(...terms: readonly Condition[]): Condition {
  return joined('or', terms, never)
}

/** Leaves out what changes nothing: `neutral` terms and the same term twice. No parameter is lost with them. */
function joined(kind: 'and' | 'or', terms: readonly Condition[], neutral: Condition): Condition {
  const kept = [...new Set(terms)].filter((term) => term.kind !== neutral.kind)
  const [first, second] = kept
  if (first === undefined) return neutral
  return second === undefined ? first : { kind, terms: kept }
}

/** The same condition with each of its expressions, also of those inside of an `exists`, as `change` gives it. */
export function withExpressions(condition: Condition, change: (expression: Expression) => Expression): Condition {
  switch (condition.kind) {
    case 'true':
    case 'false':
    case 'unknown':
      return condition
    case 'holds':
    case 'is-null':
      return { ...condition, operand: change(condition.operand) }
    case 'compare':
      return { ...condition, left: change(condition.left), right: change(condition.right) }
    case 'in':
      return { ...condition, operand: change(condition.operand), items: condition.items.map(change) }
    case 'not':
      return { ...condition, term: withExpressions(condition.term, change) }
    case 'and':
    case 'or':
      return { ...condition, terms: condition.terms.map((term) => withExpressions(term, change)) }
    case 'examined':
      return { ...condition, condition: withExpressions(condition.condition, change) }
    case 'exists':
      return { ...condition, where: withExpressions(condition.where, change) }
    default:
      return unreachable(condition)
  }
}

/** The columns that identify a row of this table: its owner, where it has one, and its key. */
export function keyColumns(table: Table): readonly Column[] {
  return table.owner === undefined ? [table.key] : [table.owner, table.key]
}

/** What names a row to the access log: its owner, its key, and whose data it is where that is another column. */
export function nameColumns(table: Table): readonly Column[] {
  const { subject } = table
  return subject === undefined || subject === table.owner ? keyColumns(table) : [...keyColumns(table), subject]
}

/** The values of `keyColumns` in a row. */
export function keyOf(table: Table, row: SqlRow): SqlValue[] {
  return keyColumns(table).map((column) => row[table.columns.indexOf(column)] ?? null)
}

/** The columns of the table's own b-tree, in order. */
export function physicalColumns(table: Table): readonly Column[] {
  const owner = table.owner === undefined ? [] : [table.owner]
  return [...owner, ...table.clustered, table.key]
}

/** The columns of an index, in order: the owner leads unless uniqueness reaches across owners. */
export function indexColumns(table: Table, index: Index): readonly Column[] {
  const owner = table.owner === undefined || index.unique === 'global' ? [] : [table.owner]
  const key = index.unique === undefined && !index.columns.includes(table.key) ? [table.key] : []
  return [...owner, ...index.columns, ...key]
}

/** The indexes beside the table: one clustered on other columns finds its rows by key through a unique one. */
export function storedIndexes(table: Table): readonly Index[] {
  if (table.clustered.length === 0) return table.indexes
  return [{ id: table.id, columns: [table.key], unique: table.owner === undefined ? 'global' : 'owner' }, ...table.indexes]
}
