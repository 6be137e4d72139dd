/**
 * Statements as frozen data. A plan names tables and columns only by the catalogue's objects and
 * holds no values: each operand says where its value comes from when the statement runs. The printer
 * beside this file is the one place where a plan becomes SQL.
 */
import type { Column, Index, Table } from '../schema/schema.ts'

/** Where a bound value comes from: the statement's own list, in order, or the call's sender. */
export type Operand = { readonly kind: 'parameter' } | { readonly kind: 'sender' }

export type Operator = '=' | '<' | '<=' | '>' | '>='

export type Condition =
  | { readonly kind: 'true' }
  | { readonly kind: 'false' }
  | { readonly kind: 'compare'; readonly column: Column; readonly operator: Operator; readonly operand: Operand }
  | { readonly kind: 'is-null'; readonly column: Column }
  | { readonly kind: 'and'; readonly terms: readonly Condition[] }
  | { readonly kind: 'or'; readonly terms: readonly Condition[] }

export interface Order {
  readonly column: Column
  readonly isDescending: boolean
}

export type Statement =
  | { readonly kind: 'select'; readonly table: Table; readonly where: Condition; readonly order: readonly Order[]; readonly hasLimit: boolean }
  /** How many rows there are, counted no further than its last parameter. */
  | { readonly kind: 'count'; readonly table: Table; readonly where: Condition }
  /** The largest key, or null: where a counter goes on from. */
  | { readonly kind: 'max-key'; readonly table: Table; readonly where: Condition }
  | { readonly kind: 'insert'; readonly table: Table }
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

export function compare(column: Column, operator: Operator, operand: Operand = parameter): Condition {
  return { kind: 'compare', column, operator, operand }
}

export function and(...terms: readonly Condition[]): Condition {
  const kept = terms.filter((term) => term.kind !== 'true')
  return kept.length === 1 && kept[0] !== undefined ? kept[0] : { kind: 'and', terms: kept }
}

/** The columns that identify a row of this table: its owner, where it has one, and its key. */
export function keyColumns(table: Table): readonly Column[] {
  return table.owner === undefined ? [table.key] : [table.owner, table.key]
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
