/**
 * A database in this process as one identity sees it: reducers, queries, and rows without guest code.
 * Values are JavaScript's own: u64, i64 and timestamps (microseconds since 1970) are bigint, bytes are
 * Uint8Array, an identity is its hex text.
 */
import { packArguments } from './api/pack-arguments.ts'
import type { SqlAnswer } from './api/sql.ts'
import { checkCallId } from './call-id.ts'
import { HostError } from './errors.ts'
import { identityFromBytes } from './identity.ts'
import type { Identity } from './identity.ts'
import type { ScanDirection, ScanTerm } from './plan/scan.ts'
import type { ActiveModule } from './reducer/active-module.ts'
import type { Caller } from './reducer/call-context.ts'
import type { Database } from './reducer/database.ts'
import { runCall, runOnce } from './reducer/run-call.ts'
import type { CallResult } from './reducer/run-call.ts'
import { runSql } from './reducer/run-sql.ts'
import type { TableAccess } from './reducer/table-access.ts'
import { PackedReader } from './packed-bytes.ts'
import { unpackValue } from './row-codec.ts'
import type { ReducerDescription } from './schema/description.ts'
import type { OpenDatabase } from './shard/open-databases.ts'
import { toSqlValue, toValue } from './storage/row-image.ts'
import type { RowObject } from './storage/row-image.ts'

/** By name or by position. */
export type Arguments = Readonly<Record<string, unknown>> | readonly unknown[]

/**
 * Which rows of a table: at most one of `latest` (the last so many, oldest of them first), `newest` (the
 * same, newest first) and `oldest`; and the values of indexed columns they must have.
 */
export interface RowsOptions {
  readonly latest?: number
  readonly newest?: number
  readonly oldest?: number
  readonly where?: Readonly<Record<string, unknown>>
}

export interface CallOptions {
  /** Names the call: 1 to 64 printable characters, such as a UUID. */
  readonly id?: string
}

export interface SqlOptions {
  /** Says beside the rows how they were found. */
  readonly explain?: boolean
}

const directions: ReadonlyMap<string, ScanDirection> = new Map([
  ['latest', 'latest'],
  ['newest', 'descending'],
  ['oldest', 'ascending'],
])

export class Sender {
  readonly identity: Identity
  readonly #open: OpenDatabase
  readonly #caller: Caller

  constructor(open: OpenDatabase, caller: Caller) {
    this.#open = open
    this.#caller = caller
    this.identity = identityFromBytes(caller.sender)
  }

  /**
   * Runs a reducer; resolves with its result when everything it did is on disk. With an `id`, the same call
   * sent again within a day does not run again and gives the first result, whatever became of the first answer.
   *
   * @throws HostError ERR_CALL_ID when the id was used for another reducer or other arguments, ERR_REDUCER_*, ERR_ARGUMENT_*, ERR_HOST_CLOSED, and what the call itself ended with.
   */
  async call(reducer: string, args: Arguments = [], options: CallOptions = {}): Promise<unknown> {
    return (await this.callWithOperations(reducer, args, options)).result
  }

