/**
 * A client's statement, run under the caller's policies on what the file has. It reads, leaves no record and
 * no change, and ends by its own count of rows: SQLite cannot be interrupted.
 */
import { hash } from 'node:crypto'

import { HostError } from '../errors.ts'
import type { Login } from '../identity.ts'
import * as limits from '../limits.ts'
import type { SqlRow, SqlValue } from '../plan/plan.ts'
import type { SqlExplanation } from '../protocol/shard-protocol.ts'
import { compileStatement, refusedBySqlite } from '../sql/compile.ts'
import type { CompiledStatement, ResultColumn, RowCount, SqlTable } from '../sql/compile.ts'
import { parameterValues } from '../sql/parameters.ts'
import { places } from '../sql/places.ts'
import type { Table } from '../schema/schema.ts'
import type { ActiveModule } from './active-module.ts'
import type { Caller } from './call-context.ts'
import type { Database } from './database.ts'
import { bind } from './table-access.ts'

export interface SqlRequest {
  readonly sql: string
  /** JavaScript's own values or JSON's: see sql/parameters.ts. */
  readonly params: readonly unknown[]
  readonly caller: Caller
  /** Says beside the rows how they were found. */
  readonly isExplained?: boolean
  /** Told of each row that the policies and the statement's terms have let through, by the values of its key. */
  readonly onTouch?: (table: Table, key: readonly SqlValue[]) => void
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
  const compiled = compiledOf(database, module, request)
  const values = boundValues(database, compiled, request)
  if (compiled.sources.some((table) => database.operations.touches(table))) database.operations.apply()
  const { rows, examined } = rowsOf(database, compiled, values, request)
  const explanation = request.isExplained === true ? explain(database, module, compiled, values, request) : undefined
  return { columns: compiled.columns, rows, examined, explanation }
}

function compiledOf({ plans }: Database, { tables, schema, policyVersion }: ActiveModule, { sql, onTouch }: SqlRequest): CompiledStatement {
  const isTouching = onTouch !== undefined
  return plans.compiled({ schema: schema.version, policy: policyVersion }, `${isTouching ? 't' : '-'} ${sql}`, () => {
    const readable = new Map<string, SqlTable>()
    for (const [name, access] of tables) readable.set(name, { table: access.table, policies: access.readPolicies })
    return compileStatement(sql, { tables: readable, isTouching })
  })
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

function rowsOf(database: Database, compiled: CompiledStatement, values: SqlRow, request: SqlRequest): Pick<SqlResult, 'rows' | 'examined'> {
  const { file } = database
  const { meter } = file
  const { onTouch } = request
  file.rowsExaminedLeft = limits.sqlStepsMax
  meter.rowsSeen = 0
  meter.onTouch = onTouch === undefined ? undefined : (source, key) => onTouch(tableOf(compiled, source), key)
  try {
    const { sql, operands } = compiled.printed
    const rows = file.statement(sql).rowsWithin(limits.resultSizeBytesMax, bind(operands, values, contextOf(request)))
    const rowsMax = rowsWithin(compiled)
    if (rows.length > rowsMax) throw new HostError('ERR_SQL_BUDGET', `the answer has more than ${rowsMax} rows: give the statement a LIMIT`)
    return { rows, examined: meter.rowsSeen }
  } catch (error) {
    throw refusal(error, file.rowsExaminedLeft < 0)
  } finally {
    meter.onTouch = undefined
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

function explain({ file }: Database, { description }: ActiveModule, compiled: CompiledStatement, values: SqlRow, request: SqlRequest): SqlExplanation {
  const { sql, operands } = compiled.explained()
  const plan = file.statement(sql).rows(bind(operands, values, contextOf(request)))
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
