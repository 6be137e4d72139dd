/**
 * One lane of a host: a commit log that this thread holds, and the group of databases that commit through
 * it. It knows what the log has of each database, so that one is opened at the end of its history.
 */
import type { AccessLog } from '../access-log/access-log.ts'
import * as limits from '../limits.ts'
import type { CommitLog, LogTenure } from '../log/commit-log.ts'
import { historyOf, recordsAfter } from '../storage/log-history.ts'
import type { History } from '../storage/open-state.ts'
import type { CallQueue } from './call-queue.ts'
import { CommitGroup } from './commit-group.ts'
import type { Retention } from './retention.ts'

export interface LaneParts {
  readonly log: CommitLog
  /** Its access log, once the commit log is held: that is the lock of both. */
  readonly openAccess: () => Promise<AccessLog>
  readonly retention: Retention
  /** Lets the access log forget what is old enough. */
  readonly forgetAccess: (access: AccessLog) => Promise<void>
}

export class Lane {
  readonly log: CommitLog
  readonly access: AccessLog
  readonly group: CommitGroup
  readonly #tenure: LogTenure
  readonly #retention: Retention
  readonly #forgetAccess: LaneParts['forgetAccess']
  readonly #timer: NodeJS.Timeout

  private constructor({ log, retention, forgetAccess }: LaneParts, tenure: LogTenure, access: AccessLog) {
    this.log = log
    this.access = access
    this.#tenure = tenure
    this.#retention = retention
    this.#forgetAccess = forgetAccess
    this.group = new CommitGroup(log, tenure.epoch, access, {
      catchUp: (queue) => this.#catchUp(queue),
      onAppended: (sizeBytes) => retention.noteAppended(sizeBytes),
    })
    this.#timer = setInterval(() => void this.#upkeep(), limits.laneUpkeepTimeMs).unref()
  }

  /** @throws HostError ERR_FOLDER_LOCKED, ERR_STORAGE, ERR_LOG_DAMAGED */
  static async open(parts: LaneParts): Promise<Lane> {
    const tenure = await parts.log.acquire()
    try {
      return new Lane(parts, tenure, await parts.openAccess())
    } catch (error) {
      await parts.log.release()
      throw error
    }
  }

  /** What is wrong with the bytes of the log. */
  get damage(): LogTenure['damage'] {
    return this.#tenure.damage
  }

  history(database: Uint8Array): History {
    return historyOf(this.log, this.#tenure.damage, database)
  }

  /** Brings a database whose rows did not follow to where the log is. */
  async #catchUp({ database }: CallQueue): Promise<void> {
    await database.catchUp((after) => recordsAfter(this.log, database.uid, after))
  }

  /** What can wait. A log that somebody else has taken says so at the next append. */
  async #upkeep(): Promise<void> {
    await this.log.heartbeat().catch(() => undefined)
    await this.access.heartbeat().catch(() => undefined)
    await this.#forgetAccess(this.access).catch(() => undefined)
    await this.#retention.look()
  }

  async stopUpkeep(): Promise<void> {
    clearInterval(this.#timer)
    await this.#retention.stop()
  }

  async close(): Promise<void> {
    try {
      await this.access.close()
    } finally {
      await this.log.release()
    }
  }
}
