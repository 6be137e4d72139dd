/**
 * The state file of one database while a host has it: it follows the log, and every so often it is moved on. Batches
 * that calls have kept are committed together, into the WAL: pages that many of them changed are written once. A
 * checkpoint puts what the WAL has into the file, says before it what the file's sum will be, which the next start
 * compares, and now and then makes a snapshot. What takes long is done beside the calls; they only wait for the pages
 * to move.
 */
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { isFileError } from '../log/log-files.ts'
import { bootId } from './boot-id.ts'
import { CheckpointSum } from './checkpoint-sum.ts'
import type { DatabaseFile } from './database-file.ts'
import { freeBytes, hasRoom, sumHandle } from './durable-file.ts'
import { loadHead } from './head.ts'
import { isSameSum } from './page-sum.ts'
import type { FileSum } from './page-sum.ts'
import { Snapshots } from './snapshots.ts'
import { writeMarks } from './state-marks.ts'

export class StateFile {
  readonly file: DatabaseFile
  readonly #folder: string
  readonly #snapshots: Snapshots
  #sum: FileSum
  #position: bigint
  #snapshotPosition: bigint
  /** From the WAL into the file, since the last snapshot of this host. */
  #movedBytes = 0
  /** Kept open as long as SQLite has the file: closing it would give SQLite's locks away. */
  #handle: FileHandle | undefined
  /** Of the move that is being prepared, or that did not come to its end. */
  #next: CheckpointSum | undefined
  #moving: Promise<void> | undefined
  /** As `performance.now()` counts: when the oldest batch was kept that is not committed. */
  #keptSince: number | undefined

  /** `sum` and `position` are those of the file without its WAL. */
  constructor(folder: string, file: DatabaseFile, sum: FileSum, position: bigint) {
    this.#folder = folder
    this.file = file
    this.#sum = sum
    this.#position = position
    this.#snapshots = new Snapshots(folder)
    this.#snapshotPosition = this.#snapshots.position
    this.#mark('open', sum)
  }

  /** The record up to which the newest snapshot has come; 0 without one. */
  get snapshotPosition(): bigint {
    return this.#snapshotPosition
  }

