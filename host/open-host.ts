/**
 * The host in the caller's own process, for one's own trusted modules: the calling thread is the
 * shard, so a recall is a function call.
 *
 *   const host = await openHost({ data: './data' })
 *   const claims = await host.database('claims', { create: true })
 *   await claims.publish(readFileSync('claims.wasm'))            // what remembrancer build wrote
 *   const sarah = await claims.as({ subject: 'sarah' })
 *   await sarah.call('remember_turn', { content: 'Hello' })      // on disk when it resolves
 *   sarah.rows('turns', { latest: 20 })                          // microseconds
 *   await host.close()
 */
import { mkdirSync } from 'node:fs'

import { defaultTenant } from './api/ports.ts'
import { HostCatalogue } from './catalogue.ts'
import { formatTimestamp, systemClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { checkDatabaseName } from './database-name.ts'
import { HostError } from './errors.ts'
import { lanesOfShard } from './lane.ts'
import { LocalDatabase } from './local-database.ts'
import { logLimits } from './log-limits.ts'
import type { LogLimitOptions } from './log-limits.ts'
import { Gate } from './module/gate.ts'
import { prepareSandbox } from './module/sandbox-self-test.ts'
import type { LogEntry, Shard } from './protocol/shard-protocol.ts'
import { INSTANCE_MODES } from './sandbox/instance-mode.ts'
import type { InstanceMode } from './sandbox/instance-mode.ts'
import { loadParser } from './sql/parse-statement.ts'
import { ShardCore } from './shard/shard-core.ts'

export interface OpenHostOptions extends LogLimitOptions {
  /** The data folder; made when it is not there. No other host may have it open. */
  readonly data: string
  readonly clock?: Clock
  /** Whether each call gets a fresh instance of its module (when left out), or the one of the call before, reset. */
  readonly instances?: InstanceMode
  readonly onLog?: (database: string, entry: LogEntry) => void
}

/** @throws HostError ERR_FOLDER_LOCKED when another host has the folder open. */
export async function openHost(options: OpenHostOptions): Promise<LocalHost> {
  if (typeof options?.data !== 'string' || options.data === '')
    throw new HostError('ERR_ARGUMENT_TYPE', "openHost takes a folder: openHost({ data: './data' })")
  if (options.instances !== undefined && !INSTANCE_MODES.includes(options.instances))
    throw new HostError('ERR_ARGUMENT_TYPE', `instances is one of ${INSTANCE_MODES.join(', ')}`)
  await Promise.all([prepareSandbox('kept'), loadParser()])
  mkdirSync(options.data, { recursive: true, mode: 0o700 })
  return LocalHost.open(options)
}

export class LocalHost implements AsyncDisposable {
  readonly #catalogue: HostCatalogue
  readonly #core: ShardCore
  readonly #gate = new Gate()
  #isClosed = false

  private constructor({ data, clock = systemClock, instances = 'fresh', onLog, ...options }: OpenHostOptions) {
    const keep = logLimits(options)
    this.#catalogue = new HostCatalogue(data, clock, () => localShard(this.#core))
    const laneCount = this.#catalogue.laneCount(1)
    this.#core = new ShardCore({
      data,
      clock,
      instances,
      logLimits: keep,
      lanes: { count: laneCount, own: lanesOfShard(0, 1, laneCount) },
      onEvent: ({ database, entries }) => {
        for (const entry of entries) onLog?.(database, entry)
      },
    })
  }

  /** @throws HostError ERR_FOLDER_LOCKED */
  static async open(options: OpenHostOptions): Promise<LocalHost> {
    const host = new LocalHost(options)
    const { clock = systemClock, onLog } = options
    await host.#catalogue.finishDrops((name, error) => {
      const message = `what is left of the dropped database could not be removed: ${String(error)}`
      onLog?.(name, { seq: 0, at: formatTimestamp(clock.now()), level: 'error', reducer: '', message })
    })
    return host
  }

  /** @throws HostError ERR_DATABASE_NAME, ERR_DATABASE_UNKNOWN unless `create` is set, ERR_HOST_CLOSED. */
  async database(name: string, options: { readonly create?: boolean } = {}): Promise<LocalDatabase> {
    if (this.#isClosed) throw new HostError('ERR_HOST_CLOSED', 'this host is closed: open it anew')
    checkDatabaseName(name)
    if (this.#catalogue.database(name) === undefined) {
      if (options.create !== true) throw new HostError('ERR_DATABASE_UNKNOWN', `there is no database ${name} in this folder: make it with { create: true }`)
      await this.#catalogue.createDatabase(name, defaultTenant)
    }
    return new LocalDatabase(name, await this.#core.hold(name), this.#catalogue, this.#gate)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
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
