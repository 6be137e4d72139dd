/**
 * What a shard does, whatever thread it is on: it owns its databases' files and all guest code, and
 * answers the methods of the door (protocol/shard-protocol.ts).
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { mintDatabaseToken } from '../auth/mint-token.ts'
import { issuerState, removeKey, rotateKeys } from '../auth/signing-key.ts'
import { formatTimestamp } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { assert, HostError } from '../errors.ts'
import { identityFromBytes } from '../identity.ts'
import * as limits from '../limits.ts'
import type { DatabaseState, LogEntry, ShardAnswer, ShardEvent, ShardMethod, ShardRequest } from '../protocol/shard-protocol.ts'
import { publish, resume } from '../publish/publish.ts'
import { Database } from '../reducer/database.ts'
import { runCall } from '../reducer/run-call.ts'
import { CallQueue } from './call-queue.ts'

export interface ShardCoreOptions {
  /** The host's data folder. */
  readonly data: string
  readonly clock: Clock
  readonly onEvent: (event: ShardEvent) => void
}

interface Answer<M extends ShardMethod> {
  readonly head: ShardAnswer<M>
  readonly body?: Uint8Array
}

type Methods = {
  [M in ShardMethod]: (database: string, head: ShardRequest<M>, body: Uint8Array) => Promise<Answer<M>>
}

export interface OpenDatabase {
  readonly database: Database
  readonly queue: CallQueue
}

export class ShardCore {
  readonly #options: ShardCoreOptions
  /** In order of last use, the most recent last. */
  readonly #open = new Map<string, Promise<OpenDatabase>>()
  #logSeq = 0

  constructor(options: ShardCoreOptions) {
    this.#options = options
  }

  async handle<M extends ShardMethod>(database: string, method: M, head: ShardRequest<M>, body: Uint8Array): Promise<Answer<M>> {
    return this.#methods[method](database, head, body)
  }

  /** The open database with this name, opened if need be. */
  async database(name: string, create = false): Promise<OpenDatabase> {
    const known = this.#open.get(name)
    this.#open.delete(name)
    const opening = known ?? this.#openDatabase(name, create)
    this.#open.set(name, opening)
    try {
      return await opening
    } catch (error) {
      if (this.#open.get(name) === opening) this.#open.delete(name)
      throw error
    } finally {
      await this.#closeIdle()
    }
  }

  async close(): Promise<void> {
    for (const name of this.#open.keys()) await this.#close(name)
  }

  readonly #methods: Methods = {
    open: async (name, { create }) => {
      const { database } = await this.database(name, create)
      return { head: stateOf(database) }
    },
    close: async (name) => {
      await this.#close(name)
      return { head: {} }
    },
    drop: async (name) => {
      await this.#close(name)
      rmSync(folderOf(this.#options.data, name), { recursive: true, force: true })
      return { head: {} }
    },
    publish: async (name, { hash, coreSizeBytes, publishedBy, dryRun }, body) => {
      const { database } = await this.database(name)
      const core = body.slice(0, coreSizeBytes)
      const head = await publish(database, { hash, core, description: body.slice(coreSizeBytes), publishedBy, isDryRun: dryRun })
      this.#showLog(name, database)
      return { head }
    },
    describe: async (name) => {
      const { module } = (await this.database(name)).database
      return { head: { version: module?.version ?? 0, hash: module?.hash ?? '' }, body: module?.descriptionBytes ?? new Uint8Array(0) }
    },
    call: async (name, { reducer, kind, version, caller }, body) => {
      const { database, queue } = await this.database(name)
      const { result } = await queue.run(() => {
        const module = database.requireModule()
        if (module.version !== version)
          throw new HostError('ERR_BUSY', 'the module was published anew meanwhile: try again', { detail: { version: module.version } })
        assert(module.description.reducers[reducer]?.kind === kind, 'the API checked the kind of the reducer')
        return runCall(database, module, { reducer, caller: database.caller(caller), args: body })
      })
      return { head: { version }, body: result }
    },
    identify: async (name, { login }) => {
      const { database, queue } = await this.database(name)
      const identity = await queue.run(() => database.directory.identify(login))
      return { head: { identity: identityFromBytes(identity) } }
    },
    identities: async (name) => ({ head: { identities: (await this.database(name)).database.directory.list() } }),
    link: async (name, { login, to, by }) => ({ head: { identity: (await this.database(name)).database.directory.link(login, to, by) } }),
    unlink: async (name, { login, by }) => ({ head: { identity: (await this.database(name)).database.directory.unlink(login, by) } }),
    token: async (name, request) => {
      const { database } = await this.database(name)
      return { head: { token: await mintDatabaseToken(database.keyRing, request, this.#options.clock) } }
    },
    rotateKey: async (name) => {
      const { database } = await this.database(name)
      database.setKeyRing(rotateKeys(database.keyRing))
      return { head: issuerState(database.keyRing) }
    },
    removeKey: async (name, { kid }) => {
      const { database } = await this.database(name)
      database.setKeyRing(removeKey(database.keyRing, kid))
      return { head: issuerState(database.keyRing) }
    },
  }

  async #openDatabase(name: string, create: boolean): Promise<OpenDatabase> {
    const folder = folderOf(this.#options.data, name)
    if (create) mkdirSync(folder, { recursive: true })
    const database = new Database({ path: join(folder, 'state.sqlite'), create, clock: this.#options.clock })
    try {
      await resume(database)
    } catch (error) {
      database.close()
      throw error
    }
    return { database, queue: new CallQueue(database, () => this.#showLog(name, database)) }
  }

  async #close(name: string): Promise<void> {
    const open = this.#open.get(name)
    this.#open.delete(name)
    if (open === undefined) return
    const { database, queue } = await open
    await queue.close()
    database.file.checkpoint(true)
    database.close()
  }

  /** Closes the databases that nobody used for longest, when more are open than should be. */
  async #closeIdle(): Promise<void> {
    for (const [name, opening] of this.#open) {
      if (this.#open.size <= limits.databasesOpenMax) return
      if ((await opening).queue.isEmpty) await this.#close(name)
    }
  }

  #showLog(name: string, database: Database): void {
    const lines = database.takeLog()
    if (lines.length === 0) return
    const at = formatTimestamp(this.#options.clock.now())
    const entries = lines.map((line): LogEntry => ({ seq: ++this.#logSeq, at, ...line }))
    this.#options.onEvent({ kind: 'log', database: name, entries })
  }
}

function folderOf(data: string, name: string): string {
  return join(data, 'databases', name)
}

function stateOf(database: Database): DatabaseState {
  return { version: database.module?.version ?? 0, hash: database.module?.hash ?? '', issuer: issuerState(database.keyRing) }
}
