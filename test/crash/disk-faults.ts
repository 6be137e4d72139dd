/**
 * Disks that fail under a running host, as the system itself makes them fail: a file system without room, files that
 * may not grow, and system calls that give errors (strace injects them into the process).
 */
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export interface DiskFault {
  readonly name: string
  /** Why it cannot be had on this machine; undefined when it can. */
  missing(): string | undefined
  /** Before the first host has the folder. */
  prepare(folder: string): void
  begin(processId: number, folder: string): Promise<void>
  end(): Promise<void>
  /** After the last host. */
  clear(folder: string): void
}

const nothing = (): void => undefined

/** A file system of its own, which something else fills to the last byte. So large that rows are committed before: limits.diskFreeBytesMin. */
export class FullDisk implements DiskFault {
  readonly name = 'a full disk'
  #filler = ''

  missing(): string | undefined {
    if (process.getuid?.() !== 0) return 'only root can mount a file system to fill'
    return trial('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt') ?? trial('umount', '/mnt')
  }

  prepare(folder: string): void {
    mkdirSync(folder)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'tmpfs', folder])
  }

  async begin(_processId: number, folder: string): Promise<void> {
    this.#filler = join(folder, 'filler')
    const descriptor = openSync(this.#filler, 'w')
    try {
      for (const block = new Uint8Array(4_096); ;) writeSync(descriptor, block)
    } catch {
      // It is full.
    } finally {
      closeSync(descriptor)
    }
  }

  async end(): Promise<void> {
    rmSync(this.#filler)
  }

  clear(folder: string): void {
    execFileSync('umount', [folder])
  }
}

/** Files of at most half a megabyte: a WAL cannot grow, nor can a segment of the log. */
class SmallFiles implements DiskFault {
  readonly name = 'files that may not grow'
  readonly prepare = nothing
  readonly clear = nothing
  #processId = 0

  missing(): string | undefined {
    return trial('prlimit', '--version')
  }

  async begin(processId: number): Promise<void> {
    this.#processId = processId
    execFileSync('prlimit', ['--pid', String(processId), '--fsize=524288:unlimited'])
  }

  async end(): Promise<void> {
    execFileSync('prlimit', ['--pid', String(this.#processId), '--fsize=unlimited:unlimited'])
  }
}

/** System calls of the host that give an error. */
class FailingCalls implements DiskFault {
  readonly name: string
  readonly prepare = nothing
  readonly clear = nothing
  readonly #calls: string
  readonly #error: string
  #tracer: ChildProcess | undefined

  /** `when` is strace's: which of the calls, all of them when left out. */
  constructor(name: string, calls: string, error: string) {
    this.name = name
    this.#calls = calls
    this.#error = error
  }

  missing(): string | undefined {
    return trial('strace', '-qq', '-o', '/dev/null', 'true')
  }

  async begin(processId: number): Promise<void> {
    const inject = `inject=${this.#calls}:${this.#error}`
    this.#tracer = spawn('strace', ['-f', '-p', String(processId), '-e', `trace=${this.#calls}`, '-e', inject, '-o', '/dev/null'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    // It says which processes it has attached to.
    if (this.#tracer.stderr !== null) await once(this.#tracer.stderr, 'data')
  }

  async end(): Promise<void> {
    if (this.#tracer === undefined) return
    const ended = once(this.#tracer, 'exit')
    this.#tracer.kill('SIGINT')
    await ended
  }
}

export const diskFaults: readonly DiskFault[] = [
  new FullDisk(),
  new SmallFiles(),
  new FailingCalls('a disk that is read-only', 'pwrite64,ftruncate,rename,unlink,mkdir,fdatasync,fsync', 'error=EROFS'),
  new FailingCalls('a disk that does not sync', 'fdatasync,fsync', 'error=EIO'),
  new FailingCalls('a disk that takes two writes of three', 'pwrite64', 'error=EIO:when=1+3'),
]

/** What a command says that does not work here. */
function trial(command: string, ...args: readonly string[]): string | undefined {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    return undefined
  } catch (error) {
    return `${command} does not work here: ${error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error)}`
  }
}
