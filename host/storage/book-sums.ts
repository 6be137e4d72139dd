/**
 * Sums over the rows of the host's own book, kept with them: what else would tell that a number of logs, or a name in
 * a list of drops, is not what was written? One for each table, whatever the order of its rows.
 */
import { crc32 } from 'node:zlib'

import type { SqlValue } from '../plan/plan.ts'
import type { DatabaseFile } from './database-file.ts'

type Row = readonly SqlValue[]

export class BookSums {
  readonly #file: DatabaseFile
  /** What is summed of each table: rows as `change` is given them. */
  readonly #queries: ReadonlyMap<string, string>

  constructor(file: DatabaseFile, queries: Readonly<Record<string, string>>) {
    this.#file = file
    this.#queries = new Map(Object.entries(queries))
  }

  /** The tables whose rows are not what was written. One without a sum is of a folder that had none. */
  differing(): readonly string[] {
    if (this.#file.statement("SELECT 1 FROM sqlite_schema WHERE name = 'sums'").row([]) === undefined) return []
    return [...this.#queries].flatMap(([table, query]) => {
      const stored = this.#stored(table)
      return stored === undefined || stored === this.#sumOf(query) ? [] : [table]
    })
  }

  /** Gives a sum to each table that has none. */
  begin(): void {
    for (const [table, query] of this.#queries) if (this.#stored(table) === undefined) this.#store(table, this.#sumOf(query))
  }

  /** In the transaction that changes the table: the row that is no more, and the one that is. */
  change(table: string, { from, to }: { readonly from?: Row | undefined; readonly to?: Row | undefined }): void {
    const sum = (this.#stored(table) ?? 0) ^ (from === undefined ? 0 : rowSum(from)) ^ (to === undefined ? 0 : rowSum(to))
    this.#store(table, sum >>> 0)
  }

  #sumOf(query: string): number {
    let sum = 0
    for (const row of this.#file.statement(query).each([])) sum ^= rowSum(row)
    return sum >>> 0
  }

  #stored(table: string): number | undefined {
    const [sum] = this.#file.statement('SELECT sum FROM sums WHERE name = ?').row([table]) ?? []
    return sum === undefined ? undefined : Number(sum)
  }

  #store(table: string, sum: number): void {
    this.#file.statement('INSERT INTO sums (name, sum) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sum = excluded.sum').run([table, BigInt(sum)])
  }
}

function rowSum(row: Row): number {
  return crc32(JSON.stringify(row.map((value) => (typeof value === 'bigint' ? `i${value}` : value))))
}
