/**
 * Everything that a person can ask of a database in order to learn of another's rows: clients' SQL, host-side
 * reads, each use of a handle as a reducer has it, and the module's reducers with arguments that are theirs and the
 * other's. Each is asked as if it were the only one, at one moment, so that answers can be compared.
 */
import { packArguments } from '../api/pack-arguments.ts'
import { HostError } from '../errors.ts'
import { identityFromBytes } from '../identity.ts'
import { PackedWriter } from '../packed-bytes.ts'
import type { Layouts } from '../row-codec.ts'
import { indexColumns, keyColumns, keyOf, physicalColumns, storedIndexes } from '../plan/plan.ts'
import type { SqlRow, SqlValue } from '../plan/plan.ts'
import type { ActiveModule } from '../reducer/active-module.ts'
import { CallBudget } from '../reducer/call-budget.ts'
import type { Caller, CallMoment } from '../reducer/call-context.ts'
import type { Touched } from '../access-log/touched.ts'
import { recorded } from '../reducer/recorded.ts'
import { CallTable } from '../reducer/call-table.ts'
import type { Database } from '../reducer/database.ts'
import { RandomIds } from '../reducer/random-ids.ts'
import { CallOperations } from '../reducer/row-operations.ts'
import { runCall } from '../reducer/run-call.ts'
import { runSql } from '../reducer/run-sql.ts'
import type { ReducerDescription } from '../schema/description.ts'
import type { Column, Table } from '../schema/schema.ts'
import { packRow, packSqlValue, toValue } from '../storage/row-image.ts'
import { kindOf } from '../value-type.ts'
import type { ValueType } from '../value-type.ts'
import { canary } from './canaries.ts'
import type { Owner } from './canaries.ts'
import { contextOf, triedInBatch } from './trial.ts'

export type Channel = 'SQL' | 'rows' | 'get' | 'scan' | 'count' | 'insert' | 'update' | 'delete' | 'call'

export interface Question {
  /** A table, or a reducer as in `transfer()`. */
  readonly about: string
  readonly channel: Channel
  /** For people: the statement, or what is done with whose row. */
  readonly what: string
  /** Another table that has a part in it. */
  readonly from?: string
  /** Writes a row in which nobody but the other is named. */
  readonly isForgery?: boolean
  ask(): unknown
}

export interface Asker {
  readonly database: Database
  readonly module: ActiveModule
  readonly caller: Caller
  readonly self: Owner
  readonly other: Owner
  readonly moment: CallMoment
  /** The other's rows, whether they are stored or not: who asks may have guessed them. */
  readonly rows: ReadonlyMap<Table, readonly SqlRow[]>
}

export function questionsOf(asker: Asker): readonly Question[] {
  const tables = [...asker.module.tables.values()].map(({ table }) => table)
  return [
    ...tables.flatMap((table) => [...sqlQuestions(asker, table, tables), ...handleQuestions(asker, table)]),
    ...asker.module.description.reducers.flatMap((reducer, number) => callQuestions(asker, reducer, number)),
  ]
}

/** The answer, or what refused it, in a form that equal answers have in common. */
export function answerTo({ database }: Asker, question: Question): string {
  return plainJson(
    triedInBatch(database, () => {
      try {
        return { answer: question.ask() }
      } catch (error) {
        if (!(error instanceof HostError)) throw error
        return { code: error.code, message: error.message, detail: error.detail }
      }
    }),
  )
}

