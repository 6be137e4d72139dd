/**
 * A client's statement, run under the caller's policies on what the file has. It reads, leaves
 * no change, and ends by its own count of rows: SQLite cannot be interrupted.
 */
import { hash } from 'node:crypto'

import { accessTable, ownRecords } from '../access-log/access-table.ts'
import type { Touched } from '../access-log/touched.ts'
import { HostError } from '../errors.ts'
import type { Login } from '../identity.ts'
import * as limits from '../limits.ts'
import { always } from '../plan/plan.ts'
import type { SqlRow, SqlValue } from '../plan/plan.ts'
import type { SqlExplanation } from '../protocol/shard-protocol.ts'
import { compileStatement, refusedBySqlite } from '../sql/compile.ts'
import type { CompiledStatement, ResultColumn, RowCount, SqlTable } from '../sql/compile.ts'
import { parameterValues } from '../sql/parameters.ts'
import { places } from '../sql/places.ts'
import type { Table } from '../schema/schema.ts'
import type { DatabaseFile } from '../storage/database-file.ts'
import type { ActiveModule } from './active-module.ts'
import type { Caller } from './call-context.ts'
import type { Database } from './database.ts'
import { recorded } from './recorded.ts'
import { bind } from './table-access.ts'

export interface SqlRequest {
  readonly sql: string
  /** JavaScript's own values or JSON's: see sql/parameters.ts. */
  readonly params: readonly unknown[]
  readonly caller: Caller
  /** Says beside the rows how they were found. */
  readonly isExplained?: boolean
}

export interface SqlResult {
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly SqlRow[]
  /** Rows that the caller may see and that were looked at. What is hidden is in no figure that leaves the host. */
  readonly examined: number
  readonly explanation: SqlExplanation | undefined
}

/**
 * Outside of a turn whoever calls has asked whether the file is readable; inside of one, what the batch has
 * left is applied first.
 *
 * @throws HostError ERR_SQL_*, ERR_ARGUMENT_COUNT, ERR_ARGUMENT_TYPE, ERR_ARGUMENT_RANGE
 */
export function runSql(database: Database, module: ActiveModule, request: SqlRequest): SqlResult {
  const { sql, caller } = request
  let shown: string | undefined
  const name = (): string => shown ?? `refused statement sha256:${hash('sha256', sql, 'hex').slice(0, 16)}`
  const work = { event: 'sql', caller, timestamp: database.callTime(), name } as const
  return recorded(database, module, work, (touched) => {
    const compiled = compiledOf(database, module, request)
    shown = compiled.shown
    return runCompiled(database, module, { ...request, compiled, touched })
  })
}

interface CompiledRun extends SqlRequest {
  readonly compiled: CompiledStatement
  readonly touched: Touched
}

function runCompiled(database: Database, module: ActiveModule, request: CompiledRun): SqlResult {
  const { compiled } = request
  const values = boundValues(database, compiled, request)
  refuseJoinedLog(compiled)
  if (compiled.sources.some((table) => database.operations.touches(table))) database.operations.apply()
  const { rows, examined } = rowsOf(database, values, request)
  const explanation = request.isExplained === true ? explain(database, module, compiled, values, request) : undefined
  return { columns: compiled.columns, rows, examined, explanation }
}

function compiledOf({ plans, accessIndex }: Database, { tables, schema, policyVersion }: ActiveModule, { sql, caller }: SqlRequest): CompiledStatement {
  const isAuditor = caller.rights?.includes('audit') === true
  return plans.compiled({ schema: schema.version, policy: policyVersion }, `${isAuditor ? 'auditor' : '-'} ${sql}`, () => {
    const readable = new Map<string, SqlTable>()
    if (accessIndex !== undefined) readable.set(accessTable.name, { table: accessTable, policies: isAuditor ? always : ownRecords })
    for (const [name, access] of tables) readable.set(name, { table: access.table, policies: access.readPolicies })
    return compileStatement(sql, { tables: readable })
  })
}

/** It lies in a file of its own. */
function refuseJoinedLog({ sources }: CompiledStatement): void {
  if (!sources.includes(accessTable) || sources.every((table) => table === accessTable)) return
  throw new HostError('ERR_SQL_UNSUPPORTED', `${accessTable.name} stands alone in a statement: ask for rows of other tables in a second one`)
}

/** Where its tables are. */
function fileOf({ file, accessIndex }: Database, { sources }: CompiledStatement): DatabaseFile {
  return accessIndex !== undefined && sources.includes(accessTable) ? accessIndex.upToDate() : file
}

function boundValues(database: Database, compiled: CompiledStatement, { params }: SqlRequest): SqlValue[] {
  const values: SqlValue[] = parameterValues(compiled.parameters, params)
  compiled.logins.forEach((login, index) => (values[places.login + index] = identityOf(database, login)))
  const rowsMax = BigInt(rowsWithin(compiled) + 1)
  const limit = rowCount(compiled.limit, values, 'LIMIT') ?? rowsMax
  values[places.limit] = limit < rowsMax ? limit : rowsMax
  values[places.offset] = rowCount(compiled.offset, values, 'OFFSET') ?? 0n
  return values
}

function rowsWithin({ columns }: CompiledStatement): number {
  return Math.min(limits.sqlRowsMax, Math.floor(limits.valuesUnpackedMax / columns.length))
}

