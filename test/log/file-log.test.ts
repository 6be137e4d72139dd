/** The file log as a driver, on the machine's own disk; and what only a log of files can show. */
import { FileLog } from '../../host/log/file-log.ts'
import type { CommitLog } from '../../host/log/commit-log.ts'
import { DataFolder, StoppedClock } from '../storage/folder.ts'
import { driverSuite } from './driver-suite.ts'
import type { DriverFixture } from './driver-suite.ts'
import { ProcessLock } from './process-lock.ts'

class FileFixture implements DriverFixture {
  readonly #folder = new DataFolder()
  readonly #locks = new Map<CommitLog, ProcessLock>()
  #holders = { isTaken: false }

  open(): CommitLog {
    const lock = new ProcessLock(this.#holders)
    const log = new FileLog({ folder: this.#folder.at('log', '0'), lock: () => lock.take(), clock: new StoppedClock(), segmentSizeBytes: 32 * 1024 })
    this.#locks.set(log, lock)
    return log
  }

  kill(log: CommitLog): void {
    this.#locks.get(log)?.drop()
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }
}

driverSuite('file log', () => new FileFixture())