  /** Between two turns: commits what is kept when it is time, and begins a checkpoint when the WAL has grown enough for it. */
  moveOn(isIdle: boolean): void {
    const isCommitted = this.#commitWhenDue(isIdle)
    if (this.#moving !== undefined || (!isCommitted && !isIdle)) return
    const walSizeBytes = this.file.walSizeBytes
    const most = Math.min(limits.walBytesMax, Math.max(limits.walBytesMin, this.#sum.sizeBytes / 8))
    if (walSizeBytes <= (isIdle ? limits.walBytesMin / 4 : most)) return
    // A disk that cannot take it says so at the next commit; until then the WAL has everything.
    this.checkpoint(this.#isSnapshotDue()).catch(() => undefined)
  }

  /** A disk that refuses makes the file lose its batches (`hasLostBatches`): then the log is asked for them. */
  #commitWhenDue(isIdle: boolean): boolean {
    const { file } = this
    if (file.keptBatches === 0) {
      this.#keptSince = undefined
      return false
    }
    const now = performance.now()
    this.#keptSince ??= now
    const isDue = now - this.#keptSince >= limits.keptTimeMsMax || file.changedRows >= limits.keptRowsMax || file.keptBytes >= limits.keptBytesMax
    if (!isDue && !isIdle) return false
    // Without room the batches are better off where they are, and are read there.
    if (freeBytes(this.#folder) < file.keptBytes + file.changedRows * limits.changedRowBytesMax) return false
    this.#keptSince = undefined
    try {
      file.commit()
      return true
    } catch (error) {
      if (error instanceof HostError) return false
      throw error
    }
  }

  /** A rebuilt file goes through all that came after its snapshot: many records, or few with many rows. */
  #isSnapshotDue(): boolean {
    if (loadHead(this.file).position - this.#snapshotPosition > limits.recordsPerSnapshot) return true
    return this.#movedBytes + this.file.walSizeBytes > Math.max(limits.walBytesPerSnapshot, this.#sum.sizeBytes / 2)
  }

  /**
   * Everything committed is in the file when this resolves; with a snapshot, in a copy as well, when the disk has room
   * for one. Not while a batch is open: then it is left to the next time.
   *
   * @throws HostError ERR_STORAGE when the disk refuses, or has spoiled the file.
   */
  async checkpoint(withSnapshot: boolean): Promise<void> {
    while (this.#moving !== undefined) await this.#moving.catch(() => undefined)
    this.#moving = this.#checkpoint(withSnapshot).finally(() => (this.#moving = undefined))
    return this.#moving
  }

  async #checkpoint(withSnapshot: boolean): Promise<void> {
    if (this.file.hasBatch) return
    this.file.commit()
    // The folder is asked: a snapshot that turned out to be damaged was removed.
    const needsSnapshot = withSnapshot && loadHead(this.file).position > this.#snapshots.position
    if (this.file.walSizeBytes === 0 && !needsSnapshot) return
    this.#handle ??= await open(this.file.path, 'r')
    if (this.file.walSizeBytes > 0 && !(await this.#move(this.#handle))) return
    if (needsSnapshot && hasRoom(this.#folder, this.#sum.sizeBytes)) await this.#copy(this.#handle)
  }

  /** False when a batch is open. */
  async #move(handle: FileHandle): Promise<boolean> {
    const next = (this.#next ??= new CheckpointSum(handle.fd, `${this.file.path}-wal`, this.#sum))
    for (let step = 1; next.step(); step++) if (step % commitsAtOnce === 0) await new Promise((resolve) => setImmediate(resolve))
    if (this.file.hasBatch) return false
    // Nobody else has a turn from here until the pages have moved.
    this.file.commit()
    while (next.step());
    const { position } = loadHead(this.file)
    this.#mark('checkpoint', next.value)
    this.#movedBytes += this.file.walSizeBytes
    this.file.checkpoint()
    this.#sum = next.value
    this.#next = undefined
    next[Symbol.dispose]()
    await handle.datasync()
    this.#position = position
    this.#mark('open', this.#sum)
    return true
  }

  async #copy(handle: FileHandle): Promise<void> {
    const position = this.#position
    try {
      const sum = await sumHandle(handle, this.#snapshots.begin(position))
      if (!isSameSum(sum, this.#sum)) {
        throw new HostError('ERR_STORAGE', 'state.sqlite is not what was written: the disk has spoiled it, and the next start will rebuild it')
      }
      this.#snapshots.keep(position, sum)
    } catch (error) {
      // Half a copy must not fill the disk that had no room for all of it.
      this.#snapshots.discard(position)
      throw error
    }
    this.#snapshotPosition = position
    this.#movedBytes = 0
  }

  /** Leaves the file so that the next start has nothing to do. */
  async close(): Promise<void> {
    // What cannot be moved now stays in the WAL: the next start finds it there.
    await this.checkpoint(false).catch(() => undefined)
    const isMoved = this.file.walSizeBytes === 0
    this.file.close()
    this.#next?.[Symbol.dispose]()
    await this.#handle?.close()
    if (isMoved) this.#markClean()
  }

  /** On a disk that cannot be written the file is left as by a killed host, which is no less good. */
  #markClean(): void {
    try {
      this.#mark('clean', this.#sum)
    } catch (error) {
      if (!isFileError(error)) throw error
    }
  }

  #mark(phase: 'clean' | 'open' | 'checkpoint', sum: FileSum): void {
    const boot = bootId()
    writeMarks(this.#folder, { phase, ...sum, position: this.#position, ...(boot === undefined ? {} : { boot }) })
  }
}

/** Commits that are looked at in one go: a page takes about 8 µs, a commit has some ten. */
const commitsAtOnce = 16

export function stateFilePath(folder: string): string {
  return join(folder, 'state.sqlite')
}
