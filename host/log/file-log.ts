/**
 * The commit log of a host in a folder of its own (docs/log-format.md): one write and one sync a batch, in the
 * thread that asks.
 *
 * Whatever ends a segment is one step, `#startSegment`: the header of the next one, under its name on the disk
 * whole or not at all, says where the one before it ends. A full segment, a new tenure, a release, and a batch
 * that must never be read back are all that step.
 */
import { randomBytes } from 'node:crypto'

import type { Clock } from '../clock.ts'
import { assert } from '../errors.ts'
import type { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import type { AppendOutcome, CommitLog, LogDamage, LogSegment, LogTenure } from './commit-log.ts'
import { begunErasures, Erasure } from './erasure.ts'
import { HeadTable } from './head-table.ts'
import { findLog } from './find-log.ts'
import { asFailure, fenced, guarded, storageError, unknownOutcome } from './log-errors.ts'
import { systemFiles } from './log-files.ts'
import type { LogFiles } from './log-files.ts'
import { LogFolder } from './log-folder.ts'
import { LogReader } from './log-reader.ts'
import type { LogPlace, SegmentToRead } from './log-reader.ts'
import type { RecordBatch } from './record-batch.ts'
import type { LoggedRecord } from './record.ts'
import { Reserve } from './reserve.ts'
import { readSegmentHeader } from './segment-header.ts'
import { ActiveSegment, parseSegmentName, previousOf } from './segment.ts'
import type { SealedSegment } from './segment.ts'

export interface FileLogOptions {
  /** Made when it is not there. Nothing else belongs into it. */
  readonly folder: string
  /** Takes the folder for this process and gives what lets it go. @throws HostError ERR_FOLDER_LOCKED */
  readonly lock: (folder: string) => Disposable
  readonly clock: Clock
  readonly files?: LogFiles
  /** A segment takes records until it is so large. */
  readonly segmentSizeBytes?: number
}

/** What is there from acquire to release. */
interface Held {
  readonly lock: Disposable
  readonly epoch: bigint
  /** Oldest first, none of them empty. */
  readonly sealed: SealedSegment[]
  active: ActiveSegment
  /** The active segment may hold what must not be read back, or may not be the last one on the disk. */
  isBroken: boolean
}

export class FileLog implements CommitLog {
  readonly #folder: LogFolder
  readonly #lock: (folder: string) => Disposable
  readonly #clock: Clock
  readonly #segmentSizeBytes: number
  readonly #reserve: Reserve
  readonly #reader: LogReader
  /** Undefined before acquire, after release, and once somebody else has the log. */
  #held: Held | undefined

  constructor({ folder, lock, clock, files = systemFiles, segmentSizeBytes = limits.logSegmentBytes }: FileLogOptions) {
    this.#folder = new LogFolder(files, folder)
    this.#lock = lock
    this.#clock = clock
    this.#segmentSizeBytes = segmentSizeBytes
    this.#reserve = new Reserve(this.#folder, Math.min(limits.logReserveBytes, segmentSizeBytes))
    this.#reader = new LogReader(this.#folder)
  }

  async acquire(): Promise<LogTenure> {
    return guarded(() => {
      this.#folder.make()
      const lock = this.#lock(this.#folder.path)
      try {
        return this.#take(lock)
      } catch (error) {
        this.#held?.active.abandon()
        this.#held = undefined
        lock[Symbol.dispose]()
        throw error
      }
    })
  }

  async heartbeat(): Promise<void> {
    guarded(() => this.#assertOurs(this.#tenure()))
    this.#reserve.keep()
  }

  append(batch: RecordBatch, done: (outcome: AppendOutcome) => void): void {
    done(this.#appended(batch))
  }

  async *read(from: bigint, { database }: { readonly database?: Uint8Array } = {}): AsyncGenerator<readonly LoggedRecord[]> {
    const filter = { from, database: database && hexOf(database) }
    try {
      yield* this.#reader.chunks(this.#all(this.#tenure()), filter)
    } catch (error) {
      throw storageError(error)
    }
  }

  /**
   * As `read`, without waiting for anybody, from where an earlier reading ended; `end` is where this one does. A
   * segment that is trimmed meanwhile is left out.
   */
  readNow(from: bigint, database: Uint8Array, place: LogPlace | undefined): { readonly records: Generator<LoggedRecord>; readonly end: LogPlace } {
    const { sealed, active } = this.#tenure()
    const view = active.view()
    const end = { segment: view.name, offset: view.endOffset, sequence: view.nextSequence }
    return { records: this.#reader.records([...sealed, view], { from, database: hexOf(database) }, place), end }
  }

  async check(): Promise<readonly LogDamage[]> {
    const { sealed, active } = this.#tenure()
    try {
      // The table of heads goes on with the segment, and a check takes its time.
      return await this.#reader.damages([...sealed, { ...active.view(), heads: new HeadTable(active.heads.copy()) }])
    } catch (error) {
      throw storageError(error)
    }
  }

  segments(): readonly LogSegment[] {
    const held = this.#tenure()
    return this.#all(held).map((segment, index) => ({
      file: segment.name,
      sizeBytes: segment.endOffset,
      firstSequence: segment.firstSequence,
      lastSequence: segment.nextSequence - 1n,
      sealedAt: held.sealed[index]?.sealedAt,
      heads: segment.heads.copy(),
    }))
  }

  async trim(before: bigint): Promise<void> {
    guarded(() => {
      const { sealed } = this.#tenure()
      for (let oldest = sealed[0]; oldest !== undefined && oldest.nextSequence <= before; oldest = sealed[0]) {
        this.#folder.remove(oldest.name)
        // One after the other: of several names that go at once a power loss may bring back any, and leave a hole.
        this.#folder.sync()
        sealed.shift()
      }
    })
  }

  async erase(database: Uint8Array): Promise<void> {
    guarded(() => this.#erase(hexOf(database)))
  }

  async release(): Promise<void> {
    const held = this.#held
    if (held === undefined) return
    try {
      // So the next holder need not read the last segment, and can tell a damage from a torn end.
      if (held.isBroken || !held.active.isEmpty) this.#startSegment(held)
    } catch {
      // The log is as after a kill, which is no less good.
    }
    // Somebody else may have taken it.
    if (this.#held === undefined) return
    this.#held = undefined
    held.active.close()
    held.lock[Symbol.dispose]()
  }

  #take(lock: Disposable): LogTenure {
    const found = findLog(this.#folder, this.#clock.now())
    for (const name of found.leftovers) this.#folder.remove(name)
    const epoch = found.epoch + 1n
    const sealed = [...found.segments]
    const active = this.#createSegment(epoch, found.nextSequence, sealed.at(-1))
    const held: Held = { lock, epoch, sealed, active, isBroken: false }
    this.#held = held
    this.#cutTail(sealed.at(-1))
    this.#finishErasures(held)
    return { epoch, nextSequence: found.nextSequence, heads: found.heads.copy(), damage: found.damage }
  }

  #appended(batch: RecordBatch): AppendOutcome {
    const held = this.#held
    if (held === undefined) return { failure: fenced() }
    assert(batch.count > 0, 'an append has records')
    try {
      if (held.isBroken || held.active.endOffset >= this.#segmentSizeBytes) this.#startSegment(held)
    } catch (error) {
      return { failure: asFailure(error) }
    }
    const firstSequence = held.active.nextSequence
    try {
      held.active.append(batch)
      return { firstSequence }
    } catch (cause) {
      return { failure: this.#undone(held, cause) }
    }
  }

  /** Sees to it that nothing of a batch is ever read back, and says whether that is sure. */
  #undone(held: Held, cause: unknown): HostError {
    try {
      if (held.active.isTrusted && this.#isCut(held.active)) return asFailure(cause)
      this.#startSegment(held)
      return asFailure(cause)
    } catch {
      return unknownOutcome(cause)
    }
  }

  #isCut(active: ActiveSegment): boolean {
    try {
      active.cut()
      return true
    } catch {
      return false
    }
  }

  /**
   * Ends the active segment where its last good batch ends, and goes on in a new one. If that fails at any point
   * the new one may be on the disk or not, so nothing is appended before it has been made to be there.
   */
  #startSegment(held: Held): void {
    held.isBroken = true
    this.#assertOurs(held)
    const last = held.active
    const sealed = last.isEmpty ? [] : [{ ...last.view(), sealedAt: this.#clock.now() }]
    held.active = this.#createSegment(held.epoch, last.nextSequence, sealed[0] ?? held.sealed.at(-1))
    held.sealed.push(...sealed)
    held.isBroken = false
    last.close()
  }

  #createSegment(epoch: bigint, firstSequence: bigint, previous: SealedSegment | undefined): ActiveSegment {
    const header = { epoch, firstSequence, mark: randomBytes(8).readBigUInt64LE(), createdAt: this.#clock.now(), previous: previousOf(previous) }
    const aheadBytes = Math.min(limits.logAheadBytes, this.#segmentSizeBytes)
    return this.#reserve.spendFor(() => ActiveSegment.create(this.#folder, header, aheadBytes))
  }

  /** Only the lock keeps others away, and a lock can be lost: on a network disk, by a hand that deletes it. */
  #assertOurs(held: Held): void {
    const newest = this.#folder
      .names()
      .filter((name) => parseSegmentName(name) !== undefined)
      .sort()
      .at(-1)
    const { header } = this.#folder.within(newest ?? held.active.name, 'read', readSegmentHeader)
    if (header === undefined || header.epoch <= held.epoch) return
    this.#held = undefined
    held.active.abandon()
    held.lock[Symbol.dispose]()
    throw fenced()
  }

  #erase(database: string): void {
    const held = this.#tenure()
    // What must not be read back stands in no segment then but behind its end.
    if (held.isBroken) this.#startSegment(held)
    const before = held.active.nextSequence
    const erasure = new Erasure(this.#folder, database)
    this.#reserve.spendFor(() => erasure.begin(before))
    erasure.overwrite([...held.sealed, held.active], before)
    erasure.end()
  }

  /** Erasures that a holder before us had begun. */
  #finishErasures(held: Held): void {
    for (const database of begunErasures(this.#folder.names())) {
      const erasure = new Erasure(this.#folder, database)
      const before = erasure.begun()
      if (before !== undefined) erasure.overwrite(held.sealed, before)
      erasure.end()
    }
  }

  /** The torn end of a batch: the new segment has made it void. */
  #cutTail(segment: SealedSegment | undefined): void {
    if (segment === undefined) return
    try {
      this.#folder.within(segment.name, 'update', (file) => {
        if (file.sizeBytes > segment.endOffset) file.truncate(segment.endOffset)
      })
    } catch {
      // It only takes room, until an erasure or a trim.
    }
  }

  /** As they are now. */
  #all({ sealed, active }: Held): readonly SegmentToRead[] {
    return [...sealed, active.view()]
  }

  #tenure(): Held {
    if (this.#held === undefined) throw fenced()
    return this.#held
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
