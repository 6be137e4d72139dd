/** The right to add rows to one table for one call, and nothing else: not even to read it. */
import { insertRow, insertRows } from "./insert";

export class Appender<T> {
  /** Stores the row and returns it with its owner and its assigned id filled in. */
  insert(row: T): T {
    return insertRow<T>(changetype<usize>(this), row);
  }

  insertAll(rows: T[]): void {
    insertRows<T>(changetype<usize>(this), rows);
  }
}
