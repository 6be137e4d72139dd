/**
 * The row operations of one call, in order: its undo and what a log will record. They are applied to
 * the file when the call has succeeded, or before that when the call reads a table it has written,
 * then under a savepoint. A failed call leaves nothing.
 */
import { HostError } from '../errors.ts'
import type { SqlRow, SqlValue } from '../plan/plan.ts'
import type { Table } from '../schema/schema.ts'
import type { DatabaseFile } from '../storage/database-file.ts'
import type { NextIds } from '../storage/next-ids.ts'
import type { TableAccess } from './table-access.ts'

export type RowOperationRecord =
  | { readonly kind: 'insert'; readonly access: TableAccess; readonly after: SqlRow }
  | { readonly kind: 'update'; readonly access: TableAccess; readonly before: SqlRow; readonly after: SqlRow }
  | { readonly kind: 'delete'; readonly access: TableAccess; readonly before: SqlRow }

export class RowOperations {
  readonly #file: DatabaseFile
  readonly #nextIds: NextIds
  readonly #recordsMax: number
  readonly #records: RowOperationRecord[] = []
  #applied = 0
  /** Tables with operations that are not applied: a read asks before each of its statements. */
  readonly #pending = new Set<Table>()
  #hasSavepoint = false

  constructor(file: DatabaseFile, nextIds: NextIds, recordsMax: number) {
    this.#recordsMax = recordsMax
    this.#file = file
    this.#nextIds = nextIds
  }

  get records(): readonly RowOperationRecord[] {
    return this.#records
  }

  add(record: RowOperationRecord): void {
    if (this.#records.length >= this.#recordsMax) {
      throw new HostError('ERR_CALL_LIMIT', `a call may change at most ${this.#recordsMax} rows: split the work over several calls`)
    }
    this.#records.push(record)
    this.#pending.add(record.access.table)
  }

  /** Lets the statements of this call see what it wrote to `table`. */
  makeVisible(table: Table): void {
    if (this.#pending.has(table)) this.#applyUnderSavepoint()
  }

  #applyUnderSavepoint(): void {
    if (!this.#hasSavepoint) this.#file.savepoint()
    this.#hasSavepoint = true
    this.#apply()
  }

  /** The call succeeded: everything is in the batch's transaction. */
  keep(): void {
    if (this.#applied < this.#records.length) {
      this.#file.begin()
      this.#apply()
    }
    if (this.#hasSavepoint) this.#file.release()
  }

  /** The call failed: nothing is. */
  undo(): void {
    if (this.#hasSavepoint) this.#file.rollbackToSavepoint()
    this.#hasSavepoint = false
    this.#records.length = 0
  }

  #apply(): void {
    while (this.#applied < this.#records.length) {
      const record = this.#records[this.#applied++]
      if (record !== undefined) this.#applyOne(record)
    }
    this.#pending.clear()
  }

  #applyOne(record: RowOperationRecord): void {
    switch (record.kind) {
      case 'insert':
        return record.access.insert(record.after)
      case 'update':
        return record.access.update(record.after)
      case 'delete':
        record.access.delete(record.before)
        this.#retireId(record.access, record.before)
    }
  }

  #retireId(access: TableAccess, row: SqlRow): void {
    // A random id comes again as good as never, so that no counter needs to remember it.
    if (!access.table.autoIncrement || access.table.owner === undefined) return
    const key = access.keyOf(row)
    const id: SqlValue = key.at(-1) ?? null
    const owner: SqlValue = key.length > 1 ? (key[0] ?? null) : null
    if (typeof id === 'bigint') this.#nextIds.retire(access.table, owner instanceof Uint8Array ? owner : new Uint8Array(0), id)
  }
}
