/**
 * One table of the running module with its policy folded into every statement: the only way from a
 * call, or a host-side reader, to rows. Statements are printed and prepared once a publish.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { LruMap } from '../lru-map.ts'
import { and, compare, keyColumns, parameter } from '../plan/plan.ts'
import type { Condition, Operand, SqlRow, SqlValue, Statement } from '../plan/plan.ts'
import { keyCondition, print } from '../plan/printer.ts'
import type { Printed } from '../plan/printer.ts'
import { planScan, scanShape, scanValues } from '../plan/scan.ts'
import type { Scan } from '../plan/scan.ts'
import { compilePolicy } from '../policy/policy.ts'
import type { PolicyContext, RowOperation, TablePolicy } from '../policy/policy.ts'
import type { Index, Table } from '../schema/schema.ts'
import type { DatabaseFile, FileStatement } from '../storage/database-file.ts'

/** A prepared statement whose `sender` operands are filled from the context. */
interface BoundStatement {
  readonly statement: FileStatement
  readonly operands: readonly Operand[]
}

/** So many of the largest rows fit the bytes of a call: they can be fetched in one go. */
const rowsAtOnceMax = limits.rowBytesPerCallMax / limits.rowSizeBytesMax

/** Shapes of scans that are kept planned, of the many that a module can make of one table. */
const shapesKeptMax = 200

export class TableAccess {
  readonly table: Table
  readonly policy: TablePolicy
  readonly #file: DatabaseFile
  /** Texts only: a hundred tables of two hundred shapes would be as many prepared statements. */
  readonly #shapes = new LruMap<string, Printed>(shapesKeptMax)
  readonly #insert: BoundStatement
  readonly #update: BoundStatement
  readonly #delete: BoundStatement
  readonly #exists: BoundStatement
  readonly #get: Record<'read' | 'update' | 'delete', BoundStatement>

  constructor(file: DatabaseFile, table: Table) {
    this.#file = file
    this.table = table
    this.policy = compilePolicy(table)
    const byKey = keyCondition(table)
    const get = (operation: RowOperation): BoundStatement =>
      this.#prepare({ kind: 'select', table, where: and(byKey, this.policy.using('read'), this.policy.using(operation)), order: [], hasLimit: false })
    this.#get = { read: get('read'), update: get('update'), delete: get('delete') }
    // Writes and checks below name one row by its key, after the policy has admitted it.
    this.#insert = this.#prepare({ kind: 'insert', table })
    this.#update = this.#prepare({ kind: 'update', table, where: byKey })
    this.#delete = this.#prepare({ kind: 'delete', table, where: byKey })
    this.#exists = this.#prepare({ kind: 'count', table, where: byKey })
  }

  /** The row with this key that the sender may read and, for the other operations, may also change. */
  get(key: SqlRow, context: PolicyContext, operation: 'read' | 'update' | 'delete' = 'read'): SqlRow | undefined {
    const { statement, operands } = this.#get[operation]
    return statement.row(bind(operands, key, context))
  }

  /** At most `rowsMax` rows, or the scan's own limit when that is smaller, in the scan's order. */
  scan(scan: Scan, rowsMax: number, context: PolicyContext): SqlRow[] {
    const { sql, operands } = this.#shape(scan)
    const statement = this.#file.statement(sql)
    const limit = Math.min(scan.limit ?? rowsMax, rowsMax)
    const values = bind(operands, [...scanValues(scan), BigInt(limit)], context)
    const rows = limit <= rowsAtOnceMax ? statement.rows(values) : statement.rowsWithin(limits.rowBytesPerCallMax, values)
    return scan.direction === 'latest' ? rows.reverse() : rows
  }

  /** How many rows the scan would give without its limit, counted up to `rowsMax`. */
  count(scan: Scan, rowsMax: number, context: PolicyContext): bigint {
    const { where } = planScan(this.table, scan)
    const { statement, operands } = this.#prepare({ kind: 'count', table: this.table, where: and(where, this.policy.using('read')) })
    const [count] = statement.row(bind(operands, [...scanValues(scan), BigInt(rowsMax)], context)) ?? []
    return typeof count === 'bigint' ? count : 0n
  }

  /** Whether any row has this key, the sender's or not. Only for keys whose owner the policy admitted. */
  isTaken(key: SqlRow): boolean {
    return this.#exists.statement.row([...key, 1n])?.[0] !== 0n
  }

  /** Whether a stored row other than the one with `key` has the same values in a unique index. */
  breaksUnique(index: Index, row: SqlRow, key: SqlRow): boolean {
    const owner = index.unique === 'owner' && this.table.owner !== undefined ? [this.table.owner] : []
    const columns = [...owner, ...index.columns]
    const values = columns.map((column) => row[this.table.columns.indexOf(column)] ?? null)
    if (values.includes(null)) return false
    const where: Condition = { kind: 'and', terms: columns.map((column) => compare(column, '=')) }
    const { statement } = this.#prepare({ kind: 'select', table: this.table, where, order: [], hasLimit: false })
    const found = statement.row(values)
    return found !== undefined && !isSameRow(this.keyOf(found), key)
  }

  keyOf(row: SqlRow): SqlValue[] {
    return keyColumns(this.table).map((column) => row[this.table.columns.indexOf(column)] ?? null)
  }

  insert(row: SqlRow): void {
    this.#insert.statement.run(row)
  }

  update(row: SqlRow): void {
    this.#update.statement.run([...row, ...this.keyOf(row)])
  }

  delete(row: SqlRow): void {
    this.#delete.statement.run(this.keyOf(row))
  }

  #shape(scan: Scan): Printed {
    const shape = scanShape(scan)
    const known = this.#shapes.get(shape)
    if (known !== undefined) return known
    const { where, order } = planScan(this.table, scan)
    const printed = print({ kind: 'select', table: this.table, where: and(where, this.policy.using('read')), order, hasLimit: true })
    this.#shapes.set(shape, printed)
    return printed
  }

  #prepare(statement: Statement): BoundStatement {
    const { sql, operands } = print(statement)
    return { statement: this.#file.statement(sql), operands }
  }
}

function bind(operands: readonly Operand[], values: SqlRow, context: PolicyContext): SqlValue[] {
  let next = 0
  return operands.map((operand) => (operand === parameter ? (values[next++] ?? null) : context.sender))
}

export function isSameRow(left: SqlRow, right: SqlRow): boolean {
  return left.every((value, index) => isSameValue(value, right[index] ?? null))
}

function isSameValue(left: SqlValue, right: SqlValue): boolean {
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right) === 0
  return left === right
}

/** A conflict is told only to those who may know the row: uniques are within an owner unless declared global. */
export function duplicate(table: Table, what: string): HostError {
  return new HostError('ERR_ROW_DUPLICATE', `${table.name} has a row with this ${what} already`)
}
