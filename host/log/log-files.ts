/**
 * The few operations on files that the file log stands on, as a port: a test puts a disk behind it that fails,
 * tears or loses what was not synced. Positions and sizes are bytes. All of them throw what the system throws.
 */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'

export interface ReadableFile {
  readonly sizeBytes: number
  /** How many bytes were read: fewer than there is room for at the end of the file. */
  read(into: Uint8Array, position: number): number
}

export interface LogFile extends ReadableFile {
  /** How many bytes were written: perhaps fewer than were given. */
  write(bytes: Uint8Array, position: number): number
  /** What was written is on the disk, with everything that is needed to read it back. */
  sync(): void
  truncate(sizeBytes: number): void
  close(): void
}

export interface LogFiles {
  /** With the folders above it; nothing happens when it is there. */
  makeFolder(folder: string): void
  /** The names in a folder. */
  list(folder: string): readonly string[]
  /** `create` makes a file that was not there. */
  open(path: string, how: 'read' | 'update' | 'create'): LogFile
  rename(from: string, to: string): void
  unlink(path: string): void
  /** The names in the folder are on the disk as they are now. */
  syncFolder(folder: string): void
}

export const systemFiles: LogFiles = {
  makeFolder: (folder) => void mkdirSync(folder, { recursive: true, mode: 0o700 }),
  list: (folder) => readdirSync(folder),
  open: (path, how) => new SystemFile(openSync(path, { read: 'r', update: 'r+', create: 'wx+' }[how], 0o600)),
  rename: renameSync,
  unlink: unlinkSync,
  syncFolder: (folder) => {
    const descriptor = openSync(folder, 'r')
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  },
}

export class SystemFile implements LogFile {
  readonly #descriptor: number

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  get sizeBytes(): number {
    return fstatSync(this.#descriptor).size
  }

  read(into: Uint8Array, position: number): number {
    return readSync(this.#descriptor, into, 0, into.length, position)
  }

  write(bytes: Uint8Array, position: number): number {
    return writeSync(this.#descriptor, bytes, 0, bytes.length, position)
  }

  sync(): void {
    fdatasyncSync(this.#descriptor)
  }

  /** The same beside everything else that the thread does. The file stays open until `done` is called. */
  syncLater(done: (error: Error | null) => void): void {
    fdatasync(this.#descriptor, done)
  }

  truncate(sizeBytes: number): void {
    ftruncateSync(this.#descriptor, sizeBytes)
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}

/** Writes all of it, or throws what stopped it. */
export function writeAll(file: LogFile, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length;) {
    const count = file.write(written === 0 ? bytes : bytes.subarray(written), position + written)
    if (count === 0) throw Object.assign(new Error('the disk took no byte of a write'), { code: 'EIO' })
    written += count
  }
}

/** Reads until the room is full or the file ends, and gives the bytes that were read. */
export function readAll(file: ReadableFile, into: Buffer, position: number): Buffer {
  let size = 0
  while (size < into.length) {
    const count = file.read(size === 0 ? into : into.subarray(size), position + size)
    if (count === 0) break
    size += count
  }
  return into.subarray(0, size)
}

/** True for what an operation on a file throws, and not for a bug of our own. */
export function isFileError(error: unknown): error is Error & { readonly code: string; path?: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]/.test(error.code) && !error.code.startsWith('ERR_')
}

/** True for a disk, or a quota, without room. */
export function isDiskFull(error: unknown): boolean {
  return isFileError(error) && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}

/** True for a file that is not there. */
export function isMissing(error: unknown): boolean {
  return isFileError(error) && error.code === 'ENOENT'
}
