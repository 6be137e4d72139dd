/**
 * A few megabytes of the disk that nobody else gets: given up when the disk is full, so that the log can still
 * end a segment, forget one, or erase. Kept up again as soon as there is room.
 */
import { join } from 'node:path'

import { isDiskFull, isMissing, writeAll } from './log-files.ts'
import type { LogFiles } from './log-files.ts'

export class Reserve {
  readonly #files: LogFiles
  readonly #folder: string
  readonly #sizeBytes: number

  constructor(files: LogFiles, folder: string, sizeBytes: number) {
    this.#files = files
    this.#folder = folder
    this.#sizeBytes = sizeBytes
  }

  get #path(): string {
    return join(this.#folder, 'reserve')
  }

  /** Makes it if it is not there, or not whole. A disk that has no room for it has it another time. */
  keep(): void {
    if (this.#isWhole()) return
    try {
      this.#remove()
      const file = this.#files.open(this.#path, 'create')
      try {
        writeAll(file, new Uint8Array(this.#sizeBytes), 0)
        file.sync()
      } finally {
        file.close()
      }
    } catch {
      this.#spend()
    }
  }

  /** Does the work; on a full disk once more, with what the reserve has given up. */
  spendFor<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (!isDiskFull(error) || !this.#spend()) throw error
      return work()
    }
  }

  #isWhole(): boolean {
    try {
      const file = this.#files.open(this.#path, 'read')
      try {
        return file.sizeBytes === this.#sizeBytes
      } finally {
        file.close()
      }
    } catch {
      return false
    }
  }

  /** True when that made room. */
  #spend(): boolean {
    try {
      this.#remove()
      // The blocks are free when the folder is on the disk without the name.
      this.#files.syncFolder(this.#folder)
      return true
    } catch {
      return false
    }
  }

  #remove(): void {
    try {
      this.#files.unlink(this.#path)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
}
