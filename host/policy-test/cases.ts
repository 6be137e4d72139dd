/**
 * The cases of a sheet, held against a database: the calls that come before are made and stay, and then each
 * case is asked for itself. Who sees rows is asked of SQL, of a count, and row by row as a reducer would.
 */
import { HostError } from '../errors.ts'
import { identityToBytes } from '../identity.ts'
import type { LocalDatabase } from '../local-database.ts'
import { keyColumns } from '../plan/plan.ts'
import type { SqlRow } from '../plan/plan.ts'
import { fromJson, toJson } from '../protocol/json-values.ts'
import type { ActiveModule } from '../reducer/active-module.ts'
import type { Caller } from '../reducer/call-context.ts'
import { runCall } from '../reducer/run-call.ts'
import { recorded } from '../reducer/recorded.ts'
import { runSql } from '../reducer/run-sql.ts'
import { packArguments } from '../api/pack-arguments.ts'
import { PackedReader } from '../packed-bytes.ts'
import { unpackValue } from '../row-codec.ts'
import type { ReducerDescription } from '../schema/description.ts'
import type { OpenDatabase } from '../shard/open-databases.ts'
import type { Problem } from './pipe-tables.ts'
import { withNamesInSql } from './sheet.ts'
import type { Case, Given, Outcome, Person, Sheet } from './sheet.ts'
import { contextOf, tried, withoutPolicies } from './trial.ts'
import type { Written, WrittenCall } from './written-call.ts'

export interface CaseResult {
  readonly line: number
  readonly column: number
  readonly person: string
  /** What was asked, as the sheet has it. */
  readonly what: string
  /** What the sheet expects, and what there is. */
  readonly expected: string
  readonly found: string
  readonly holds: boolean
}

/** A sheet that cannot be held against this module, and where. */
export class SheetError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

/** Everybody of a sheet in a database, and what its calls gave. */
export class World {
  readonly #open: OpenDatabase
  readonly #module: ActiveModule
  readonly #everything: ActiveModule
  readonly #callers: ReadonlyMap<string, Caller>
  /** In JSON's form, as arguments and parameters take them. */
  readonly #named = new Map<string, unknown>()

  private constructor(open: OpenDatabase, callers: ReadonlyMap<string, Caller>) {
    this.#open = open
    this.#module = open.database.requireModule()
    this.#everything = withoutPolicies(open.database, this.#module)
    this.#callers = callers
    for (const [name, { sender }] of callers) this.#named.set(name, Buffer.from(sender).toString('hex'))
  }

  /** @throws SheetError */
  static async open(database: LocalDatabase, open: OpenDatabase, { people, given }: Sheet): Promise<World> {
    const callers = new Map<string, Caller>()
    for (const person of people) callers.set(person.name, await callerOf(database, person, people))
    const world = new World(open, callers)
    for (const one of given) await world.#make(one)
    return world
  }

