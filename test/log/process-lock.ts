/** The lock of a log's folder among the holders of one test: a process that is killed loses it. */
import { HostError } from '../../host/errors.ts'

export class ProcessLock {
  readonly #folder: { isTaken: boolean }
  #isOurs = false

  constructor(folder: { isTaken: boolean }) {
    this.#folder = folder
  }

  /** @throws HostError ERR_FOLDER_LOCKED */
  take(): Disposable {
    if (this.#folder.isTaken) throw new HostError('ERR_FOLDER_LOCKED', 'another host has the log open')
    this.#folder.isTaken = true
    this.#isOurs = true
    return { [Symbol.dispose]: () => this.drop() }
  }

  drop(): void {
    if (this.#isOurs) this.#folder.isTaken = false
    this.#isOurs = false
  }
}
