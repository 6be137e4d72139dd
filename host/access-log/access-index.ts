/**
 * The table `access_log` of one database, in a file of its own beside the state: derived from the segments, brought
 * up to them when somebody asks or nobody calls, and made anew when it is lost or says something that they do not.
 */
import { rmSync } from 'node:fs'

import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import type { LogPlace } from '../log/log-reader.ts'
import type { LoggedRecord } from '../log/record.ts'
import { always, and, compare } from '../plan/plan.ts'
import type { SqlRow } from '../plan/plan.ts'
import { print } from '../plan/printer.ts'
import { DatabaseFile } from '../storage/database-file.ts'
import type { AccessLog } from './access-log.ts'
import { readAccess } from './access-record.ts'
import type { AccessTouch } from './access-record.ts'
import { accessColumns, accessTable, positionOfRow, rowRange, rowsOf, touchOf } from './access-table.ts'

const insert = print({ kind: 'insert', table: accessTable, rowCount: 1 })
const newest = print({ kind: 'max-key', table: accessTable, where: always })
const forgetting = print({ kind: 'delete', table: accessTable, where: compare(accessColumns.id, '<') })
const creation = [
  print({ kind: 'create-table', table: accessTable }),
  ...accessTable.indexes.map((index) => print({ kind: 'create-index', table: accessTable, index })),
  // What one clustered on other columns finds its rows by.
  print({ kind: 'create-index', table: accessTable, index: { id: 0, columns: [accessTable.key], unique: 'global' } }),
]

const { subject, at, id } = accessColumns
const bySubject = print({
  kind: 'select',
  table: accessTable,
  where: and(compare(subject, '='), compare(at, '>='), compare(at, '<=')),
  order: [{ column: id, isDescending: true }],
  hasLimit: true,
})

const byPosition = print({
  kind: 'select',
  table: accessTable,
  where: and(compare(id, '>='), compare(id, '<'), compare(accessColumns.sender, '=')),
  order: [],
  hasLimit: false,
})

export interface SubjectQuery {
  readonly subject: string
  /** Microseconds since 1970; both count. */
  readonly since: bigint
  readonly until: bigint
  readonly rowsMax: number
}

export class AccessIndex {
  readonly #path: string
  readonly #log: AccessLog
  readonly #database: Uint8Array
  #opened: DatabaseFile | undefined
  /** The last record that is in it. */
  #position = 0n
  #place: LogPlace | undefined
  /** A reading that has not come to its end. */
  #reading: { readonly records: Generator<LoggedRecord>; readonly end: LogPlace } | undefined

  constructor(path: string, log: AccessLog, database: Uint8Array) {
    this.#path = path
    this.#log = log
    this.#database = database
  }

  /** Its file, with all that the log has of the database by now. */
  upToDate(): DatabaseFile {
    while (!this.step(limits.accessIndexedInOneGo)) continue
    return this.#file()
  }

  /** Takes up so many records. True when there are no more. */
  step(recordsMax: number): boolean {
    const file = this.#file()
    this.#reading ??= this.#log.readNow(this.#database, this.#position, this.#place)
    const rows: SqlRow[] = []
    let left = recordsMax
    let isEnd = false
    let position = this.#position
    let forgotten = 0n
    while (left-- > 0 && !isEnd) {
      const { value, done = false } = this.#reading.records.next()
      isEnd = done
      if (done || value.head.position <= position) continue
      if (!value.isErased) {
        const record = readAccess(value)
        rows.push(...rowsOf(record))
        if (record.event === 'trimmed') forgotten = BigInt(record.details['first'] ?? '0')
      }
      position = value.head.position
    }
    this.#insert(file, rows)
    // What the log has forgotten its table forgets.
    if (forgotten > 0n) file.transaction(() => file.statement(forgetting.sql).run([rowRange(forgotten)[0]]))
    this.#position = position
    if (!isEnd) return false
    this.#place = this.#reading?.end
    this.#reading = undefined
    return true
  }

  /** In the order in which they will lie, which is a page for several of them and not one for each. */
  #insert(file: DatabaseFile, rows: readonly SqlRow[]): void {
    if (rows.length === 0) return
    const sorted = rows.toSorted(([, left], [, right]) => (String(left) < String(right) ? -1 : 1))
    const statement = file.statement(insert.sql)
    file.transaction(() => {
      for (const row of sorted) statement.run(row)
    })
    if (file.walSizeBytes > limits.walBytesMin) file.checkpoint()
  }

  /** The rows of one subject, oldest first: at most so many, the newest of them. */
  ofSubject({ subject, since, until, rowsMax }: SubjectQuery): readonly SqlRow[] {
    return this.upToDate()
      .statement(bySubject.sql)
      .rows([subject, since, until, BigInt(rowsMax)])
      .reverse()
  }

  /** The rows that a read gave to this sender; undefined for a record that is none of theirs. */
  touchesOf(position: bigint, sender: Uint8Array): readonly AccessTouch[] | undefined {
    const rows = this.upToDate()
      .statement(byPosition.sql)
      .rows([...rowRange(position), sender])
    return rows.length === 0 ? undefined : rows.flatMap((row) => touchOf(row) ?? []).filter(({ mode }) => mode === 'returned')
  }

  #file(): DatabaseFile {
    if (this.#opened !== undefined) return this.#opened
    const known = this.#tryOpen()
    const last = known === undefined ? undefined : lastPosition(known)
    if (known !== undefined && last !== undefined && last <= this.#log.position(this.#database)) {
      this.#position = last
      this.#opened = known
      return known
    }
    known?.close()
    return this.#make()
  }

  /** What is not a sound file of this format is made anew. */
  #tryOpen(): DatabaseFile | undefined {
    try {
      return new DatabaseFile({ path: this.#path, create: false, isDurable: false })
    } catch (error) {
      if (error instanceof HostError) return undefined
      throw error
    }
  }

  #make(): DatabaseFile {
    removeIndex(this.#path)
    const file = new DatabaseFile({ path: this.#path, create: true, isDurable: false })
    for (const { sql } of creation) file.execute(sql)
    this.#position = 0n
    this.#opened = file
    return file
  }

  close(): void {
    this.#reading?.records.return(undefined)
    this.#reading = undefined
    this.#opened?.close()
    this.#opened = undefined
  }
}

/** A power loss may leave anything in a file that nobody waits for: after one it is not believed. */
export function removeIndex(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}

function lastPosition(file: DatabaseFile): bigint | undefined {
  try {
    const [id = null]: SqlRow = file.statement(newest.sql).row([]) ?? []
    return typeof id === 'bigint' ? positionOfRow(id) : 0n
  } catch (error) {
    if (error instanceof HostError) return undefined
    throw error
  }
}
