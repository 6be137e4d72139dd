/**
 * Lets the log of one lane forget its oldest segments: those that are too old, and those past its size. Never one
 * with a record that is in no snapshot: each database of a segment that is to go has one that is as new, or gets
 * it, or was dropped. A database that cannot have one keeps the segment, and everybody is told.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

import type { Clock, Micros } from '../clock.ts'
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import type { LogLimits } from '../log-limits.ts'
import type { CommitLog, LogHead, LogSegment } from '../log/commit-log.ts'
import { readDatabaseNote } from '../storage/database-note.ts'
import { hexOf } from '../storage/log-history.ts'
import { isIntact, Snapshots } from '../storage/snapshots.ts'
import type { DatabaseId } from '../storage/system-tables.ts'

/** The databases of the lane, as far as their folders tell. */
export interface LaneDatabases {
  names(): readonly string[]
  folder(name: string): string
  /**
   * Makes a snapshot at the end of its history, and leaves it open or closed as it was. Does nothing while its
   * file is behind the log.
   */
  snapshot(name: string): Promise<void>
}

export interface RetentionOptions {
  readonly log: CommitLog
  /** What this lane may keep. */
  readonly keep: LogLimits
  readonly clock: Clock
  readonly databases: LaneDatabases
  /** Why a database keeps the log from forgetting. */
  readonly onPinned: (database: string, message: string) => void
}

export class Retention {
  readonly #options: RetentionOptions
  readonly #lookAfterBytes: number
  #appendedBytes = 0
  #looking: Promise<void> | undefined
  #isWanted = false
  #isStopped = false
  /** Folders by the uid in their notes; the same in two of them is a copy that somebody made. */
  #names: ReadonlyMap<string, readonly string[]> | undefined
  readonly #erased = new Set<string>()
  /** Snapshots whose bytes were looked at. */
  readonly #intact = new Set<string>()
  readonly #pinning = new Set<string>()

  constructor(options: RetentionOptions) {
    this.#options = options
    this.#lookAfterBytes = Math.min(limits.logSegmentBytes, options.keep.sizeBytesMax / 4)
  }

  /** After an append: by now a segment may have been sealed. */
  noteAppended(sizeBytes: number): void {
    this.#appendedBytes += sizeBytes
    if (this.#appendedBytes >= this.#lookAfterBytes) void this.look()
  }

  /** Forgets what can be forgotten now. A disk that fails is no matter here: the log only keeps more than it should. */
  look(): Promise<void> {
    this.#isWanted = true
    this.#looking ??= this.#lookWhileWanted().finally(() => (this.#looking = undefined))
    return this.#looking
  }

  /** The log grows while snapshots are made. */
  async #lookWhileWanted(): Promise<void> {
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false
      this.#appendedBytes = 0
      await this.#forget().catch(() => undefined)
    }
  }

  /** When it resolves nothing of the lane is touched any more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#looking
  }

  async #forget(): Promise<void> {
    const { log, keep, clock } = this.#options
    const segments = log.segments()
    let before: bigint | undefined
    this.#names = undefined
    for (const segment of segments.slice(0, countToForget(segments, keep, clock.now()))) {
      if (!(await this.#isCovered(segment))) break
      before = segment.lastSequence + 1n
    }
    if (before !== undefined && !this.#isStopped) await log.trim(before)
  }

  async #isCovered({ heads, firstSequence, lastSequence }: LogSegment): Promise<boolean> {
    // Its header is lost, and whose records it has is known to nobody: that is for an operator to decide.
    if (heads.size === 0 && lastSequence >= firstSequence) return false
    for (const [uid, head] of heads) {
      if (this.#isStopped) return false
      if (!(await this.#isKept(uid, head))) return false
    }
    return true
  }

  /** Whether what the database did up to this record is safe without the log, or is to be forgotten. */
  async #isKept(uid: string, head: LogHead): Promise<boolean> {
    if (this.#erased.has(uid)) return true
    const names = (await this.#namesByUid()).get(uid)
    if (names === undefined) return this.#isErased(uid, head)
    for (const name of names) if (!(await this.#hasSnapshot(name, head.position))) return false
    return true
  }

  async #hasSnapshot(name: string, position: bigint): Promise<boolean> {
    // Dropped a moment ago: the next look finds it erased.
    if (this.#noteOf(name) === undefined) return false
    let failure: unknown = 'its file is behind the log, or its snapshot is damaged'
    try {
      if (await this.#isDurable(name, position)) return true
      await this.#options.databases.snapshot(name)
      if (await this.#isDurable(name, position)) return true
    } catch (error) {
      failure = error
    }
    this.#pin(name, failure instanceof HostError ? failure.message : String(failure))
    return false
  }

  async #isDurable(name: string, position: bigint): Promise<boolean> {
    const snapshots = new Snapshots(this.#options.databases.folder(name))
    const [newest] = snapshots.list()
    if (newest === undefined || newest.position < position) return false
    const known = `${newest.path} ${newest.sum}`
    if (this.#intact.has(known) || (await isIntact(newest))) {
      this.#intact.add(known)
      this.#pinning.delete(name)
      return true
    }
    // Whoever needs it would find it damaged: in its place a new one is made.
    snapshots.remove(newest)
    return false
  }

  #pin(name: string, why: string): void {
    if (this.#pinning.has(name)) return
    this.#pinning.add(name)
    this.#options.onPinned(name, `the log cannot forget what is old, since there is no snapshot of this database: ${why}`)
  }

  /** A drop has erased its payloads before its folder went; a folder that is merely lost may come back. */
  async #isErased(uid: string, { firstSequence }: LogHead): Promise<boolean> {
    for await (const [record] of this.#options.log.read(firstSequence, { database: Buffer.from(uid, 'hex') })) {
      if (record?.isErased === true) this.#erased.add(uid)
      break
    }
    return this.#erased.has(uid)
  }

  /** Undefined where it is missing or damaged: nobody is taken for that database then. */
  #noteOf(name: string): DatabaseId | undefined {
    try {
      return readDatabaseNote(this.#options.databases.folder(name))
    } catch (error) {
      if (error instanceof HostError) return undefined
      throw error
    }
  }

  async #namesByUid(): Promise<ReadonlyMap<string, readonly string[]>> {
    if (this.#names !== undefined) return this.#names
    const { databases } = this.#options
    const found = new Map<string, string[]>()
    for (const [index, name] of databases.names().entries()) {
      if (index % 64 === 63) await nextTurn()
      const id = this.#noteOf(name)
      if (id === undefined) continue
      const uid = hexOf(id.uid)
      found.set(uid, [...(found.get(uid) ?? []), name])
    }
    this.#names = found
    return found
  }
}

/** How many of the oldest segments are past the age or the size that is to be kept. The last one always stays. */
export function countToForget(segments: readonly LogSegment[], { sizeBytesMax, ageSecondsMax }: LogLimits, now: Micros): number {
  let sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
  let count = 0
  for (const segment of segments) {
    if (segment.sealedAt === undefined) break
    const isOld = now - segment.sealedAt > BigInt(ageSecondsMax) * 1_000_000n
    if (!isOld && sizeBytes <= sizeBytesMax) break
    sizeBytes -= segment.sizeBytes
    count++
  }
  return count
}
