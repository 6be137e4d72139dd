/**
 * The host in the caller's own process, for one's own trusted modules: the calling thread is the
 * shard, so a recall is a function call.
 *
 *   const host = await openHost({ data: './data' })
 *   const claims = await host.database('claims')
 *   const sarah = await claims.as({ subject: 'sarah' })
 *   await sarah.call('remember_turn', { content: 'Hello' })      // on disk when it resolves
 *   sarah.rows('turns', { latest: 20 })                          // microseconds
 *   await host.close()
 */
import { mkdirSync } from 'node:fs'

import { checkClaims } from './auth/claims.ts'
import { checkLoginPart } from './auth/login.ts'
import { HostCatalogue } from './catalogue.ts'
import { defaultTenant } from './api/ports.ts'
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { HostError } from './errors.ts'
import { identityFromBytes, identityToBytes, parseIdentity } from './identity.ts'
import type { Assurance, Identity, Login } from './identity.ts'
import { Gate } from './module/gate.ts'
import type { ScanDirection } from './plan/scan.ts'
import type { LogEntry, PublishReport, Shard } from './protocol/shard-protocol.ts'
import type { ActiveModule, GuestRunner } from './reducer/active-module.ts'
import { publish } from './publish/publish.ts'
import type { Caller } from './reducer/call-context.ts'
import { runCall } from './reducer/run-call.ts'
import type { CallResult } from './reducer/run-call.ts'
import type { TableAccess } from './reducer/table-access.ts'
import { PackedReader, packValue, PackedWriter, unpackValue } from './row-codec.ts'
import type { ReducerDescription } from './schema/description.ts'
import { ShardCore } from './shard/shard-core.ts'
import type { OpenDatabase } from './shard/open-databases.ts'
import type { RowObject } from './storage/row-image.ts'
import { toSqlValue } from './storage/row-image.ts'
import type { ValueType } from './value-type.ts'

export interface OpenHostOptions {
  /** The data folder; made when it is not there. No other host may have it open. */
  readonly data: string
  readonly clock?: Clock
  readonly onLog?: (database: string, entry: LogEntry) => void
}

/** @throws HostError ERR_FOLDER_LOCKED when another host has the folder open. */
export async function openHost(options: OpenHostOptions): Promise<LocalHost> {
  mkdirSync(options.data, { recursive: true, mode: 0o700 })
  return new LocalHost(options)
}

export class LocalHost implements AsyncDisposable {
  readonly #core: ShardCore
  readonly #catalogue: HostCatalogue
  readonly #gate = new Gate()

