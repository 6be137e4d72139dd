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
import type { InstanceMode } from '../sandbox/instance-mode.ts'
import { CallQueue } from './call-queue.ts'
import { OpenDatabases } from './open-databases.ts'
import type { OpenDatabase } from './open-databases.ts'

export interface ShardCoreOptions {
  /** The host's data folder. */
  readonly data: string
  readonly clock: Clock
  readonly onEvent: (event: ShardEvent) => void
  /** `fresh` when left out. */
  readonly instances?: InstanceMode
  /** `limits.databasesOpenMax` when left out. */
  readonly databasesOpenMax?: number
}

interface Answer<M extends ShardMethod> {
  readonly head: ShardAnswer<M>
  readonly body?: Uint8Array
}

type Methods = {
  [M in ShardMethod]: (database: string, head: ShardRequest<M>, body: Uint8Array) => Promise<Answer<M>>
}

export class ShardCore {
  readonly #options: ShardCoreOptions
  readonly #databases: OpenDatabases
  #logSeq = 0

  constructor(options: ShardCoreOptions) {
    this.#options = options
    this.#databases = new OpenDatabases({
      open: (name, create) => this.#openDatabase(name, create),
      openMax: options.databasesOpenMax ?? limits.databasesOpenMax,
    })
  }

  async handle<M extends ShardMethod>(database: string, method: M, head: ShardRequest<M>, body: Uint8Array): Promise<Answer<M>> {
    return this.#methods[method](database, head, body)
  }

  /** The database for somebody in this process who keeps it. */
  hold(name: string): Promise<OpenDatabase> {
    return this.#databases.hold(name)
  }

  /** Ends after what was taken; what comes later is refused. */
  close(): Promise<void> {
    return this.#databases.closeAll()
  }

  readonly #methods: Methods = {
    open: (name, { create }) => this.#databases.use(name, ({ database }) => ({ head: stateOf(database) }), create),
    close: async (name) => {
      await this.#databases.close(name)
      return { head: {} }
    },
    drop: async (name) => {
      await this.#databases.close(name, () => rmSync(folderOf(this.#options.data, name), { recursive: true, force: true }))
      return { head: {} }
    },
    publish: (name, { hash, coreSizeBytes, publishedBy, dryRun }, body) =>
      this.#databases.use(name, async ({ database, showLog }) => {
        const core = body.slice(0, coreSizeBytes)
        try {
          return { head: await publish(database, { hash, core, description: body.slice(coreSizeBytes), publishedBy, isDryRun: dryRun }) }
        } finally {
          showLog()
        }
      }),
    describe: (name) =>
      this.#databases.use(name, ({ database: { module } }) => ({
        head: { version: module?.version ?? 0, hash: module?.hash ?? '' },
        body: module?.descriptionBytes ?? new Uint8Array(0),
      })),
    call: (name, head, body) => this.#databases.use(name, (open) => call(open, head, body)),
    identify: (name, { login }) =>
      this.#databases.use(name, async ({ database, queue }) => {
        const identity = await queue.run(() => database.directory.identify(login))
        return { head: { identity: identityFromBytes(identity) } }
      }),
    identities: (name) => this.#databases.use(name, ({ database }) => ({ head: { identities: database.directory.list() } })),
    link: (name, { login, to, by }) => this.#databases.use(name, ({ database }) => ({ head: { identity: database.directory.link(login, to, by) } })),
    unlink: (name, { login, by }) => this.#databases.use(name, ({ database }) => ({ head: { identity: database.directory.unlink(login, by) } })),
    token: (name, request) =>
      this.#databases.use(name, async ({ database }) => ({ head: { token: await mintDatabaseToken(database.keyRing, request, this.#options.clock) } })),
    rotateKey: (name) =>
      this.#databases.use(name, ({ database }) => {
        database.setKeyRing(rotateKeys(database.keyRing))
        return { head: issuerState(database.keyRing) }
      }),
    limits: (name, { change }) =>
      this.#databases.use(name, ({ database }) => {
        if (Object.keys(change).length > 0) database.setLimits(change)
        return { head: database.limits }
      }),
    removeKey: (name, { kid }) =>
      this.#databases.use(name, ({ database }) => {
        database.setKeyRing(removeKey(database.keyRing, kid))
        return { head: issuerState(database.keyRing) }
      }),
  }

  async #openDatabase(name: string, create: boolean): Promise<OpenDatabase> {
    const folder = folderOf(this.#options.data, name)
    if (create) mkdirSync(folder, { recursive: true })
    const { clock, instances = 'fresh' } = this.#options
    const database = new Database({ path: join(folder, 'state.sqlite'), create, clock, instances })
    try {
      await resume(database)
    } catch (error) {
      database.close()
      throw error
    }
    const showLog = (): void => this.#showLog(name, database)
    return { database, queue: new CallQueue(database, showLog), showLog }
  }

  #showLog(name: string, database: Database): void {
    const lines = database.takeLog()
    if (lines.length === 0) return
    const at = formatTimestamp(this.#options.clock.now())
    const entries = lines.map((line): LogEntry => ({ seq: ++this.#logSeq, at, ...line }))
    this.#options.onEvent({ kind: 'log', database: name, entries })
  }
}

async function call({ database, queue }: OpenDatabase, { reducer, kind, version, caller }: ShardRequest<'call'>, args: Uint8Array): Promise<Answer<'call'>> {
  const { result } = await queue.run(() => {
    const module = database.requireModule()
    if (module.version !== version) {
      throw new HostError('ERR_BUSY', 'the module was published anew meanwhile: try again', { detail: { version: module.version } })
    }
    assert(module.description.reducers[reducer]?.kind === kind, 'the API checked the kind of the reducer')
    return runCall(database, module, { reducer, caller: database.caller(caller), args })
  })
  return { head: { version }, body: result }
}

function folderOf(data: string, name: string): string {
  return join(data, 'databases', name)
}

function stateOf(database: Database): DatabaseState {
  return { version: database.module?.version ?? 0, hash: database.module?.hash ?? '', issuer: issuerState(database.keyRing) }
}
