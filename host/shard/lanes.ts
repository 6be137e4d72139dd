/** The lanes of one shard, each opened at its first use. */
import type { AccessLog } from '../access-log/access-log.ts'
import { HostError } from '../errors.ts'
import { laneOf } from '../lane.ts'
import type { CommitLog } from '../log/commit-log.ts'
import { Lane } from './lane.ts'
import type { Retention } from './retention.ts'
import type { ShardLanes } from './shard-core.ts'

export interface LanesOptions {
  readonly lanes: ShardLanes
  readonly openLog: (lane: number) => CommitLog
  readonly openAccess: (lane: number) => Promise<AccessLog>
  readonly forgetAccess: (access: AccessLog) => Promise<void>
  readonly retentionOf: (lane: number, log: CommitLog) => Retention
}

export class Lanes {
  readonly #options: LanesOptions
  readonly #open = new Map<number, Promise<Lane>>()

  constructor(options: LanesOptions) {
    this.#options = options
  }

  /** @throws HostError ERR_FOLDER_LOCKED, ERR_STORAGE, ERR_LOG_DAMAGED when the lane's log cannot be taken. */
  async of(database: string): Promise<Lane> {
    const { lanes } = this.#options
    const number = laneOf(database, lanes.count)
    if (!lanes.own.includes(number)) throw new HostError('ERR_INTERNAL', `database ${database} belongs to another shard`)
    return this.#lane(number)
  }

  /** Those that have a log already: they are read before anybody asks. Why one cannot be had is told to whoever asks. */
  async openThose(numbers: readonly number[]): Promise<void> {
    const own = numbers.filter((number) => this.#options.lanes.own.includes(number))
    await Promise.allSettled(own.map((number) => this.#lane(number)))
  }

  #lane(number: number): Promise<Lane> {
    const { openLog, openAccess, forgetAccess, retentionOf } = this.#options
    const known = this.#open.get(number)
    if (known !== undefined) return known
    const log = openLog(number)
    const opening = Lane.open({ log, openAccess: () => openAccess(number), retention: retentionOf(number, log), forgetAccess })
    this.#open.set(number, opening)
    // One that could not be had is tried again by whoever comes next.
    opening.catch(() => this.#open.delete(number))
    return opening
  }

  /** Afterwards no lane opens a database by itself. */
  async stopUpkeep(): Promise<void> {
    await this.#each((lane) => lane.stopUpkeep())
  }

  async close(): Promise<void> {
    await this.#each((lane) => lane.close())
    this.#open.clear()
  }

  async #each(work: (lane: Lane) => Promise<void>): Promise<void> {
    for (const opening of this.#open.values()) {
      const lane = await opening.catch(() => undefined)
      if (lane !== undefined) await work(lane)
    }
  }
}
