/**
 * One table of the running module with its policy folded into every statement: the only way from a
 * call, or a host-side reader, to rows. Statements are printed and prepared once a publish.
 */
import { scanText } from '../access-log/touched.ts'
import type { Touched } from '../access-log/touched.ts'
import { HostError, unreachable } from '../errors.ts'
import * as limits from '../limits.ts'
import { and, compare, keyOf, nameColumns } from '../plan/plan.ts'
import type { Condition, Exists, Operand, Order, SqlRow, SqlValue, Statement } from '../plan/plan.ts'
import { keyCondition, print } from '../plan/printer.ts'
import type { Printed } from '../plan/printer.ts'
import { planScan, scanShape, scanValues } from '../plan/scan.ts'
import type { Scan } from '../plan/scan.ts'
import { contextValue } from '../policy/context.ts'
import type { PolicyContext } from '../policy/context.ts'
import type { Look } from '../policy/evaluate.ts'
import type { TablePolicies, TablePolicy } from '../policy/policy.ts'
import type { Index, Table } from '../schema/schema.ts'
import type { DatabaseFile, FileStatement } from '../storage/database-file.ts'
import { TableWriter } from '../storage/table-writer.ts'
import type { PlanCache, PlanVersion } from './plan-cache.ts'

/** A prepared statement whose operands are filled from the call. */
interface BoundStatement {
  readonly statement: FileStatement
  readonly operands: readonly Operand[]
}

/** For whom rows are got, and who keeps account of them: recorded.ts makes it, so that there are no rows without a record. */
export interface RowScope {
  readonly policy: PolicyContext
  readonly touched: Touched
}

/** So many of the largest rows fit the bytes of a call: they can be fetched in one go. */
const rowsAtOnceMax = limits.rowBytesPerCallMax / limits.rowSizeBytesMax

export interface TableAccessOptions {
  readonly file: DatabaseFile
  readonly table: Table
  readonly policies: TablePolicies
  readonly plans: PlanCache
  readonly version: PlanVersion
}

export class TableAccess {
  readonly table: Table
  readonly #policies: TablePolicies
  readonly #file: DatabaseFile
  /** Names rows by their keys, after the policy has admitted them. */
  readonly writer: TableWriter
  readonly #plans: PlanCache
  readonly #version: PlanVersion
  readonly #exists: BoundStatement
  /** The looks of policies that were asked about a row. */
  readonly #looks = new WeakMap<Exists, Printed>()

  constructor({ file, table, policies, plans, version }: TableAccessOptions) {
    this.#file = file
    this.table = table
    this.#policies = policies
    this.#plans = plans
    this.#version = version
    const byKey = keyCondition(table)
    this.writer = new TableWriter(file, table)
    this.#exists = this.#prepare({ kind: 'count', table, where: byKey })
    // What SQLite cannot prepare is refused at publish.
    for (const operation of ['read', 'update', 'delete'] as const) this.#file.statement(this.#get(operation, undefined).sql)
  }

  /** What is in force for this call. */
  policy({ reducer }: PolicyContext): TablePolicy {
    return this.#policies.inside(reducer)
  }

  /** What a client's statement may see: no reducer's policies, and counted row by row. */
  get readPolicies(): Condition {
    return this.#policies.inside(undefined).examined
  }

