/** A database without a shard around it: a batch is what one function does, and no log keeps it. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { newKeyRing } from '../../host/auth/signing-key.ts'
import { systemClock } from '../../host/clock.ts'
import { RecordBatch } from '../../host/log/record-batch.ts'
import { Database } from '../../host/reducer/database.ts'
import { makeDatabaseNote } from '../../host/storage/database-note.ts'
import { openState } from '../../host/storage/open-state.ts'
import type { StateFile } from '../../host/storage/state-file.ts'

const noHistory = { head: undefined, hasLostRecords: false, read: () => nothing() }

async function* nothing(): AsyncIterable<never> {}

export class LoneDatabase implements AsyncDisposable {
  readonly database: Database
  readonly #state: StateFile
  readonly #records = new RecordBatch()
  /** What a publish puts its work into. */
  readonly queue = { run: async <T>(work: () => T): Promise<T> => this.batch(work) }

  private constructor(state: StateFile) {
    this.#state = state
    this.database = new Database({ file: state.file, clock: systemClock })
  }

  static async make(data: string, name: string): Promise<LoneDatabase> {
    const folder = join(data, name)
    mkdirSync(folder, { recursive: true })
    const id = makeDatabaseNote(folder, 'default')
    const made = new LoneDatabase((await openState(folder, { id, history: noHistory, isCreation: true })).state)
    made.batch(() => made.database.setKeyRing(newKeyRing()))
    return made
  }

  /** Everything `work` does is committed, or nothing of it. */
  batch<T>(work: () => T): T {
    this.#records.reset()
    this.database.journal.begin(this.#records, 1n)
    try {
      const result = work()
      this.database.finishBatch()
      this.database.commit()
      return result
    } catch (error) {
      this.database.rollback()
      throw error
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#state.close()
  }
}
