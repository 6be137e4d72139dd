/**
 * A file of which the disk does not give every page: those are zeros here, in which there is no record, and it is
 * known which they are. A bad spot costs the records in it, as one whose bytes have changed does, and not the log.
 */
import { isFileError } from './log-files.ts'
import type { ReadableFile } from './log-files.ts'

const pageBytes = 4_096

export interface UnreadablePages {
  readonly offset: number
  readonly sizeBytes: number
  /** What the disk said. */
  readonly failure: Error & { readonly code: string }
}

export class ReadablePages implements ReadableFile {
  readonly #file: ReadableFile
  readonly #unreadable = new Map<number, UnreadablePages>()

  constructor(file: ReadableFile) {
    this.#file = file
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes
  }

  /** In the order in which they were met. Each is read again whenever somebody wants it. */
  get unreadable(): readonly UnreadablePages[] {
    return [...this.#unreadable.values()]
  }

  /** What to say of a part of the file of which the disk does not give everything. */
  failureAt({ offset, sizeBytes }: { readonly offset: number; readonly sizeBytes: number }): string | undefined {
    const page = this.unreadable.find((one) => one.offset < offset + sizeBytes && one.offset + one.sizeBytes > offset)
    return page && `the disk does not give these bytes (${page.failure.code})`
  }

  /** @throws what the file throws, but for a page that the disk does not give. */
  read(into: Uint8Array, position: number): number {
    try {
      return this.#file.read(into, position)
    } catch (error) {
      if (!isOfDisk(error)) throw error
      return this.#readPage(into, position)
    }
  }

  /** Up to the end of the page, alone: what lies after it may be well. */
  #readPage(into: Uint8Array, position: number): number {
    const offset = position - (position % pageBytes)
    const end = Math.min(offset + pageBytes, this.sizeBytes, position + into.length)
    const part = into.subarray(0, Math.max(end - position, 0))
    try {
      return this.#file.read(part, position)
    } catch (error) {
      if (!isOfDisk(error)) throw error
      this.#unreadable.set(offset, { offset, sizeBytes: Math.min(pageBytes, this.sizeBytes - offset), failure: error })
      part.fill(0)
      return part.length
    }
  }
}

/** Not of a file that may not be read, or is none. */
function isOfDisk(error: unknown): error is Error & { readonly code: string } {
  return isFileError(error) && (error.code === 'EIO' || error.code === 'EBADMSG' || error.code === 'EUCLEAN')
}