function rowCount(count: RowCount, values: readonly SqlValue[], word: string): bigint | undefined {
  if (count === undefined || typeof count === 'bigint') return count
  const value = values[count.parameter]
  if (typeof value !== 'bigint') return undefined
  if (value < 0n) throw new HostError('ERR_ARGUMENT_RANGE', `$${count.parameter + 1}: ${word} is 0 or more, not ${value}`)
  return value
}

/** Nobody's identity is as good as any other that no row has: whether a login was ever seen is not told. */
function identityOf({ directory, uid }: Database, login: Login): Uint8Array {
  return directory.find(login) ?? hash('sha256', Buffer.concat([uid, Buffer.from(JSON.stringify(login))]), 'buffer')
}

function rowsOf(database: Database, values: SqlRow, request: CompiledRun): Pick<SqlResult, 'rows' | 'examined'> {
  const { compiled } = request
  const file = fileOf(database, compiled)
  const { meter } = file
  const touches: Touch[] = []
  file.rowsExaminedLeft = limits.sqlStepsMax
  meter.rowsSeen = 0
  meter.onTouch = (source, names) => touches.push({ source, names })
  let rows: SqlRow[] = []
  try {
    const { sql, operands } = compiled.printed
    rows = file.statement(sql).rowsWithin(limits.resultSizeBytesMax, bind(operands, values, contextOf(request)))
    const rowsMax = rowsWithin(compiled)
    if (rows.length > rowsMax) throw new HostError('ERR_SQL_BUDGET', `the answer has more than ${rowsMax} rows: give the statement a LIMIT`)
    return { rows: compiled.names === undefined ? rows : rows.map((row) => row.slice(0, compiled.columns.length)), examined: meter.rowsSeen }
  } catch (error) {
    throw refusal(error, file.rowsExaminedLeft < 0)
  } finally {
    meter.onTouch = undefined
    note(request, touches, rows)
  }
}

interface Touch {
  readonly source: number
  readonly names: SqlRow
}

/** Rows of the answer are named by it; the others that were touched decided something, or went into what it was computed from. */
function note({ compiled, touched }: CompiledRun, touches: readonly Touch[], rows: readonly SqlRow[]): void {
  const { names, outer, sources } = compiled
  touched.foundBy(() => compiled.shown)
  for (const row of rows) for (const { source, at, count } of names ?? []) touched.named(tableOf(compiled, source), 'returned', row.slice(at, at + count))
  // As it mostly is: each row that was touched is one of the answer.
  if (names !== undefined && sources.length === 1 && touches.length === rows.length) return
  for (const touch of touches) {
    touched.named(tableOf(compiled, touch.source), names === undefined && outer.has(touch.source) ? 'returned' : 'examined', touch.names)
  }
}

function tableOf({ sources }: CompiledStatement, number: number): Table {
  const table = sources[number]
  if (table === undefined) throw new Error('a touched row is of a table of its statement')
  return table
}

/** What the storage says of a call's limits, as it concerns a statement. */
function refusal(error: unknown, isExhausted: boolean): unknown {
  if (!(error instanceof HostError)) return error
  if (isExhausted) {
    return new HostError(
      'ERR_SQL_BUDGET',
      `a statement may go over at most ${limits.sqlStepsMax} rows, a KiB of text or a function's call counting as one: name an indexed column that finds fewer`,
    )
  }
  if (error.code === 'ERR_CALL_LIMIT') {
    return new HostError('ERR_SQL_BUDGET', `the answer has more than ${limits.resultSizeBytesMax} bytes: give the statement a LIMIT, or select fewer columns`)
  }
  return isOwnFault(error.cause) ? refusedBySqlite(error) : error
}

/** Of the statement and not of the disk: too deep a tree, too long a value. */
function isOwnFault(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'SQLITE_ERROR' || cause.code === 'SQLITE_TOOBIG')
}

function contextOf({ caller }: SqlRequest): Caller & { readonly reducer: undefined } {
  return { ...caller, reducer: undefined }
}

function explain(database: Database, { description }: ActiveModule, compiled: CompiledStatement, values: SqlRow, request: SqlRequest): SqlExplanation {
  const { sql, operands } = compiled.explained()
  const plan = fileOf(database, compiled)
    .statement(sql)
    .rows(bind(operands, values, contextOf(request)))
  const names = [...new Set(compiled.sources.map(({ name }) => name))]
  return {
    // Sources are numbered as the statement names them.
    plan: plan.map((row) => String(row[3]).replaceAll(/\b_t(\d+)\b/g, (_alias, number: string) => tableOf(compiled, Number(number)).name)),
    policies: names.map((table) => {
      const { owner, policies = [] } = description.tables.find((one) => one.name === table) ?? {}
      const read = policies.filter((policy) => policy.in === undefined && (policy.operation === 'read' || policy.operation === 'all'))
      const texts = read.map(({ expression, restrictive }) => `${restrictive ? 'and' : 'or'} ${expression}`)
      return {
        table,
        policies: [
          ...(owner === undefined ? [] : [`${owner} = sender`]),
          ...texts.map((text, index) => (owner === undefined && index === 0 ? text.replace(/^or /, '') : text)),
        ],
      }
    }),
  }
}