  async #make({ who, call, text, keptAs, line, column }: Given): Promise<void> {
    try {
      const result = await this.#open.queue.run(() => this.#call(who, call))
      if (keptAs !== undefined) this.#named.set(keptAs, result)
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      throw new SheetError({ line, column, message: `${text}, called by ${who} before the cases, ended with ${error.code}: ${error.message}` })
    }
  }

  async result(one: Case): Promise<CaseResult> {
    const { line, column, person, expected } = one
    const about = { line, column, person, expected }
    if (one.kind === 'call') {
      const found = await tried(this.#open, () => this.#outcome(one.person, one.call, one.outcome))
      return { ...about, what: one.text, ...found }
    }
    const { table, where, sight } = one
    const what = where.text === '' ? table.text : `${table.text} where ${where.text}`
    const { seen, all, disagreement } = this.#sight(person, one)
    const found = disagreement ?? (all === 0 ? 'there is no such row at all' : `${seen} of ${all}`)
    const wanted = sight === 'yes' ? all : sight === 'no' ? 0 : sight
    // That nobody sees a row which is not there says nothing.
    return { ...about, what, found, holds: disagreement === undefined && all > 0 && seen === wanted }
  }

  #sight(person: string, { table, where, line }: Extract<Case, { kind: 'rows' }>): { seen: number; all: number; disagreement: string | undefined } {
    const access = this.#module.tables.get(table.text)
    if (access === undefined)
      throw new SheetError({ ...table, message: `the module has no table ${table.text}; it has ${[...this.#module.tables.keys()].join(', ')}` })
    const { text, params } = this.#where(where.text)
    const condition = text === '' ? '' : ` WHERE ${text}`
    const ask = (module: ActiveModule, list: string): readonly SqlRow[] => {
      try {
        return runSql(this.#open.database, module, { sql: `SELECT ${list} FROM ${table.text}${condition}`, params, caller: this.#caller(person) }).rows
      } catch (error) {
        if (error instanceof HostError) throw new SheetError({ line, column: where.column, message: `${error.code} ${error.message}` })
        throw error
      }
    }
    this.#open.queue.requireReadable()
    const keys = keyColumns(access.table)
      .map(({ name }) => name)
      .join(', ')
    const [all, seen] = [ask(this.#everything, keys), ask(this.#module, keys)]
    const counted = Number(ask(this.#module, 'count(*)')[0]?.[0])
    const caller = this.#caller(person)
    const work = { event: 'rows', name: access.table.name, caller, timestamp: this.#open.database.callTime() } as const
    const got = recorded(this.#open.database, this.#module, work, (touched) => {
      const scope = { policy: contextOf(caller), touched }
      return all.filter((key) => access.get(key, scope) !== undefined).length
    })
    const isOne = counted === seen.length && got === seen.length
    const disagreement = isOne ? undefined : `${seen.length} of ${all.length} by SELECT, ${counted} by count, ${got} by key: this is a bug of the host`
    return { seen: seen.length, all: all.length, disagreement }
  }

  /** Each of its names becomes a parameter. */
  #where(text: string): { readonly text: string; readonly params: readonly unknown[] } {
    const params: unknown[] = []
    const replaced = withNamesInSql(text, (name) => `$${params.push(this.#named.get(name))}`)
    return { text: replaced, params }
  }

  #outcome(who: string, call: WrittenCall, expected: Outcome): { found: string; holds: boolean } {
    const { description } = this.#find(call.name)
    try {
      const result = this.#call(who, call)
      const found = result === undefined ? 'ok' : JSON.stringify(result)
      switch (expected.kind) {
        case 'ok':
          return { found, holds: true }
        case 'error':
          return { found, holds: false }
        case 'rows':
          return { found: Array.isArray(result) ? `${result.length} rows` : found, holds: Array.isArray(result) && result.length === expected.count }
        case 'value': {
          const wanted = fromJson(description.result, this.#value(expected.value), this.#module.layouts, 'the expected result')
          return { found, holds: found === JSON.stringify(toJson(description.result, wanted, this.#module.layouts)) }
        }
      }
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      return { found: `${error.code}: ${error.message}`, holds: expected.kind === 'error' && error.code === expected.code }
    }
  }

  /** In a batch; the result in JSON's form. */
  #call(who: string, { name, args }: WrittenCall): unknown {
    const { number, description } = this.#find(name)
    const packed = packArguments(
      description,
      args.map((one) => this.#value(one)),
      this.#module.layouts,
    )
    const { result } = runCall(this.#open.database, this.#module, { reducer: number, caller: this.#caller(who), args: packed })
    const reader = new PackedReader(result, 'ERR_RESULT_MALFORMED')
    const value = unpackValue(reader, description.result, this.#module.layouts)
    reader.end()
    return toJson(description.result, value, this.#module.layouts)
  }

  #find(name: string): { readonly number: number; readonly description: ReducerDescription } {
    const callable = this.#module.description.reducers.filter(({ kind }) => kind === 'reducer' || kind === 'query')
    const description = callable.find((one) => one.name === name)
    if (description !== undefined) return { number: this.#module.description.reducers.indexOf(description), description }
    throw new HostError('ERR_REDUCER_UNKNOWN', `the module has no reducer or query ${name}; it has ${callable.map((one) => one.name).join(', ')}`)
  }

  /** The sheet has checked that there is what it names. */
  #value(written: Written): unknown {
    switch (written.kind) {
      case 'value':
        return written.value
      case 'name':
        return this.#named.get(written.name)
      case 'list':
        return written.items.map((item) => this.#value(item))
      case 'object':
        return Object.fromEntries(written.fields.map(([name, value]) => [name, this.#value(value)]))
    }
  }

  #caller(name: string): Caller {
    const caller = this.#callers.get(name)
    if (caller === undefined) throw new Error('the sheet has checked who there is')
    return caller
  }
}

async function callerOf(database: LocalDatabase, person: Person, people: readonly Person[]): Promise<Caller> {
  const actor = people.find(({ name }) => name === person.actor)
  const identify = async ({ login }: Person): Promise<Uint8Array> => identityToBytes((await database.as({ subject: login })).identity)
  const sender = await identify(person)
  return { sender, actor: actor === undefined ? sender : await identify(actor), assurance: person.assurance, channel: 'process', claims: person.claims }
}
