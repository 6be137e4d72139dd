/**
 * A few megabytes of the disk that nobody else gets: given up when the disk is full, so that the log can still
 * end a segment, forget one, or erase, and a database be dropped. Kept up again as soon as there is room.
 */
import { isDiskFull, writeAll } from './log-files.ts'
import type { LogFolder } from './log-folder.ts'

const name = 'reserve'

export class Reserve {
  readonly #folder: LogFolder
  readonly #sizeBytes: number

  constructor(folder: LogFolder, sizeBytes: number) {
    this.#folder = folder
    this.#sizeBytes = sizeBytes
  }

  /** Makes it if it is not there, or not whole. A disk that has no room for it has it another time. */
  keep(): void {
    if (this.#isWhole()) return
    try {
      this.#folder.remove(name)
      this.#folder.within(name, 'create', (file) => {
        writeAll(file, new Uint8Array(this.#sizeBytes), 0)
        file.sync()
      })
    } catch {
      this.#spend()
    }
  }

  /** Does the work; on a full disk, as its error tells, once more, with what the reserve has given up. */
  spendFor<T>(work: () => T, isFull: (error: unknown) => boolean = isDiskFull): T {
    try {
      return work()
    } catch (error) {
      if (!isFull(error) || !this.#spend()) throw error
      return work()
    }
  }

  #isWhole(): boolean {
    try {
      return this.#folder.within(name, 'read', (file) => file.sizeBytes === this.#sizeBytes)
    } catch {
      return false
    }
  }

  /** True when that made room, as far as one can know. */
  #spend(): boolean {
    try {
      this.#folder.remove(name)
      this.#folder.sync()
      return true
    } catch {
      return false
    }
  }
}
