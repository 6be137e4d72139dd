/**
 * The files of an access log: what is written to its segment is the system's when a write returns, so that no
 * kill of the process loses it, and on the disk a little later. A log that asks for a sync gets it put off, unless
 * somebody waits for it. All that a segment needs to be found again (its header, its name) is synced at once.
 */
import * as limits from '../limits.ts'
import { SystemFile, systemFiles } from '../log/log-files.ts'
import type { LogFile, LogFiles } from '../log/log-files.ts'

export class DeferredFiles implements LogFiles {
  readonly #files: LogFiles
  readonly #onFailure: (error: unknown) => void
  /** What has been written and is not on the disk. */
  #unsynced: DeferredFile | undefined
  #unsyncedSinceMs = 0
  #timer: NodeJS.Timeout | undefined
  #isPuttingOff = false

  /** `onFailure` hears of what could not be synced after answers have left: a power loss could take it away. */
  constructor(onFailure: (error: unknown) => void, files: LogFiles = systemFiles) {
    this.#onFailure = onFailure
    this.#files = files
  }

  /**
   * Runs one append; with `isUrgent` what it writes is on the disk when it returns. So it is when something has waited
   * for longer than it may, as in a thread that never turns.
   */
  append<T>(isUrgent: boolean, work: () => T): T {
    const isLate = this.#unsynced !== undefined && performance.now() - this.#unsyncedSinceMs > limits.accessSyncTimeMsMax
    this.#isPuttingOff = !isUrgent && !isLate
    try {
      return work()
    } finally {
      this.#isPuttingOff = false
    }
  }

  /** Whether a sync of this file is put off. */
  putsOff(file: DeferredFile): boolean {
    if (!this.#isPuttingOff) return false
    if (this.#unsynced === undefined) this.#unsyncedSinceMs = performance.now()
    this.#unsynced = file
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#syncLater(), limits.accessSyncTimeMs).unref()
    return true
  }

  noteSynced(file: DeferredFile): void {
    if (this.#unsynced === file) this.#unsynced = undefined
  }

  /** Everything that was written is on the disk, or it throws what the system throws. */
  sync(): void {
    this.#unsynced?.sync()
  }

  #syncLater(): void {
    this.#timer = undefined
    const file = this.#unsynced
    this.#unsynced = undefined
    file?.syncLater((error) => this.#onFailure(error))
  }

  makeFolder(folder: string): void {
    this.#files.makeFolder(folder)
  }

  list(folder: string): readonly string[] {
    return this.#files.list(folder)
  }

  open(path: string, how: 'read' | 'update' | 'create'): LogFile {
    const file = this.#files.open(path, how)
    return how === 'create' ? new DeferredFile(file, this) : file
  }

  /** The name of a new segment says where the one before it ends: what stands there must not come later. */
  rename(from: string, to: string): void {
    try {
      this.sync()
    } catch (error) {
      // The new segment is made because of this, or will be by the next append.
      this.#onFailure(error)
    }
    this.#files.rename(from, to)
  }

  unlink(path: string): void {
    this.#files.unlink(path)
  }

  syncFolder(folder: string): void {
    this.#files.syncFolder(folder)
  }
}

class DeferredFile implements LogFile {
  readonly #file: LogFile
  readonly #files: DeferredFiles
  /** Why the last sync failed: a file of which that is so must not be written any more. */
  #failure: Error | undefined
  #syncing = 0
  /** Its header is on the disk; what follows can wait. */
  #isBegun = false
  #isClosed = false

  constructor(file: LogFile, files: DeferredFiles) {
    this.#file = file
    this.#files = files
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes
  }

  read(into: Uint8Array, position: number): number {
    return this.#file.read(into, position)
  }

  write(bytes: Uint8Array, position: number): number {
    return this.#file.write(bytes, position)
  }

  sync(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#isBegun && this.#files.putsOff(this)) return
    this.#files.noteSynced(this)
    this.#file.sync()
    this.#isBegun = true
  }

  syncLater(onFailure: (error: Error) => void): void {
    if (!(this.#file instanceof SystemFile)) return this.#syncNow(onFailure)
    this.#syncing++
    this.#file.syncLater((error) => {
      this.#syncing--
      if (error !== null) this.#fail(error, onFailure)
      if (this.#isClosed && this.#syncing === 0) this.#file.close()
    })
  }

  #syncNow(onFailure: (error: Error) => void): void {
    try {
      this.#file.sync()
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)), onFailure)
    }
  }

  #fail(error: Error, onFailure: (error: Error) => void): void {
    this.#failure = error
    onFailure(error)
  }

  truncate(sizeBytes: number): void {
    this.#file.truncate(sizeBytes)
  }

  /** Not while the system still syncs it: its number could be another file's by then. */
  close(): void {
    this.#files.noteSynced(this)
    this.#isClosed = true
    if (this.#syncing === 0) this.#file.close()
  }
}
