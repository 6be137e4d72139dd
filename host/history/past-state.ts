/**
 * The state of a database as it was before one of its records: a copy of the last snapshot before it, or a file
 * at the beginning of the history, and the records up to it, in a folder of its own. The database's own files
 * are not touched.
 */
import { HostError } from '../errors.ts'
import { applyRecords } from '../storage/apply-records.ts'
import { DatabaseFile } from '../storage/database-file.ts'
import { beginState } from '../storage/open-state.ts'
import { isIntact } from '../storage/snapshots.ts'
import type { DatabaseHistory } from './folder-history.ts'
import { TemporaryFolder } from './temporary-folder.ts'

export class PastState implements Disposable {
  readonly file: DatabaseFile
  /** The records that were applied to get there. */
  readonly recordsApplied: number
  readonly #folder: TemporaryFolder

  private constructor(folder: TemporaryFolder, file: DatabaseFile, recordsApplied: number) {
    this.#folder = folder
    this.file = file
    this.recordsApplied = recordsApplied
  }

  /** @throws HostError ERR_CALL_UNKNOWN when the log has forgotten what lies between, ERR_LOG_DAMAGED when it lost it. */
  static async before(history: DatabaseHistory, position: bigint): Promise<PastState> {
    const earliest = await earliestPosition(history)
    if (earliest === undefined || position < earliest) throw forgotten(history, position, earliest)
    const folder = new TemporaryFolder()
    let file: DatabaseFile | undefined
    try {
      const path = folder.at('state.sqlite')
      const snapshot = await history.snapshots.restore(path, position - 1n)
      if (snapshot === undefined) beginState(path, history.id)
      const start = snapshot?.position ?? 0n
      file = new DatabaseFile({ path, create: false, isDurable: false })
      return new PastState(folder, file, await applyRecords(file, history.inLog.read(start), { until: position - 1n }))
    } catch (error) {
      file?.close()
      folder[Symbol.dispose]()
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.file.close()
    this.#folder[Symbol.dispose]()
  }
}

/** The first record before which the state can be had; undefined when there is none. */
export async function earliestPosition({ range, snapshots }: DatabaseHistory): Promise<bigint | undefined> {
  if (range === undefined || range.first === 1n) return range?.first
  for (const snapshot of snapshots.list().toReversed()) {
    if (snapshot.position >= range.first - 1n && (await isIntact(snapshot))) return snapshot.position + 1n
  }
  return undefined
}

function forgotten({ name, range }: DatabaseHistory, position: bigint, earliest: bigint | undefined): HostError {
  const begins = range === undefined ? 'the log has none of its records' : `the log begins with record ${range.first}`
  const instead = earliest === undefined ? 'and no snapshot from there on is intact' : `and the earliest snapshot from there on is before record ${earliest}`
  return new HostError('ERR_CALL_UNKNOWN', `the state of ${name} before record ${position} cannot be rebuilt: ${begins}, ${instead}`)
}