  constructor({ data, clock = systemClock, onLog }: OpenHostOptions) {
    this.#core = new ShardCore({
      data,
      clock,
      onEvent: ({ database, entries }) => {
        for (const entry of entries) onLog?.(database, entry)
      },
    })
    this.#catalogue = new HostCatalogue(data, clock, () => localShard(this.#core))
  }

  /** @throws HostError ERR_DATABASE_UNKNOWN unless `create` is set. */
  async database(name: string, options: { readonly create?: boolean } = {}): Promise<LocalDatabase> {
    if (this.#catalogue.database(name) === undefined) {
      if (options.create !== true) throw new HostError('ERR_DATABASE_UNKNOWN', `there is no database ${name} in this folder`)
      await this.#catalogue.createDatabase(name, defaultTenant)
    }
    return new LocalDatabase(name, await this.#core.hold(name), this.#catalogue, this.#gate)
  }

  async close(): Promise<void> {
    await this.#gate.close()
    await this.#core.close()
    this.#catalogue.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function localShard(core: ShardCore): Shard {
  return {
    send: async (database, method, head, body = new Uint8Array(0)) => {
      const answer = await core.handle(database, method, head, body)
      return { head: answer.head, body: answer.body ?? new Uint8Array(0) }
    },
    close: () => core.close(),
  }
}

export interface LocalPublishOptions {
  /** Another implementation of the world than the sandbox, to compare the two. */
  readonly compile?: (core: Uint8Array) => Promise<GuestRunner>
}

/** One database in this process. */
export class LocalDatabase {
  readonly name: string
  readonly #open: OpenDatabase
  readonly #catalogue: HostCatalogue
  readonly #gate: Gate

  constructor(name: string, open: OpenDatabase, catalogue: HostCatalogue, gate: Gate) {
    this.name = name
    this.#open = open
    this.#catalogue = catalogue
    this.#gate = gate
  }

  /** Publishes a component, through the same gate as over HTTP. */
  async publish(component: Uint8Array, options: LocalPublishOptions = {}): Promise<PublishReport> {
    const { core, description, componentHash, timings } = await this.#gate.check(component)
    const request = { core, description, hash: componentHash, publishedBy: 'process', isDryRun: false, ...options }
    try {
      const report = await publish(this.#open.database, request)
      this.#catalogue.noteModule(this.name, report.module, report.version)
      return { ...report, timings: { ...timings, ...report.timings } }
    } finally {
      this.#open.showLog()
    }
  }

  /**
   * Somebody to call as: a login (its issuer is this database when left out), minted at first sight,
   * or an identity. `actor` acts in the sender's name.
   */
  async as(sender: Identity | { readonly issuer?: string; readonly subject: string }, options: SenderOptions = {}): Promise<Sender> {
    checkClaims(options.claims ?? {})
    const identity = await this.#identify(sender)
    const actor = options.actor === undefined ? identity : await this.#identify(options.actor)
    return new Sender(this.#open, { sender: identity, actor, assurance: options.assurance ?? 'none', channel: 'process', claims: options.claims ?? {} })
  }

  async #identify(who: Identity | { readonly issuer?: string; readonly subject: string }): Promise<Uint8Array> {
    if (typeof who === 'string') return identityToBytes(parseIdentity(who))
    const { database, queue } = this.#open
    const login = this.#login(who)
    return queue.run(() => database.directory.identify(login))
  }

  /** `login` becomes the same person as `to`. */
  link(login: { readonly issuer?: string; readonly subject: string }, to: { readonly issuer?: string; readonly subject: string }): Identity {
    return this.#open.database.directory.link(this.#login(login), this.#login(to), 'process')
  }

  unlink(login: { readonly issuer?: string; readonly subject: string }): Identity {
    return this.#open.database.directory.unlink(this.#login(login), 'process')
  }

  #login({ issuer, subject }: { readonly issuer?: string; readonly subject: string }): Login {
    return {
      issuer: checkLoginPart('an issuer', issuer ?? this.#open.database.keyRing.issuer),
      subject: checkLoginPart('a subject', subject),
    }
  }
}

export interface SenderOptions {
  readonly actor?: Identity | { readonly issuer?: string; readonly subject: string }
  readonly claims?: Readonly<Record<string, string>>
  /** How far the caller of this process has proven the sender to be who they say; `none` when left out. */
  readonly assurance?: Assurance
}

export type Arguments = Readonly<Record<string, unknown>> | readonly unknown[]

/** Which rows of a table: the last or the first so many, or those that terms on indexed columns name. */
export interface RowsOptions {
  readonly latest?: number
  readonly oldest?: number
  readonly newest?: number
  readonly where?: Readonly<Record<string, unknown>>
}

/** A database as one identity sees it. */
export class Sender {
  readonly identity: Identity
  readonly #open: OpenDatabase
  readonly #caller: Caller

  constructor(open: OpenDatabase, caller: Caller) {
    this.#open = open
    this.#caller = caller
    this.identity = identityFromBytes(caller.sender)
  }

  /** Runs a reducer; resolves with its result when everything it did is on disk. */
  async call(reducer: string, args: Arguments = []): Promise<unknown> {
    return (await this.callWithOperations(reducer, args)).result
  }

  /** The same, with the row operations the call left. */
  async callWithOperations(reducer: string, args: Arguments = []): Promise<{ result: unknown; operations: CallResult['operations'] }> {
    const { database, queue } = this.#open
    // Packed inside the batch, so that no publish comes between and changes what the bytes mean.
    return queue.run(() => {
      const module = database.requireModule()
      const number = reducerNumber(module, reducer, 'reducer')
      const { result, operations } = runCall(database, module, { reducer: number, caller: this.#caller, args: packArguments(module, number, args) })
      return { result: unpackResult(module, number, result), operations }
    })
  }

  /** Runs a query at once, on what is committed. */
  query(name: string, args: Arguments = []): unknown {
    const { database, showLog } = this.#open
    const module = database.requireModule()
    const number = reducerNumber(module, name, 'query')
    const packed = packArguments(module, number, args)
    try {
      const { result } = runCall(database, module, { reducer: number, caller: this.#caller, args: packed })
      return unpackResult(module, number, result)
    } finally {
      showLog()
    }
  }

  /**
   * Rows of a table that this identity may read, without guest code.
   *
   * @throws HostError ERR_TABLE_UNKNOWN, ERR_NO_INDEX.
   */
  rows(table: string, { latest, oldest, newest, where }: RowsOptions = {}): RowObject[] {
    const { database } = this.#open
    const access = database.requireModule().tables.get(table)
    if (access === undefined) throw new HostError('ERR_TABLE_UNKNOWN', `the module has no table ${table}`)
    const direction: ScanDirection = latest !== undefined ? 'latest' : newest !== undefined ? 'descending' : 'ascending'
    return database.rows(this.identity, access, { direction, limit: latest ?? newest ?? oldest, terms: terms(access, where ?? {}) })
  }
}

function terms(
  access: TableAccess,
  where: Readonly<Record<string, unknown>>,
): { column: TableAccess['table']['key']; operator: '='; value: ReturnType<typeof toSqlValue> }[] {
  return Object.entries(where).map(([name, value]) => {
    const column = access.table.columns.find((one) => one.name === name)
    if (column === undefined) throw new HostError('ERR_ARGUMENT_TYPE', `${access.table.name} has no column ${name}`)
    return { column, operator: '=', value: toSqlValue(column.type, value, name) }
  })
}

function reducerNumber(module: ActiveModule, name: string, kind: 'reducer' | 'query'): number {
  const number = module.description.reducers.findIndex((reducer) => reducer.name === name)
  const found = module.description.reducers[number]
  if (found === undefined)
    throw new HostError('ERR_REDUCER_UNKNOWN', `the module has no ${kind} ${name}; it has ${module.description.reducers.map((one) => one.name).join(', ')}`)
  if (found.kind === 'init' || found.kind === 'hook') throw new HostError('ERR_REDUCER_HOST_ONLY', `only the host itself runs ${name}`)
  if (found.kind !== kind) throw new HostError('ERR_REDUCER_KIND', `${name} is a ${found.kind}: use ${found.kind === 'query' ? 'query()' : 'call()'}`)
  return number
}

function packArguments(module: ActiveModule, number: number, args: Arguments): Uint8Array {
  const reducer = module.description.reducers[number] as ReducerDescription
  const named = positional(reducer, args)
  const writer = new PackedWriter()
  for (const { name, type } of reducer.params) packValue(writer, type, named.get(name), module.layouts, `${reducer.name}(${name})`)
  writer.finish()
  return writer.view()
}

function positional({ name, params }: ReducerDescription, args: Arguments): ReadonlyMap<string, unknown> {
  const named = new Map(Array.isArray(args) ? args.map((value, index) => [params[index]?.name ?? `argument ${index + 1}`, value]) : Object.entries(args))
  const unknown = [...named.keys()].filter((key) => !params.some((param) => param.name === key))
  const missing = params.filter((param) => !named.has(param.name) && (Array.isArray(args) || !isNullable(param.type))).map((param) => param.name)
  if (unknown.length > 0 || missing.length > 0) {
    const problem = unknown.length > 0 ? `it got ${unknown.join(', ')}` : `${missing.join(', ')} is missing`
    throw new HostError(
      'ERR_ARGUMENT_COUNT',
      `${name} takes ${params.length === 0 ? 'no arguments' : params.map((param) => param.name).join(', ')}; ${problem}`,
    )
  }
  return named
}

function isNullable(type: ValueType): boolean {
  return type.kind !== 'array' && type.kind !== 'void' && type.nullable
}

function unpackResult(module: ActiveModule, number: number, result: Uint8Array): unknown {
  const reader = new PackedReader(result, 'ERR_RESULT_MALFORMED')
  const reducer = module.description.reducers[number] as ReducerDescription
  const value = unpackValue(reader, reducer.result, module.layouts)
  reader.end()
  return value
}