  /** The same, with the row operations the call left. */
  async callWithOperations(
    reducer: string,
    args: Arguments = [],
    { id }: CallOptions = {},
  ): Promise<{ result: unknown; operations: CallResult['operations'] }> {
    const { database, queue } = this.#open
    if (id !== undefined) checkCallId(id)
    // Packed inside the batch, so that no publish comes between and changes what the bytes mean.
    return queue.run(() => {
      const { module, number, description } = find(database.requireModule(), reducer, 'reducer')
      const outcome = runOnce(database, module, { reducer: number, caller: this.#caller, args: pack(module, description, args), id })
      return { result: unpackOutcome(database, module, description, outcome), operations: outcome.operations }
    })
  }

  /** Runs a query at once, on what is committed. */
  query(name: string, args: Arguments = []): unknown {
    const { database, queue, showLog } = this.#open
    queue.requireReadable()
    const { module, number, description } = find(database.requireModule(), name, 'query')
    const packed = pack(module, description, args)
    try {
      const { result } = runCall(database, module, { reducer: number, caller: this.#caller, args: packed })
      return unpack(module, description, result)
    } finally {
      showLog()
    }
  }

  /**
   * Rows of a table that this identity may read, without guest code; without options, all of them.
   *
   * @throws HostError ERR_TABLE_UNKNOWN, ERR_ARGUMENT_TYPE, ERR_ARGUMENT_RANGE, ERR_NO_INDEX, ERR_HOST_CLOSED.
   */
  rows(table: string, options: RowsOptions = {}): RowObject[] {
    const { database, queue } = this.#open
    queue.requireReadable()
    const { tables } = database.requireModule()
    const access = tables.get(table)
    if (access === undefined) throw new HostError('ERR_TABLE_UNKNOWN', `the module has no table ${table}; it has ${[...tables.keys()].join(', ')}`)
    const { where = {}, ...count } = options
    return database.rows(this.#caller, access, { ...direction(count), terms: terms(access, where) })
  }

  /**
   * Runs a SELECT of PostgreSQL's language (docs/sql.md) at once, on what is committed and under this
   * identity's policies. `params` are the values of `$1`, `$2` and so on.
   *
   *   sarah.sql('SELECT content FROM turns WHERE caller = $1 ORDER BY at DESC LIMIT 20', [sarah.identity])
   *
   * @throws HostError ERR_SQL_*, ERR_ARGUMENT_COUNT, ERR_ARGUMENT_TYPE, ERR_ARGUMENT_RANGE, ERR_HOST_CLOSED.
   */
  sql(sql: string, params: readonly unknown[] = [], { explain = false }: SqlOptions = {}): SqlAnswer {
    const { database, queue } = this.#open
    queue.requireReadable()
    if (typeof sql !== 'string' || !Array.isArray(params)) throw new HostError('ERR_ARGUMENT_TYPE', 'sql() takes a text, and a list of parameters')
    const { columns, rows, examined, explanation } = runSql(database, database.requireModule(), { sql, params, caller: this.#caller, isExplained: explain })
    const own = { text: this.identity, bytes: this.#caller.sender }
    const values = rows.map((row) => columns.map(({ type }, index) => toValue(type, row[index] ?? null, own)))
    return { columns, rows: values, examined, returned: rows.length, ...(explanation === undefined ? {} : { explanation }) }
  }
}

/** What is no number of rows must not pass as "all of them": an agent would read them all to its model. */
function direction(count: Readonly<Record<string, unknown>>): { direction: ScanDirection; limit: number | undefined } {
  const [given, ...others] = Object.entries(count)
  if (given === undefined) return { direction: 'ascending', limit: undefined }
  const [name, limit] = given
  const found = directions.get(name)
  if (found === undefined || others.length > 0) {
    throw new HostError('ERR_ARGUMENT_TYPE', `rows() takes one of latest, newest and oldest, and where; it got ${Object.keys(count).join(', ')}`)
  }
  if (!Number.isSafeInteger(limit) || Number(limit) < 0)
    throw new HostError('ERR_ARGUMENT_RANGE', `${name} is a number of rows, 0 or more, not ${String(limit)}`)
  return { direction: found, limit: Number(limit) }
}

function terms(access: TableAccess, where: Readonly<Record<string, unknown>>): ScanTerm[] {
  return Object.entries(where).map(([name, value]) => {
    const column = access.table.columns.find((one) => one.name === name)
    if (column === undefined) throw new HostError('ERR_ARGUMENT_TYPE', `${access.table.name} has no column ${name}`)
    return { column, operator: '=', value: toSqlValue(column.type, value, name) }
  })
}

function find(module: ActiveModule, name: string, kind: 'reducer' | 'query'): { module: ActiveModule; number: number; description: ReducerDescription } {
  const { reducers } = module.description
  const number = reducers.findIndex((reducer) => reducer.name === name)
  const description = reducers[number]
  if (description === undefined) {
    throw new HostError('ERR_REDUCER_UNKNOWN', `the module has no ${kind} ${name}; it has ${reducers.map((one) => one.name).join(', ')}`)
  }
  if (description.kind === 'init' || description.kind === 'hook') throw new HostError('ERR_REDUCER_HOST_ONLY', `only the host itself runs ${name}`)
  if (description.kind !== kind)
    throw new HostError('ERR_REDUCER_KIND', `${name} is a ${description.kind}: use ${description.kind === 'query' ? 'query()' : 'call()'}`)
  return { module, number, description }
}

function pack(module: ActiveModule, description: ReducerDescription, args: Arguments): Uint8Array {
  return packArguments(description, args, module.layouts, (_type, value) => value)
}

/** A call that ran before under its id has a result of the module that ran then. */
function unpackOutcome(database: Database, module: ActiveModule, description: ReducerDescription, { result, version }: CallResult): unknown {
  if (version === module.version) return unpack(module, description, result)
  const then = database.describeVersion(version)
  return unpack(then, then.description.reducers.find(({ name }) => name === description.name) ?? description, result)
}

function unpack(module: Pick<ActiveModule, 'layouts'>, description: ReducerDescription, result: Uint8Array): unknown {
  const reader = new PackedReader(result, 'ERR_RESULT_MALFORMED')
  const value = unpackValue(reader, description.result, module.layouts)
  reader.end()
  return value
}
