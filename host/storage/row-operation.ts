/**
 * One change of one row, as a call leaves it and as the log keeps it: in the order they were made, and
 * applied in the same order for each table. Rows that are inserted one after the other go in together.
 */
import type { SqlRow } from '../plan/plan.ts'
import type { Table } from '../schema/schema.ts'
import type { TableWriter } from './table-writer.ts'

/** Who only looks at one needs no writer, just something that knows the table. */
export type RowOperation<W extends { readonly table: Table } = TableWriter> =
  | { readonly kind: 'insert'; readonly writer: W; readonly after: SqlRow }
  | { readonly kind: 'update'; readonly writer: W; readonly before: SqlRow; readonly after: SqlRow }
  | { readonly kind: 'delete'; readonly writer: W; readonly before: SqlRow }

export function applyOperations(operations: readonly RowOperation[]): void {
  const byTable = new Map<TableWriter, RowOperation[]>()
  for (const operation of operations) {
    const ofTable = byTable.get(operation.writer)
    if (ofTable === undefined) byTable.set(operation.writer, [operation])
    else ofTable.push(operation)
  }
  for (const [writer, ofTable] of byTable) applyToTable(writer, ofTable)
}

function applyToTable(writer: TableWriter, operations: readonly RowOperation[]): void {
  let inserts: SqlRow[] = []
  for (const operation of operations) {
    if (operation.kind === 'insert') {
      inserts.push(operation.after)
      continue
    }
    writer.insert(inserts)
    inserts = []
    if (operation.kind === 'update') writer.update(operation.after)
    else writer.delete(operation.before)
  }
  writer.insert(inserts)
}
