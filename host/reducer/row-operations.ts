/**
 * The row operations of one batch and, in it, of the call that runs. A call's are its undo and its record:
 * a failed call leaves none. They reach the file when somebody reads their table, or at the end of the
 * batch, many rows at a time; those of a call that has not ended only under a savepoint.
 */
import type { Touched } from '../access-log/touched.ts'
import { HostError } from '../errors.ts'
import type { Table } from '../schema/schema.ts'
import type { DatabaseFile } from '../storage/database-file.ts'
import { applyOperations } from '../storage/row-operation.ts'
import type { RowOperation } from '../storage/row-operation.ts'

/** What the calls of the open batch have left that is not in the file yet. */
export class BatchOperations {
  readonly #file: DatabaseFile
  #waiting: RowOperation[] = []
  readonly #tables = new Set<Table>()

  constructor(file: DatabaseFile) {
    this.#file = file
  }

  keep(operations: readonly RowOperation[]): void {
    for (const operation of operations) {
      this.#waiting.push(operation)
      this.#tables.add(operation.writer.table)
    }
  }

  touches(table: Table): boolean {
    return this.#tables.has(table)
  }

  apply(): void {
    if (this.#waiting.length === 0) return
    this.#file.begin()
    applyOperations(this.#waiting)
    this.forget()
  }

  forget(): void {
    this.#waiting = []
    this.#tables.clear()
  }
}

export class CallOperations {
  readonly #file: DatabaseFile
  readonly #batch: BatchOperations
  readonly #operationsMax: number
  readonly #operations: RowOperation[] = []
  #applied = 0
  /** Tables with operations that are not applied: a read asks before each of its statements. */
  readonly #pending = new Set<Table>()
  #hasSavepoint = false

  constructor(file: DatabaseFile, batch: BatchOperations, operationsMax: number) {
    this.#file = file
    this.#batch = batch
    this.#operationsMax = operationsMax
  }

  /** In the order they were made. */
  get all(): readonly RowOperation[] {
    return this.#operations
  }

  add(operation: RowOperation): void {
    if (this.#operations.length >= this.#operationsMax) {
      throw new HostError('ERR_CALL_LIMIT', `a call may change at most ${this.#operationsMax} rows: split the work over several calls`)
    }
    this.#operations.push(operation)
    this.#pending.add(operation.writer.table)
  }

  /** Lets the statements of this call see what it and the calls before it wrote to `table`. */
  makeVisible(table: Table): void {
    if (this.#pending.has(table)) this.#applyUnderSavepoint()
    else if (this.#batch.touches(table)) this.#batch.apply()
  }

  #applyUnderSavepoint(): void {
    if (!this.#hasSavepoint) {
      this.#batch.apply()
      this.#file.savepoint('call')
    }
    this.#hasSavepoint = true
    applyOperations(this.#operations.slice(this.#applied))
    this.#applied = this.#operations.length
    this.#pending.clear()
  }

  /** The call succeeded: what it did belongs to the batch. */
  keep(): void {
    if (!this.#hasSavepoint) return this.#batch.keep(this.#operations)
    this.#applyUnderSavepoint()
    this.#file.release('call')
  }

  /** What the call has written, for the access log. */
  note(touched: Touched): void {
    for (const operation of this.#operations) {
      const { table } = operation.writer
      if (operation.kind === 'insert') touched.row(table, 'inserted', operation.after)
      else touched.row(table, operation.kind === 'update' ? 'updated' : 'deleted', operation.before)
    }
  }

  /** The call failed: nothing is left of it. */
  undo(): void {
    if (this.#hasSavepoint) this.#file.rollbackToSavepoint('call')
    this.#hasSavepoint = false
    this.#operations.length = 0
  }
}
