/**
 * The history of a data folder, read beside its host or without one: log segments, snapshots and the notes of
 * which folder is which database. No lock is taken, nothing is written, and no file is touched that SQLite may
 * have open.
 *
 *   calls.ts    finds calls in it        replay.ts   runs them again
 *   check.ts    looks at all of it, and at the files that only somebody with the folder's lock may open
 */
import type { Micros } from '../clock.ts'
import { HostError } from '../errors.ts'
import type { LogDamage } from '../log/commit-log.ts'
import { LogView } from '../log/log-view.ts'
import type { LoggedRecord } from '../log/record.ts'
import { databaseFolder, databaseFolders, laneFolder, laneFolders } from '../storage/data-folder.ts'
import { readDatabaseNote } from '../storage/database-note.ts'
import { firstKept, historyOf, recordsAfter } from '../storage/log-history.ts'
import type { History } from '../storage/open-state.ts'
import { Snapshots } from '../storage/snapshots.ts'
import type { DatabaseId } from '../storage/system-tables.ts'

export interface LaneHistory {
  readonly lane: number
  readonly log: LogView
}

export class FolderHistory {
  readonly data: string
  readonly lanes: readonly LaneHistory[]

  private constructor(data: string, lanes: readonly LaneHistory[]) {
    this.data = data
    this.lanes = lanes
  }

  /** @throws HostError ERR_LOG_DAMAGED for a log of a later version, and what the files throw. */
  static open(data: string, now: Micros): FolderHistory {
    return new FolderHistory(
      data,
      laneFolders(data).map((lane) => ({ lane, log: LogView.open(laneFolder(data, lane), now) })),
    )
  }

  /** @throws HostError ERR_DATABASE_UNKNOWN, ERR_STORAGE when its folder does not say which database it is. */
  database(name: string): DatabaseHistory {
    const found = this.find(name)
    if (found !== undefined) return found
    const names = databaseFolders(this.data)
    if (names.includes(name)) throw new HostError('ERR_STORAGE', `the note of which database ${name} is, database.json, is lost: restore it from a backup`)
    const others = names.length === 0 ? 'there is none in it' : `it has ${names.slice(0, 10).join(', ')}`
    throw new HostError('ERR_DATABASE_UNKNOWN', `there is no database ${name} in this data folder: ${others}`)
  }

  /** Undefined without a folder or its note. @throws HostError ERR_STORAGE for a note that is damaged. */
  find(name: string): DatabaseHistory | undefined {
    const folder = databaseFolder(this.data, name)
    const id = readDatabaseNote(folder)
    return id && new DatabaseHistory({ name, folder, id, lane: this.#laneOf(id.uid) })
  }

  /** The lane that has records of the database; the first one when none has. */
  #laneOf(uid: Uint8Array): LaneHistory | undefined {
    return this.lanes.find(({ log }) => firstKept(log, uid) !== undefined) ?? this.lanes[0]
  }
}

interface Place {
  readonly name: string
  readonly folder: string
  readonly id: DatabaseId
  readonly lane: LaneHistory | undefined
}

export class DatabaseHistory {
  readonly name: string
  readonly folder: string
  readonly id: DatabaseId
  /** Undefined in a folder without a log. */
  readonly lane: number | undefined
  readonly snapshots: Snapshots
  readonly #log: LogView | undefined

  constructor({ name, folder, id, lane }: Place) {
    this.name = name
    this.folder = folder
    this.id = id
    this.lane = lane?.lane
    this.snapshots = new Snapshots(folder)
    this.#log = lane?.log
  }

  /** The positions of the records that the log has, or undefined when it has none. */
  get range(): { readonly first: bigint; readonly last: bigint } | undefined {
    const first = this.#log && firstKept(this.#log, this.id.uid)
    const last = this.inLog.head?.position
    return first === undefined || last === undefined ? undefined : { first, last }
  }

  /** As opening a state file asks for it. */
  get inLog(): History {
    if (this.#log === undefined) return { head: undefined, hasLostRecords: false, read: nothing }
    return historyOf(this.#log, this.damage, this.id.uid)
  }

  /** What is wrong with the ends of the log's segments. */
  get damage(): readonly LogDamage[] {
    return this.#log?.damage ?? []
  }

  /** Its records from this position on, one after the other; those that are damaged are left out. */
  async *records(from = 1n): AsyncGenerator<LoggedRecord> {
    if (this.#log === undefined) return
    for await (const chunk of recordsAfter(this.#log, this.id.uid, from - 1n)) {
      for (const record of chunk) if (record.head.position >= from) yield record
    }
  }
}

async function* nothing(): AsyncIterable<readonly LoggedRecord[]> {}
