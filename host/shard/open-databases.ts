/**
 * The databases that a shard has open: each is opened at its first use, and closed again when too many
 * are open, it was used the longest ago, and nobody uses it. Opening, closing and dropping one
 * database never overlap, so its file has one connection and its counters one owner.
 */
import type { AccessLog } from '../access-log/access-log.ts'
import { HostError } from '../errors.ts'
import type { Database } from '../reducer/database.ts'
import type { StateFile } from '../storage/state-file.ts'
import type { CallQueue } from './call-queue.ts'
import type { Upkeep } from './upkeep.ts'

export interface OpenDatabase {
  readonly database: Database
  /** The log of its lane, which has its records too. */
  readonly access: AccessLog
  readonly state: StateFile
  readonly queue: CallQueue
  readonly upkeep: Upkeep
  /** Hands over what was logged outside batches: by queries and publishes of this process. */
  readonly showLog: () => void
}

export interface OpenDatabasesOptions {
  /** Makes the database when a tenant is named whose it is to be. */
  readonly open: (name: string, tenant: string | undefined) => Promise<OpenDatabase>
  readonly openMax: number
}

interface Entry {
  readonly opening: Promise<OpenDatabase>
  /** Requests that run or wait in it. */
  uses: number
  /** Somebody in this process keeps it. */
  isHeld: boolean
  onUnused: () => void
}

export class OpenDatabases {
  readonly #options: OpenDatabasesOptions
  /** In order of last use, the most recent last. */
  readonly #entries = new Map<string, Entry>()
  /** What must end before the name can be opened again. */
  readonly #closing = new Map<string, Promise<void>>()
  #isClosed = false

  constructor(options: OpenDatabasesOptions) {
    this.#options = options
  }

  /** Runs `work` with the database, which stays open until the work ends. */
  async use<T>(name: string, work: (open: OpenDatabase) => T | Promise<T>, tenant?: string): Promise<T> {
    const entry = await this.#enter(name, tenant)
    try {
      return await work(await entry.opening)
    } finally {
      entry.uses--
      if (entry.uses === 0) entry.onUnused()
      this.#closeUnused()
    }
  }

  /** As `use`, for upkeep of the host's own: a database that was closed is closed again, unless somebody came meanwhile. */
  async visit<T>(name: string, work: (open: OpenDatabase) => T | Promise<T>): Promise<T> {
    const wasOpen = this.#entries.has(name)
    const entry = await this.#enter(name, undefined)
    try {
      return await work(await entry.opening)
    } finally {
      entry.uses--
      if (entry.uses === 0) entry.onUnused()
      if (!wasOpen && entry.uses === 0 && !entry.isHeld && this.#entries.get(name) === entry) await this.close(name)
    }
  }

  /** The database, open until it is closed by name or with all others. */
  async hold(name: string): Promise<OpenDatabase> {
    const entry = await this.#enter(name, undefined)
    entry.isHeld = true
    entry.uses--
    return entry.opening
  }

  /** Closes it after everything that was taken; `afterwards` runs before anybody can open it again. */
  async close(name: string, afterwards: () => void | Promise<void> = () => undefined): Promise<void> {
    // The entry goes before anything is awaited, so that nobody can enter what is being closed.
    const entry = this.#entries.get(name)
    this.#entries.delete(name)
    const closing = this.#finish(entry, this.#closing.get(name)).then(afterwards)
    const settled = closing.catch(() => undefined)
    this.#closing.set(name, settled)
    try {
      await closing
    } finally {
      if (this.#closing.get(name) === settled) this.#closing.delete(name)
    }
  }

  /** Closes everything; what comes later is refused. */
  async closeAll(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#entries.keys()].map((name) => this.close(name)))
  }

  async #enter(name: string, tenant: string | undefined): Promise<Entry> {
    // Nothing is awaited between the last look and the entry: a closing that began then would be missed.
    for (let closing = this.#closing.get(name); closing !== undefined; closing = this.#closing.get(name)) await closing
    if (this.#isClosed) throw new HostError('ERR_HOST_CLOSED', 'the host is stopping: nothing was done')
    const entry = this.#entries.get(name) ?? this.#opened(name, tenant)
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    entry.uses++
    return entry
  }

  #opened(name: string, tenant: string | undefined): Entry {
    const entry: Entry = { opening: this.#options.open(name, tenant), uses: 0, isHeld: false, onUnused: () => undefined }
    entry.opening.catch(() => {
      if (this.#entries.get(name) === entry) this.#entries.delete(name)
    })
    return entry
  }

  async #finish(entry: Entry | undefined, earlier: Promise<void> | undefined): Promise<void> {
    await earlier
    if (entry === undefined) return
    if (entry.uses > 0) await new Promise<void>((resolve) => (entry.onUnused = resolve))
    const open = await entry.opening.catch(() => undefined)
    if (open === undefined) return
    await open.queue.close()
    open.upkeep.stop()
    open.database.close()
    await open.state.close()
  }

  #closeUnused(): void {
    for (const [name, entry] of this.#entries) {
      if (this.#entries.size <= this.#options.openMax) return
      // Closing reads and writes what an opening would; its failure shows at the next one.
      if (entry.uses === 0 && !entry.isHeld) this.close(name).catch(() => undefined)
    }
  }
}
