/** What one call may still ask: rows read and counted, shapes of scans, and bytes of rows in either direction. */
import type { DatabaseLimits } from '../database-limits.ts'
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'

export class CallBudget {
  #rows = 0
  #countedRows = 0
  #bytes = 0
  readonly #shapes = new Set<string>()
  readonly #limits: DatabaseLimits

  constructor(databaseLimits: DatabaseLimits) {
    this.#limits = databaseLimits
  }

  get rowsLeft(): number {
    return this.#limits.rowsRead - this.#rows
  }

  countRows(rows: number): void {
    this.#rows += rows
    if (this.#rows > this.#limits.rowsRead) {
      throw new HostError('ERR_CALL_LIMIT', `a call may read at most ${this.#limits.rowsRead} rows: give the scan a limit`)
    }
  }

  get countedRowsLeft(): number {
    return limits.rowsCountedPerCallMax - this.#countedRows
  }

  /** Rows that `count` passed without giving them. */
  countCountedRows(rows: number): void {
    this.#countedRows += rows
    if (this.#countedRows > limits.rowsCountedPerCallMax) {
      throw new HostError('ERR_CALL_LIMIT', `a call may count at most ${limits.rowsCountedPerCallMax} rows: keep a counter in a row`)
    }
  }

  /** A shape that no call asked before is a statement to prepare: a call that invents them holds its shard for seconds. */
  countShape(table: number, shape: string): void {
    this.#shapes.add(`${table} ${shape}`)
    if (this.#shapes.size > limits.scanShapesPerCallMax) {
      throw new HostError(
        'ERR_CALL_LIMIT',
        `a call may scan in at most ${limits.scanShapesPerCallMax} different shapes: vary the values of conditions, not their number and kind`,
      )
    }
  }

  countBytes(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limits.rowBytes) {
      throw new HostError('ERR_CALL_LIMIT', `a call may move at most ${this.#limits.rowBytes} bytes of rows: read or write fewer at once`)
    }
  }
}