/** Equal for equal values: integers by their digits, bytes as hex. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, plain)
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  // What JSON makes of a Buffer before this sees it.
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data)
  return isBuffer ? Buffer.from(value.data as number[]).toString('hex') : value
}

// ---- SQL -------------------------------------------------------------------------------------------

function sqlQuestions({ database, module, caller, other }: Asker, table: Table, tables: readonly Table[]): readonly Question[] {
  const question = (sql: string, params: readonly unknown[] = [], from?: string): Question => ({
    about: table.name,
    ...(from === undefined || from === table.name ? {} : { from }),
    channel: 'SQL',
    what: sql,
    ask: () => runSql(database, module, { sql, params, caller, isExplained: true }),
  })
  const { name } = table
  const columns = table.columns.filter(({ type }) => type.scalar !== 'json')
  return [
    question(`SELECT * FROM ${name}`),
    question(`SELECT count(*) FROM ${name}`),
    ...columns.flatMap((column) => {
      const theirs = [valueOf(column.type, other)]
      const isNumber = kindOf[column.type.scalar] === 'integer' || kindOf[column.type.scalar] === 'float'
      return [
        question(`SELECT * FROM ${name} WHERE ${column.name} = $1`, theirs),
        question(`SELECT ${column.name}, count(*) FROM ${name} GROUP BY ${column.name} HAVING count(*) > 1`),
        question(`SELECT DISTINCT ${column.name} FROM ${name}`),
        question(`SELECT min(${column.name}), max(${column.name}), count(DISTINCT ${column.name}) FROM ${name}`),
        question(`SELECT ${column.name} FROM ${name} ORDER BY ${column.name} DESC LIMIT 1 OFFSET 1`),
        // The text or the time of an error would tell.
        question(`SELECT 1 / (CASE WHEN ${column.name} = $1 THEN 0 ELSE 1 END) FROM ${name}`, theirs),
        question(`SELECT count(*) FROM ${name} WHERE 1 / (CASE WHEN ${column.name} = $1 THEN 0 ELSE 1 END) = 1`, theirs),
        ...(isNumber ? [question(`SELECT sum(${column.name}), avg(${column.name}) FROM ${name}`)] : []),
      ]
    }),
    ...tables.flatMap((from) => joinsOf(table, from).map((sql) => question(sql, [], from.name))),
  ]
}

/** From rows of another table to this one's, by the columns that its indexes begin with. */
function joinsOf(table: Table, from: Table): readonly string[] {
  const firsts = new Set(
    [physicalColumns(table), ...storedIndexes(table).map((index) => indexColumns(table, index))].flatMap(([first]) => (first ? [first] : [])),
  )
  return [...firsts].flatMap((first) =>
    from.columns
      .filter(({ type }) => kindOf[type.scalar] === kindOf[first.type.scalar])
      .flatMap((column) => {
        const tied = `t.${first.name} = f.${column.name}`
        return [
          `SELECT count(*) FROM ${from.name} AS f JOIN ${table.name} AS t ON ${tied}`,
          `SELECT count(*) FROM ${from.name} AS f WHERE EXISTS (SELECT 1 FROM ${table.name} AS t WHERE ${tied})`,
          `SELECT count(*) FROM ${from.name} WHERE ${column.name} NOT IN (SELECT ${first.name} FROM ${table.name})`,
        ]
      }),
  )
}

// ---- handles ---------------------------------------------------------------------------------------

function handleQuestions(asker: Asker, table: Table): readonly Question[] {
  const { database, module, caller, self, other } = asker
  const theirs = asker.rows.get(table) ?? []
  const columns = table.columns
  const using = (channel: Channel, what: string, use: (handle: CallTable) => unknown, isForgery = false): Question => ({
    about: table.name,
    channel,
    what,
    isForgery,
    ask: () => withHandle(asker, table, use),
  })
  const access = database.access(module, table.name)
  const all = { direction: 'ascending', limit: undefined, terms: [] } as const
  const ofOther = table.owner === undefined ? [] : [{ column: table.owner, operator: '=' as const, value: other.identity }]
  const scans: readonly (readonly (readonly [Column, SqlValue])[])[] = [
    [],
    ...ofOther.map(({ column, value }) => [[column, value]] as const),
    ...storedIndexes(table).flatMap((index) => {
      const pairs = index.columns.map((column): readonly [Column, SqlValue] => [column, canary(other, column.type.scalar)])
      return [pairs.slice(0, 1), pairs, ...(table.owner === undefined ? [] : [[[table.owner, other.identity] as const, ...pairs.slice(0, 1)]])]
    }),
  ]
  return [
    { about: table.name, channel: 'rows', what: `rows('${table.name}')`, ask: () => database.rows(caller, access, all) },
    ...(ofOther.length === 0
      ? []
      : [
          {
            about: table.name,
            channel: 'rows' as const,
            what: `rows('${table.name}') of the other`,
            ask: () => database.rows(caller, access, { ...all, terms: ofOther }),
          },
        ]),
    ...scans.flatMap((terms) => {
      const named = terms.length === 0 ? 'all' : terms.map(([column]) => `${column.name} of the other`).join(', ')
      const bytes = (direction: number): Uint8Array => scanBytes(table, terms, direction)
      return [
        ...['ascending', 'descending', 'latest'].map((direction, number) => using('scan', `${named}, ${direction}`, (handle) => handle.scan(bytes(number)))),
        using('count', named, (handle) => handle.count(bytes(0))),
      ]
    }),
    ...theirs.flatMap((row, number) => {
      const mine = rowAs(table, row, (column) => (column === table.owner ? self.identity : undefined))
      const changed = rowAs(table, row, ({ type }) => (type.scalar === 'string' ? self.word : undefined))
      const isForged = columns.some(({ type }) => type.scalar === 'identity')
      const key = keyBytes(table, row)
      return [
        using('get', `the other's row ${number}`, (handle) => handle.get(key)),
        using('update', `the other's row ${number}`, (handle) => handle.update(rowBytes(table, changed))),
        using('delete', `the other's row ${number}`, (handle) => handle.delete(keysBytes(table, row))),
        using('insert', `what the other's row ${number} has, as one's own`, (handle) => handle.insert(rowBytes(table, withoutId(table, mine)))),
        using('insert', `what the other's row ${number} has, in their name`, (handle) => handle.insert(rowBytes(table, withoutId(table, row))), isForged),
      ]
    }),
  ]
}

/** One table as a reducer with a Writer has it, outside of every reducer that policies name. */
function withHandle(asker: Asker, table: Table, use: (handle: CallTable) => unknown): unknown {
  const { database, module, caller, moment } = asker
  return recorded(database, module, { event: 'rows', name: table.name, caller, timestamp: moment.timestamp }, (touched) =>
    handled(asker, { table, touched }, use),
  )
}

