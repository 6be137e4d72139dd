/** The folder of one log: its files by their names. Everything throws what the system throws. */
import { join } from 'node:path'

import { isFileError, isMissing } from './log-files.ts'
import type { LogFile, LogFiles } from './log-files.ts'

export class LogFolder {
  readonly path: string
  readonly #files: LogFiles

  constructor(files: LogFiles, path: string) {
    this.#files = files
    this.path = path
  }

  /** Nothing happens when it is there. */
  make(): void {
    this.#files.makeFolder(this.path)
  }

  names(): readonly string[] {
    return this.#files.list(this.path)
  }

  open(name: string, how: 'read' | 'update' | 'create'): LogFile {
    return this.#files.open(join(this.path, name), how)
  }

  within<T>(name: string, how: 'read' | 'update' | 'create', work: (file: LogFile) => T): T {
    const file = this.open(name, how)
    try {
      return work(file)
    } catch (error) {
      // What the system says of an open file does not say of which.
      if (isFileError(error)) error.path ??= join(this.path, name)
      throw error
    } finally {
      file.close()
    }
  }

  rename(from: string, to: string): void {
    this.#files.rename(join(this.path, from), join(this.path, to))
  }

  /** Nothing happens when it is not there. */
  remove(name: string): void {
    try {
      this.#files.unlink(join(this.path, name))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  /** The names are on the disk as they are now, and the room of files that have none is free. */
  sync(): void {
    this.#files.syncFolder(this.path)
  }
}