  /** Whether the call may leave this row. The writes of the call to `policy.looks` must be visible. */
  admits(operation: 'insert' | 'update', row: SqlRow, context: PolicyContext): boolean {
    return this.policy(context).admits(operation, row, context, this.#look)
  }

  /** The row with this key that the sender may read and, for the other operations, may also change. */
  get(key: SqlRow, { policy, touched }: RowScope, operation: 'read' | 'update' | 'delete' = 'read'): SqlRow | undefined {
    const { sql, operands } = this.#get(operation, policy.reducer)
    const row = this.#file.statement(sql).row(bind(operands, key, policy))
    if (row !== undefined) touched.row(this.table, operation === 'read' ? 'returned' : 'examined', row)
    return row
  }

  /**
   * At most `rowsMax` rows, or the scan's own limit when that is smaller, in the scan's order. Where the
   * table has an owner and the scan names none, they are the sender's own.
   */
  scan(scan: Scan, rowsMax: number, { policy, touched }: RowScope): SqlRow[] {
    const { sql, operands } = this.#printed('scan', scan, policy, (where, order) => ({ kind: 'select', table: this.table, where, order, hasLimit: true }))
    const statement = this.#file.statement(sql)
    const limit = Math.min(scan.limit ?? rowsMax, rowsMax)
    const values = bind(operands, [...scanValues(scan), BigInt(limit)], policy)
    const rows = limit <= rowsAtOnceMax ? statement.rows(values) : statement.rowsWithin(limits.rowBytesPerCallMax, values)
    if (scan.direction === 'latest') rows.reverse()
    touched.foundBy(() => scanText(this.table, scan))
    touched.rows(this.table, 'returned', rows)
    return rows
  }

  /** How many rows the scan would give without its limit, counted up to `rowsMax`. */
  count(scan: Scan, rowsMax: number, { policy, touched }: RowScope): bigint {
    touched.foundBy(() => `count of ${scanText(this.table, scan)}`)
    const named = this.#namesCounted(scan, Math.min(rowsMax, limits.accessKeysMax + 1), policy)
    if (named.length === rowsMax || named.length <= limits.accessKeysMax) {
      for (const names of named) touched.named(this.table, 'examined', names)
      return BigInt(named.length)
    }
    // To name each of a million rows would take seconds, and the record would only keep that there were so many.
    const { sql, operands } = this.#printed('count', scan, policy, (where) => ({ kind: 'count', table: this.table, where }))
    const [found] = this.#file.statement(sql).row(bind(operands, [...scanValues(scan), BigInt(rowsMax)], policy)) ?? []
    const count = typeof found === 'bigint' ? found : 0n
    touched.counted(this.table, named[0] ?? [], Number(count))
    return count
  }

  /** What names the rows that a count finds, of no more than `rowsMax` of them. */
  #namesCounted(scan: Scan, rowsMax: number, policy: PolicyContext): SqlRow[] {
    const { sql, operands } = this.#printed('touched', scan, policy, (where) => ({
      kind: 'touched-count',
      table: this.table,
      where,
      names: nameColumns(this.table),
    }))
    const found: SqlRow[] = []
    const { meter } = this.#file
    meter.onTouch = (_source, names) => found.push(names)
    try {
      this.#file.statement(sql).row(bind(operands, [...scanValues(scan), BigInt(rowsMax)], policy))
    } finally {
      meter.onTouch = undefined
    }
    return found
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
    return found !== undefined && !isSameRow(keyOf(this.table, found), key)
  }

  #get(operation: 'read' | 'update' | 'delete', reducer: string | undefined): Printed {
    const shape = `${this.table.id} ${this.#policies.nameOf(reducer)} get ${operation}`
    return this.#plans.printed(this.#version, shape, () => {
      const policy = this.#policies.inside(reducer)
      const where = and(keyCondition(this.table), policy.using('read'), policy.using(operation))
      return { kind: 'select', table: this.table, where, order: [], hasLimit: false }
    })
  }

  #printed(
    kind: 'scan' | 'count' | 'touched',
    scan: Scan,
    { reducer }: PolicyContext,
    statement: (where: Condition, order: readonly Order[]) => Statement,
  ): Printed {
    const shape = `${this.table.id} ${this.#policies.nameOf(reducer)} ${kind} ${scanShape(scan)}`
    return this.#plans.printed(this.#version, shape, () => {
      const { where, order } = planScan(this.table, scan)
      const namesOwner = scan.terms.some((term) => term.operator === '=' && term.column === this.table.owner)
      const { examined } = this.#policies.inside(reducer)
      return statement(namesOwner ? and(where, examined) : and(where, this.#policies.own, examined), order)
    })
  }

  readonly #look: Look = (look, row, context) => {
    const printed = this.#looks.get(look) ?? print({ kind: 'probe', exists: look })
    this.#looks.set(look, printed)
    const [found] = this.#file.statement(printed.sql).row(bind(printed.operands, row, context)) ?? []
    return found === 1n
  }

  #prepare(statement: Statement): BoundStatement {
    const { sql, operands } = print(statement)
    return { statement: this.#file.statement(sql), operands }
  }
}

/** `values` are those of the parameters, in order, or for a look those of the row. */
export function bind(operands: readonly Operand[], values: SqlRow, context: PolicyContext): SqlValue[] {
  let next = 0
  return operands.map((operand) => {
    switch (operand.kind) {
      case 'parameter':
        return values[next++] ?? null
      case 'sender':
        return context.sender
      case 'literal':
        return operand.value
      case 'row':
      case 'numbered':
        return values[operand.ordinal] ?? null
      case 'actor':
      case 'assurance':
      case 'channel':
      case 'claim':
        return contextValue(operand, context)
      default:
        return unreachable(operand)
    }
  })
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
