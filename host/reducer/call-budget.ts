/** What one call may still move: rows read, and bytes of rows in either direction. */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'

export class CallBudget {
  #rows = 0
  #countedRows = 0
  #bytes = 0

  get rowsLeft(): number {
    return limits.rowsReadPerCallMax - this.#rows
  }

  countRows(rows: number): void {
    this.#rows += rows
    if (this.#rows > limits.rowsReadPerCallMax) {
      throw new HostError('ERR_CALL_LIMIT', `a call may read at most ${limits.rowsReadPerCallMax} rows: give the scan a limit`)
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

  countBytes(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > limits.rowBytesPerCallMax) {
      throw new HostError('ERR_CALL_LIMIT', `a call may move at most ${limits.rowBytesPerCallMax} bytes of rows: read or write fewer at once`)
    }
  }
}
