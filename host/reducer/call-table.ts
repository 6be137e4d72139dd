/**
 * What a handle is on the host's side: one table, one mode, one call. Bytes from the guest are
 * checked here, the policy is asked before any constraint, and every row that moves is counted.
 */
import { assert, HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { keyColumns, keyOf } from '../plan/plan.ts'
import type { SqlRow, SqlValue } from '../plan/plan.ts'
import { scanShape } from '../plan/scan.ts'
import type { Scan, ScanDirection, ScanTerm } from '../plan/scan.ts'
import type { TableMode } from '../protocol/shard-protocol.ts'
import { PackedReader } from '../packed-bytes.ts'
import type { PackedWriter } from '../packed-bytes.ts'
import type { GuestTable } from '../sandbox/handle-table.ts'
import type { NextIds } from '../storage/next-ids.ts'
import { packRow, unpackRow, unpackSqlValue } from '../storage/row-image.ts'
import type { CallBudget } from './call-budget.ts'
import type { RandomIds } from './random-ids.ts'
import type { CallOperations } from './row-operations.ts'
import { duplicate } from './table-access.ts'
import type { RowScope, TableAccess } from './table-access.ts'

export interface CallScope extends RowScope {
  readonly operations: CallOperations
  readonly nextIds: NextIds
  readonly randomIds: RandomIds
  readonly budget: CallBudget
  /** Answers are packed here and copied out by the sandbox before the next one. */
  readonly writer: PackedWriter
}

const directions: readonly ScanDirection[] = ['ascending', 'descending', 'latest']
const operators = ['any', '=', '<', '<=', '>', '>='] as const
const noLimit = 0xffff_ffff

export class CallTable implements GuestTable {
  readonly #access: TableAccess
  readonly #mode: TableMode
  readonly #scope: CallScope

  constructor(access: TableAccess, mode: TableMode, scope: CallScope) {
    this.#access = access
    this.#mode = mode
    this.#scope = scope
  }

  get(key: Uint8Array): Uint8Array {
    this.#require('read', 'write')
    const reader = reading(key)
    const values = this.#key(reader)
    reader.end()
    this.#seeOwnWrites()
    const row = this.#access.get(values, this.#scope)
    return this.#batch(row === undefined ? [] : [row])
  }

  scan(bytes: Uint8Array): Uint8Array {
    this.#require('read', 'write')
    const scan = this.#scan(bytes)
    this.#seeOwnWrites()
    const left = this.#scope.budget.rowsLeft
    // One row past the budget tells a scan that ends exactly there from one that does not.
    return this.#batch(this.#access.scan(scan, left + 1, this.#scope))
  }

  count(bytes: Uint8Array): bigint {
    this.#require('read', 'write')
    const scan = this.#scan(bytes)
    this.#seeOwnWrites()
    const { budget } = this.#scope
    const count = this.#access.count(scan, budget.countedRowsLeft + 1, this.#scope)
    budget.countCountedRows(Number(count))
    return count
  }

  insert(bytes: Uint8Array): Uint8Array {
    this.#require('append', 'write')
    const reader = reading(bytes)
    const ids = this.#scope.writer
    ids.reset()
    for (let left = this.#count(reader); left > 0; left--) {
      const row = this.#row(reader)
      this.#own(row)
      if (this.#access.table.autoIncrement) ids.u64(this.#assignId(row))
      else this.#refuseTaken(row)
      this.#refuseDuplicate(row)
      this.#scope.operations.add({ kind: 'insert', writer: this.#access.writer, after: row })
    }
    reader.end()
    return ids.view()
  }

  update(bytes: Uint8Array): number {
    this.#require('write')
    const reader = reading(bytes)
    let changed = 0
    for (let left = this.#count(reader); left > 0; left--) if (this.#updateOne(this.#row(reader))) changed++
    reader.end()
    return changed
  }

  delete(bytes: Uint8Array): number {
    this.#require('write')
    const reader = reading(bytes)
    let deleted = 0
    for (let left = this.#count(reader); left > 0; left--) if (this.#deleteOne(this.#key(reader))) deleted++
    reader.end()
    return deleted
  }

  /** Of the table that is read, and of those that its policies look into. */
  #seeOwnWrites(): void {
    this.#scope.operations.makeVisible(this.#access.table)
    for (const table of this.#access.policy(this.#scope.policy).looks) this.#scope.operations.makeVisible(table)
  }

  #updateOne(row: SqlValue[]): boolean {
    this.#fillOwner(row)
    this.#seeOwnWrites()
    this.#scope.budget.countRows(1)
    const before = this.#access.get(keyOf(this.#access.table, row), this.#scope, 'update')
    if (before === undefined) return false
    this.#admit('update', row)
    this.#refuseDuplicate(row)
    this.#scope.operations.add({ kind: 'update', writer: this.#access.writer, before, after: row })
    return true
  }

  #deleteOne(key: SqlRow): boolean {
    this.#seeOwnWrites()
    this.#scope.budget.countRows(1)
    const before = this.#access.get(key, this.#scope, 'delete')
    if (before === undefined) return false
    this.#scope.operations.add({ kind: 'delete', writer: this.#access.writer, before })
    return true
  }

  #require(...modes: readonly TableMode[]): void {
    if (modes.includes(this.#mode)) return
    throw new HostError(
      'ERR_HANDLE_MODE',
      `the reducer may only ${this.#mode} ${this.#access.table.name}: take it as a ${modes.includes('read') ? 'Reader or Writer' : modes.includes('append') ? 'Appender or Writer' : 'Writer'}`,
    )
  }

  /** Policy before constraints: a row nobody may write must not learn whether its key is taken. */
  #own(row: SqlValue[]): void {
    this.#fillOwner(row)
    this.#admit('insert', row)
  }

  #fillOwner(row: SqlValue[]): void {
    const { owner, columns } = this.#access.table
    if (owner === undefined) return
    const ordinal = columns.indexOf(owner)
    const given = row[ordinal]
    if (given instanceof Uint8Array && given.every((byte) => byte === 0)) row[ordinal] = this.#scope.policy.sender
  }

  #admit(operation: 'insert' | 'update', row: SqlRow): void {
    for (const table of this.#access.policy(this.#scope.policy).looks) this.#scope.operations.makeVisible(table)
    if (this.#access.admits(operation, row, this.#scope.policy)) return
    throw new HostError('ERR_ROW_DENIED', `the policy of ${this.#access.table.name} does not admit this row for this sender`)
  }

  #assignId(row: SqlValue[]): bigint {
    const { table } = this.#access
    const ordinal = table.columns.indexOf(table.key)
    if (row[ordinal] !== 0n) throw new HostError('ERR_ROW_MALFORMED', `${table.name}.${table.key.name} is counted by the host: leave it 0`)
    const id = this.#nextId(row)
    row[ordinal] = id
    return id
  }

  #nextId(row: SqlRow): bigint {
    const { table } = this.#access
    if (table.owner === undefined) {
      let id = this.#scope.randomIds.next()
      while (this.#access.isTaken([id])) id = this.#scope.randomIds.next()
      return id
    }
    const owner = row[table.columns.indexOf(table.owner)]
    assert(owner instanceof Uint8Array, 'an owner was unpacked as an identity')
    return this.#scope.nextIds.take(table, owner)
  }

  #refuseTaken(row: SqlRow): void {
    this.#scope.operations.makeVisible(this.#access.table)
    if (this.#access.isTaken(keyOf(this.#access.table, row))) throw duplicate(this.#access.table, this.#access.table.key.name)
  }

  #refuseDuplicate(row: SqlRow): void {
    for (const index of this.#access.table.indexes) {
      if (index.unique === undefined) continue
      this.#scope.operations.makeVisible(this.#access.table)
      if (this.#access.breaksUnique(index, row, keyOf(this.#access.table, row))) {
        throw duplicate(this.#access.table, index.columns.map((column) => column.name).join(', '))
      }
    }
  }

  #count(reader: PackedReader): number {
    const count = reader.u32()
    if (count > limits.rowOperationsPerCallMax) {
      throw new HostError(
        'ERR_CALL_LIMIT',
        `a list of ${count} rows is more than the ${limits.rowOperationsPerCallMax} a call may change: split the work over several calls`,
      )
    }
    return count
  }

  #row(reader: PackedReader): SqlValue[] {
    const start = reader.offset
    const row = unpackRow(reader, this.#access.table.columns)
    const size = reader.offset - start
    if (size > limits.rowSizeBytesMax)
      throw new HostError('ERR_ROW_TOO_LARGE', `a row of ${this.#access.table.name} is ${size} bytes, at most ${limits.rowSizeBytesMax}`)
    this.#scope.budget.countBytes(size)
    return row
  }

  #key(reader: PackedReader): SqlValue[] {
    return keyColumns(this.#access.table).map((column) => unpackSqlValue(reader, column.type))
  }

  #scan(bytes: Uint8Array): Scan {
    const reader = reading(bytes)
    const direction = directions[reader.u8()] ?? reader.refuse('no such direction')
    const limit = reader.u32()
    const count = reader.u8()
    if (count > limits.scanTermsMax) reader.refuse(`a scan of ${count} terms, at most ${limits.scanTermsMax},`)
    const terms = Array.from({ length: count }, () => this.#term(reader))
    reader.end()
    const scan: Scan = { direction, limit: limit === noLimit ? undefined : limit, terms }
    this.#scope.budget.countShape(this.#access.table.id, scanShape(scan))
    return scan
  }

  #term(reader: PackedReader): ScanTerm {
    const column = this.#access.table.columns[reader.u16()] ?? reader.refuse('no such column')
    const operator = operators[reader.u8()] ?? reader.refuse('no such operator')
    return { column, operator, value: operator === 'any' ? null : unpackSqlValue(reader, column.type) }
  }

  #batch(rows: readonly SqlRow[]): Uint8Array {
    const { writer, budget } = this.#scope
    budget.countRows(rows.length)
    writer.reset()
    writer.u32(rows.length)
    for (const row of rows) packRow(writer, this.#access.table.columns, row)
    budget.countBytes(writer.length)
    return writer.view()
  }
}

/** Measured before it is read: a guest's memory can hold a text that no row, and no string here, can. */
function reading(bytes: Uint8Array): PackedReader {
  if (bytes.length > limits.rowBytesPerCallMax) {
    throw new HostError('ERR_CALL_LIMIT', `a guest may give at most ${limits.rowBytesPerCallMax} bytes at once, not ${bytes.length}: write fewer rows`)
  }
  return new PackedReader(bytes, 'ERR_ROW_MALFORMED')
}
