/**
 * One SQLite file. The only file of the host that knows better-sqlite3: it opens, sets what it means,
 * keeps statements, and turns what the driver throws into our errors. One transaction at a time, in a WAL; a
 * commit is on disk when it returns (synchronous FULL), unless the file only follows a log. Such a file takes many
 * batches in one transaction: each can be undone alone while it is open, and is read like anything else once it is kept.
 */
import { closeSync, openSync, statSync } from 'node:fs'
import { basename } from 'node:path'

import Sqlite from 'better-sqlite3'

import { assert, HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { LruMap } from '../lru-map.ts'
import type { SqlRow, SqlValue } from '../plan/plan.ts'
import { stepFunction } from '../plan/printer.ts'
import { pageSizeBytes } from './page-sum.ts'
import { StatementMeter } from './statement-meter.ts'

/** What can be undone alone inside a batch. A call's may lie in a publish's, and either in a test's trial. */
export type Savepoint = 'call' | 'publish' | 'trial'

/** A prepared statement; values are bound in the order of the question marks. */
export interface FileStatement {
  rows(values: SqlRow): SqlValue[][]
  /** The same, given up with ERR_CALL_LIMIT once the rows are larger than `sizeBytesMax`. */
  rowsWithin(sizeBytesMax: number, values: SqlRow): SqlValue[][]
  row(values: SqlRow): SqlValue[] | undefined
  /** One row after the other, for more of them than memory should hold. */
  each(values: SqlRow): Iterable<SqlValue[]>
  /** The number of rows that changed. */
  run(values: SqlRow): number
}

export interface FileOptions {
  readonly path: string
  /** False: a file that is not there is an error. */
  readonly create: boolean
  /** No second process may open the file while this one has it. */
  readonly exclusive?: boolean
  /** False: a commit is not waited for by the disk, since a log has what it did. True when left out. */
  readonly isDurable?: boolean
}

/** Page cache of one open database, filled as it is read. */
export const cacheSizeKiB = 32 * 1024
export class DatabaseFile implements Disposable {
  readonly path: string
  /** Rows that statements may still examine behind a policy; whoever begins a call sets it. */
  rowsExaminedLeft: number = limits.rowsExaminedPerCallMax
  /** Of the client's statement that runs. */
  readonly meter = new StatementMeter((steps) => this.#spend(steps))
  readonly #sqlite: Sqlite.Database
  readonly #statements = new LruMap<string, FileStatement>(limits.statementsCachedMax)
  #hasBatch = false
  #keptBatches = 0
  #changedRows = 0
  #keptBytes = 0

  constructor(options: FileOptions) {
    this.path = options.path
    this.#sqlite = opened(options)
    try {
      this.#configure(options)
    } catch (error) {
      this.#sqlite.close()
      throw storageError(error, options.path)
    }
  }

  #configure({ exclusive = false, isDurable = true }: FileOptions): void {
    const pragma = (text: string): unknown => this.#sqlite.pragma(text)
    if (exclusive) pragma('locking_mode = EXCLUSIVE')
    // Of a new file: its sum is made page by page.
    pragma(`page_size = ${pageSizeBytes}`)
    pragma('journal_mode = WAL')
    pragma(`synchronous = ${isDurable ? 'FULL' : 'OFF'}`)
    pragma('wal_autocheckpoint = 0')
    pragma('secure_delete = ON')
    pragma('trusted_schema = OFF')
    pragma(`cache_size = -${cacheSizeKiB}`)
    this.#sqlite.function(stepFunction, { directOnly: true, varargs: true }, () => this.#step())
    this.meter.register(this.#sqlite)
  }

  /** SQLite here cannot be interrupted: this is what ends a walk over rows that nobody may see. */
  #step(): number {
    this.#spend(1)
    return 1
  }

  #spend(steps: number): void {
    this.rowsExaminedLeft -= steps
    if (this.rowsExaminedLeft >= 0) return
    throw new HostError('ERR_CALL_LIMIT', `a call may examine at most ${limits.rowsExaminedPerCallMax} rows: name an indexed column that finds fewer`)
  }

  /** Runs fixed statements of our own: system tables, schema changes printed from a plan. */
  execute(sql: string): void {
    try {
      this.#sqlite.exec(sql)
    } catch (error) {
      throw storageError(error, this.path)
    }
  }

  /** The statement of this text, prepared once while it is among those used last. */
  statement(sql: string): FileStatement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const made = prepared(this.#sqlite, sql, { path: this.path, onChanged: (rows) => (this.#changedRows += rows) })
    this.#statements.set(sql, made)
    return made
  }

  /** Of the SQLite that reads and writes this file: `3.54.0`. */
  get sqliteVersion(): string {
    return String(this.statement('SELECT sqlite_version()').row([])?.[0])
  }

  /** A batch has begun that is neither kept nor undone. */
  get hasBatch(): boolean {
    return this.#hasBatch
  }

  /** Batches that can be read here, and are not committed. */
  get keptBatches(): number {
    return this.#keptBatches
  }

  /** How many rows they changed. */
  get changedRows(): number {
    return this.#changedRows
  }

  /** What they are in the log. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  /**
   * Batches that were kept are not here any more: SQLite undoes the whole transaction when the disk fails it, at a commit
   * or at any statement.
   */
  get hasLostBatches(): boolean {
    return this.#keptBatches > 0 && !this.#sqlite.inTransaction
  }

  /** Whoever knows what was lost will bring it again. */
  forgetLostBatches(): void {
    if (this.hasLostBatches) this.#nothingIsKept()
  }

  /** Opens a batch at its first write. */
  begin(): void {
    if (this.#hasBatch) return
    assert(!this.hasLostBatches, 'what was lost is brought again before anything is changed')
    if (!this.#sqlite.inTransaction) this.#beginTransaction()
    this.statement('SAVEPOINT batch').run([])
    this.#hasBatch = true
  }

  /**
   * What its batches would be undone with is kept in memory, which SQLite decides here: 64 KiB, and then a temporary file,
   * are less than one batch may change. Sorting, whose size a client decides, goes to a file as ever.
   */
  #beginTransaction(): void {
    this.#sqlite.pragma('temp_store = MEMORY')
    try {
      this.statement('BEGIN IMMEDIATE').run([])
    } finally {
      this.#sqlite.pragma('temp_store = DEFAULT')
    }
  }

  /** What the batch did stays, and goes into the file with the next commit. `sizeBytes` is what it is in the log. */
  keep(sizeBytes = 0): void {
    if (!this.#hasBatch) return
    this.statement('RELEASE batch').run([])
    this.#hasBatch = false
    this.#keptBatches++
    this.#keptBytes += sizeBytes
  }

  /** All that was kept is in the file when it returns, and on disk where the file is durable by itself. */
  commit(): void {
    this.keep()
    if (!this.#sqlite.inTransaction) return
    this.statement('COMMIT').run([])
    this.#nothingIsKept()
  }

  /** Nothing of the batch is left; those that were kept before it stay. */
  rollback(): void {
    if (this.#sqlite.inTransaction) {
      if (this.#keptBatches === 0) this.statement('ROLLBACK').run([])
      else if (this.#hasBatch) this.rollbackToSavepoint('batch')
    }
    this.#hasBatch = false
  }

  #nothingIsKept(): void {
    this.#keptBatches = 0
    this.#changedRows = 0
    this.#keptBytes = 0
  }

  savepoint(name: Savepoint): void {
    this.begin()
    this.statement(`SAVEPOINT ${name}`).run([])
  }

  release(name: Savepoint): void {
    this.statement(`RELEASE ${name}`).run([])
  }

  rollbackToSavepoint(name: Savepoint | 'batch'): void {
    this.statement(`ROLLBACK TO ${name}`).run([])
    this.statement(`RELEASE ${name}`).run([])
  }

  /** Everything or nothing, committed; used where no batch is kept. */
  transaction<T>(work: () => T): T {
    const result = this.batch(work)
    try {
      this.commit()
      return result
    } catch (error) {
      this.#nothingIsKept()
      this.rollback()
      throw error
    }
  }

  /** Everything or nothing, kept. */
  batch<T>(work: () => T): T {
    this.begin()
    try {
      const result = work()
      this.keep()
      return result
    } catch (error) {
      this.rollback()
      throw error
    }
  }

  /** Bytes of committed pages that are not in the file itself yet. */
  get walSizeBytes(): number {
    return statSync(`${this.path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  }

  /**
   * Moves all committed pages from the WAL into the file, and empties it.
   *
   * @throws HostError ERR_STORAGE when the disk refuses, ERR_BUSY while another program reads the file.
   */
  checkpoint(): void {
    try {
      const isBusy = this.#sqlite.pragma('wal_checkpoint(TRUNCATE)', { simple: true })
      if (isBusy !== 0) throw new HostError('ERR_BUSY', `another program reads ${basename(this.path)}: its changes are moved later`)
    } catch (error) {
      throw storageError(error, this.path)
    }
  }

  /** What SQLite finds wrong with its own pages and indexes, a few of it. It reads all of the file. */
  problems(): readonly string[] {
    const found = guarded(this.path, () => this.#sqlite.pragma('integrity_check(10)')) as { readonly integrity_check: string }[]
    return found.map((row) => row.integrity_check).filter((problem) => problem !== 'ok')
  }

  close(): void {
    if (this.#sqlite.open) this.#sqlite.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

function opened({ path, create }: FileOptions): Sqlite.Database {
  try {
    // SQLite would make the file readable for everybody, and it holds signing keys.
    if (create) closeSync(openSync(path, 'a', 0o600))
    return new Sqlite(path, { fileMustExist: !create, timeout: 0 })
  } catch (error) {
    throw storageError(error, path)
  }
}

function prepared(
  sqlite: Sqlite.Database,
  sql: string,
  { path, onChanged }: { readonly path: string; readonly onChanged: (rows: number) => void },
): FileStatement {
  const statement = guarded(path, () => sqlite.prepare<SqlValue[], SqlValue[]>(sql))
  if (statement.reader) statement.raw(true).safeIntegers(true)
  return {
    rows: (values) => guarded(path, () => statement.all(...values)),
    rowsWithin: (sizeBytesMax, values) => guarded(path, () => collect(statement.iterate(...values), sizeBytesMax)),
    row: (values) => guarded(path, () => statement.get(...values)),
    each: (values) => guardedEach(path, () => statement.iterate(...values)),
    run: (values) => {
      const { changes } = guarded(path, () => statement.run(...values))
      onChanged(changes)
      return changes
    },
  }
}

/** Iterating is slower than `all`, and stops before a million large rows are in memory. */
function collect(rows: Iterable<SqlValue[]>, sizeBytesMax: number): SqlValue[][] {
  const collected: SqlValue[][] = []
  let size = 0
  for (const row of rows) {
    for (const value of row) size += typeof value === 'string' || value instanceof Uint8Array ? value.length : 8
    if (size > sizeBytesMax) throw new HostError('ERR_CALL_LIMIT', `the rows are more than ${sizeBytesMax} bytes: give the scan a limit`)
    collected.push(row)
  }
  return collected
}

function* guardedEach<T>(path: string, rows: () => Iterable<T>): Generator<T> {
  try {
    yield* rows()
  } catch (error) {
    throw storageError(error, path)
  }
}

/** True for what a disk without room made of a statement. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof HostError && error.cause instanceof Sqlite.SqliteError && error.cause.code === 'SQLITE_FULL'
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw storageError(error, path)
  }
}

/** What the disk or the file did to us; our own misuse of the driver stays what it is. */
function storageError(error: unknown, path: string): unknown {
  if (!(error instanceof Sqlite.SqliteError)) {
    if (!(error instanceof TypeError) || !/directory does not exist/.test(error.message)) return error
  }
  const cause = error as Error & { code?: string }
  if (cause.code === 'SQLITE_BUSY' || cause.code === 'SQLITE_LOCKED') {
    return new HostError('ERR_FOLDER_LOCKED', `another host has ${path} open: stop it first, or use another data folder`, { cause })
  }
  return new HostError('ERR_STORAGE', `${basename(path)} could not be used (${cause.code ?? cause.message}): check the disk and the data folder`, { cause })
}
