/**
 * What the API remembers of databases so that a call does not cross the shard door twice: who issues
 * their tokens, and what runs in them. Both are copies; the database's file is the truth. A copy of an
 * issuer is renewed by whoever changes its keys; a copy of a module goes stale by any publish, which
 * the shard tells the caller who packed for the older version.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { LruMap } from '../lru-map.ts'
import type { IssuerState, Shard } from '../protocol/shard-protocol.ts'
import type { Layouts } from '../row-codec.ts'
import { parseDescription } from '../schema/description.ts'
import type { ModuleDescription, ReducerDescription } from '../schema/description.ts'
import { layoutsOf } from '../schema/schema.ts'

export interface RunningModule {
  readonly version: number
  readonly hash: string
  readonly description: ModuleDescription
  readonly layouts: Layouts
  /** By name, with the number a call names it by. */
  readonly reducers: ReadonlyMap<string, NumberedReducer>
}

export interface NumberedReducer extends ReducerDescription {
  readonly number: number
}

export class DatabaseFacts {
  readonly #shardOf: (database: string) => Shard
  /** Promises, so that many callers at once ask the shard once. */
  readonly #issuers = new LruMap<string, Promise<IssuerState>>(limits.issuersCachedMax)
  readonly #modules = new LruMap<string, Promise<RunningModule>>(limits.modulesCachedMax)

  constructor(shardOf: (database: string) => Shard) {
    this.#shardOf = shardOf
  }

  /** Who issues the tokens of a database. */
  issuer(database: string): Promise<IssuerState> {
    return remember(this.#issuers, database, async () => {
      const { head } = await this.#shardOf(database).send(database, 'open', { create: false })
      return head.issuer
    })
  }

  /** After a key came or went. */
  setIssuer(database: string, issuer: IssuerState): void {
    this.#issuers.set(database, Promise.resolve(issuer))
  }

  /** @throws HostError ERR_MODULE_MISSING before the first publish. */
  module(database: string): Promise<RunningModule> {
    return remember(this.#modules, database, async () => {
      const { head, body } = await this.#shardOf(database).send(database, 'describe', {})
      if (body.length === 0) {
        throw new HostError('ERR_MODULE_MISSING', `nothing was published to ${database} yet: remembrancer publish`)
      }
      return runningModule(head.version, head.hash, body)
    })
  }

  /** What runs now, when what ran was `stale`. */
  async moduleAfter(database: string, stale: RunningModule): Promise<RunningModule> {
    const current = await this.module(database)
    if (current !== stale) return current
    this.#modules.delete(database)
    return this.module(database)
  }

  forgetModule(database: string): void {
    this.#modules.delete(database)
  }

  forget(database: string): void {
    this.#issuers.delete(database)
    this.#modules.delete(database)
  }
}

export function runningModule(version: number, hash: string, bytes: Uint8Array): RunningModule {
  const description = parseDescription(bytes)
  const reducers = new Map(description.reducers.map((reducer, number) => [reducer.name, { ...reducer, number }]))
  return { version, hash, description, layouts: layoutsOf(description), reducers }
}

/** A failure is not remembered. */
async function remember<T>(known: LruMap<string, Promise<T>>, key: string, fetch: () => Promise<T>): Promise<T> {
  const earlier = known.get(key)
  if (earlier !== undefined) return earlier
  const fetching = fetch()
  known.set(key, fetching)
  try {
    return await fetching
  } catch (error) {
    if (known.get(key) === fetching) known.delete(key)
    throw error
  }
}
