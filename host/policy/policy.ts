/**
 * Row-level security of one table, compiled once a publish into two forms of the same fact: a
 * condition for the plans that read, and an evaluator for the row images that are written. Closed is
 * the default: a table whose owner nobody named admits nothing.
 */
import type { Condition, SqlRow } from '../plan/plan.ts'
import { sender } from '../plan/plan.ts'
import type { Table } from '../schema/schema.ts'

export type RowOperation = 'read' | 'insert' | 'update' | 'delete'

/** Of whom and of what a policy may speak. */
export interface PolicyContext {
  /** The 32 bytes of the sender's identity. */
  readonly sender: Uint8Array
}

export interface TablePolicy {
  /** Which stored rows the operation may see (USING). */
  using(operation: RowOperation): Condition
  /** Whether the operation may leave this row (WITH CHECK), its values in the table's column order. */
  admits(operation: RowOperation, row: SqlRow, context: PolicyContext): boolean
}

export function compilePolicy(table: Table): TablePolicy {
  if (table.owner === undefined) return closed
  const owner = table.owner
  const ordinal = table.columns.indexOf(owner)
  const isOwn: Condition = { kind: 'compare', column: owner, operator: '=', operand: sender }
  return {
    using: () => isOwn,
    admits: (_operation, row, context) => {
      const value = row[ordinal]
      return value instanceof Uint8Array && Buffer.compare(value, context.sender) === 0
    },
  }
}

const closed: TablePolicy = {
  using: () => ({ kind: 'false' }),
  admits: () => false,
}