function handled(
  { database, module, caller, moment }: Asker,
  { table, touched }: { table: Table; touched: Touched },
  use: (handle: CallTable) => unknown,
): unknown {
  const operations = new CallOperations(database.file, database.operations, database.limits.rowOperations)
  const scope = {
    policy: contextOf(caller),
    touched,
    operations,
    nextIds: database.nextIds,
    randomIds: new RandomIds(moment.seed),
    budget: new CallBudget(database.limits),
    writer: new PackedWriter(),
  }
  try {
    const given = use(new CallTable(database.access(module, table.name), 'write', scope))
    return { given: given instanceof Uint8Array ? Buffer.from(given) : given, changed: operations.all.map(({ kind }) => kind) }
  } finally {
    operations.undo()
    database.nextIds.giveBack()
  }
}

function rowAs(table: Table, row: SqlRow, change: (column: Column) => SqlValue | undefined): SqlRow {
  return table.columns.map((column, index) => change(column) ?? row[index] ?? null)
}

/** The host counts it. */
function withoutId(table: Table, row: SqlRow): SqlRow {
  return rowAs(table, row, (column) => (table.autoIncrement && column === table.key ? 0n : undefined))
}

function rowBytes(table: Table, row: SqlRow): Uint8Array {
  const writer = new PackedWriter()
  writer.u32(1)
  packRow(writer, table.columns, row)
  return writer.toBytes()
}

function keyBytes(table: Table, row: SqlRow): Uint8Array {
  const writer = new PackedWriter()
  const values = keyOf(table, row)
  for (const [index, column] of keyColumns(table).entries()) packSqlValue(writer, column.type, values[index] ?? null)
  return writer.toBytes()
}

/** A list of keys, of one. */
function keysBytes(table: Table, row: SqlRow): Uint8Array {
  return Buffer.concat([Uint8Array.of(1, 0, 0, 0), keyBytes(table, row)])
}

const equals = 1
const noLimit = 0xffff_ffff

function scanBytes(table: Table, terms: readonly (readonly [Column, SqlValue])[], direction: number): Uint8Array {
  const writer = new PackedWriter()
  writer.u8(direction)
  writer.u32(noLimit)
  writer.u8(terms.length)
  for (const [column, value] of terms) {
    writer.u16(table.columns.indexOf(column))
    writer.u8(equals)
    packSqlValue(writer, column.type, value)
  }
  return writer.toBytes()
}

// ---- reducers and queries --------------------------------------------------------------------------

/** Each parameter is one's own or the other's: so many ways at most, which is all of them for four parameters. */
const waysMax = 16

function callQuestions({ database, module, caller, moment, self, other }: Asker, reducer: ReducerDescription, number: number): readonly Question[] {
  if (reducer.kind !== 'reducer' && reducer.kind !== 'query') return []
  const ways = Math.min(waysMax, 2 ** reducer.params.length)
  return Array.from({ length: ways }, (_unused, way): Question => {
    const isTheirs = (index: number): boolean => ((way >> (index % Math.log2(waysMax))) & 1) === 1
    const values = reducer.params.map(({ type }, index) => argument(module.layouts, type, isTheirs(index) ? other : self))
    const shown = reducer.params.map(({ name }, index) => (isTheirs(index) ? `${name} of the other` : name)).join(', ')
    return {
      about: `${reducer.name}()`,
      channel: 'call',
      what: `${reducer.name}(${shown})`,
      ask: () => {
        database.takeLog()
        const args = packArguments(reducer, values, module.layouts, (_type, value) => value)
        const outcome = attempt(() => runCall(database, module, { reducer: number, caller, args, moment }))
        return { ...outcome, log: database.takeLog() }
      },
    }
  })
}

function attempt(call: () => ReturnType<typeof runCall>): object {
  try {
    const { result, fuel, operations } = call()
    return { result: Buffer.from(result), fuel, operations: operations.map(({ writer, ...images }) => ({ table: writer.table.name, ...images })) }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return { code: error.code, message: error.message, detail: error.detail }
  }
}

function argument(layouts: Layouts, type: ValueType, owner: Owner): unknown {
  switch (type.kind) {
    case 'void':
      return undefined
    case 'scalar':
      return valueOf(type, owner)
    case 'array':
      return [argument(layouts, type.element, owner)]
    case 'row':
      return Object.fromEntries(layouts.rowFields(type.table).map((field) => [field.name, argument(layouts, field.type, owner)]))
    case 'record':
      return Object.fromEntries(layouts.recordFields(type.record).map((field) => [field.name, argument(layouts, field.type, owner)]))
  }
}

/** As JavaScript has it. */
function valueOf({ scalar }: Extract<ValueType, { kind: 'scalar' }>, owner: Owner): unknown {
  return toValue(scalar, canary(owner, scalar), { bytes: owner.identity, text: identityFromBytes(owner.identity) })
}
