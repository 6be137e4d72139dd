/**
 * Writes rows of one table by their keys. What a call has done and what a record of the log says become
 * rows here, and here alone; whether they may is decided above, before it is recorded.
 */
import { keyOf } from '../plan/plan.ts'
import type { SqlRow, SqlValue } from '../plan/plan.ts'
import { keyCondition, print } from '../plan/printer.ts'
import type { Table } from '../schema/schema.ts'
import type { DatabaseFile } from './database-file.ts'
import { retireId } from './next-ids.ts'

/** Rows of one INSERT, largest first: stepping into SQLite costs as much as a small row itself. */
const rowsAtOnce = [64, 8, 1] as const
/** SQLite's own bound is 32,766; binding more at once gains nothing. */
const parametersMax = 1_024

export class TableWriter {
  readonly table: Table
  readonly #file: DatabaseFile
  readonly #inserts: readonly { readonly rowCount: number; readonly sql: string }[]
  readonly #update: string
  readonly #delete: string

  constructor(file: DatabaseFile, table: Table) {
    this.#file = file
    this.table = table
    const byKey = keyCondition(table)
    this.#inserts = rowsAtOnce
      .filter((rowCount) => rowCount === 1 || rowCount * table.columns.length <= parametersMax)
      .map((rowCount) => ({ rowCount, sql: print({ kind: 'insert', table, rowCount }).sql }))
    this.#update = print({ kind: 'update', table, where: byKey }).sql
    this.#delete = print({ kind: 'delete', table, where: byKey }).sql
  }

  insert(rows: readonly SqlRow[]): void {
    let next = 0
    for (const { rowCount, sql } of this.#inserts) {
      for (; rows.length - next >= rowCount; next += rowCount) this.#file.statement(sql).run(valuesOf(rows, next, next + rowCount))
    }
  }

  update(row: SqlRow): void {
    this.#file.statement(this.#update).run([...row, ...keyOf(this.table, row)])
  }

  /** Where ids are counted, a deleted one stays taken; random ones need no counter. */
  delete(row: SqlRow): void {
    this.#file.statement(this.#delete).run(keyOf(this.table, row))
    if (this.table.autoIncrement && this.table.owner !== undefined) retireId(this.#file, this.table, row)
  }
}

function valuesOf(rows: readonly SqlRow[], first: number, end: number): SqlRow {
  if (end - first === 1) return rows[first] ?? []
  const values: SqlValue[] = []
  for (let index = first; index < end; index++) for (const value of rows[index] ?? []) values.push(value)
  return values
}
