/**
 * Makes a database anew in a temporary folder, from the oldest snapshot that is intact, or from nothing, and the
 * records after it. Where it comes by a later snapshot, it must be what that is.
 */
import { copyFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { HostError } from '../errors.ts'
import { applyRecords } from '../storage/apply-records.ts'
import { DatabaseFile } from '../storage/database-file.ts'
import { loadHead } from '../storage/head.ts'
import { beginState } from '../storage/open-state.ts'
import { isIntact } from '../storage/snapshots.ts'
import type { Snapshot } from '../storage/snapshots.ts'
import { differingTables, tableSums } from '../storage/table-sums.ts'
import type { TableSums } from '../storage/table-sums.ts'
import type { DatabaseReport } from './check-database.ts'
import type { DatabaseHistory } from './folder-history.ts'
import type { TemporaryFolder } from './temporary-folder.ts'

/** What a file holds, and the record that it has come to. */
export interface Content {
  readonly position: bigint
  readonly sums: TableSums
}

export class Rebuilding {
  readonly #history: DatabaseHistory
  readonly #folder: TemporaryFolder
  readonly #report: DatabaseReport
  /** Oldest first. */
  #intact: readonly Snapshot[] = []

  constructor(history: DatabaseHistory, folder: TemporaryFolder, report: DatabaseReport) {
    this.#history = history
    this.#folder = folder
    this.#report = report
  }

  async checkSnapshots(): Promise<void> {
    const intact: Snapshot[] = []
    const { snapshots } = this.#history
    for (const snapshot of snapshots.list()) {
      this.#report.snapshots++
      if (await isIntact(snapshot)) intact.unshift(snapshot)
      // A host that runs takes old ones away.
      else if (snapshots.list().some(({ path }) => path === snapshot.path)) this.#findSnapshot(snapshot, 'its bytes are not what was written')
    }
    for (const name of snapshots.damagedNotes()) this.#find(name, 'the note of a snapshot is not what was written: nobody can use that')
    this.#intact = intact
  }

  /** The content at the end of the history, as it follows from the log; undefined when it cannot be had. */
  async run(): Promise<Content | undefined> {
    const { range, id } = this.#history
    const path = this.#folder.at('rebuilt.sqlite')
    let file: DatabaseFile | undefined
    try {
      if (range?.first === 1n) {
        beginState(path, id)
        file = new DatabaseFile({ path, create: false, isDurable: false })
      }
      for (const snapshot of this.#intact) {
        if (range !== undefined && snapshot.position > range.last) break
        if (file !== undefined && (await this.#advance(file, snapshot.position))) {
          this.#compare(snapshot, file)
          continue
        }
        file?.close()
        file = copied(snapshot, path)
      }
      if (file !== undefined && (await this.#advance(file, range?.last ?? 0n))) return { position: loadHead(file).position, sums: tableSums(file) }
      this.#noteMissing()
      return undefined
    } finally {
      file?.close()
    }
  }

  /** Whether the file has come there. That the log has forgotten what lies between is no damage. */
  async #advance(file: DatabaseFile, to: bigint): Promise<boolean> {
    const { position } = loadHead(file)
    if (position >= to) return true
    const { range, inLog } = this.#history
    if (range === undefined || range.first > position + 1n) return false
    try {
      await applyRecords(file, inLog.read(position), { until: to })
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      this.#findLost(error.message)
      return false
    }
    const reached = loadHead(file).position
    if (reached < to) this.#findLost(`records ${reached + 1n} to ${to} of this database are lost`)
    return reached >= to
  }

  #compare(snapshot: Snapshot, rebuilt: DatabaseFile): void {
    using file = copied(snapshot, this.#folder.at('snapshot.sqlite'))
    const tables = differingTables(tableSums(rebuilt), tableSums(file))
    if (tables.length > 0) this.#findSnapshot(snapshot, differenceOf(tables))
  }

  #findSnapshot({ path }: Snapshot, what: string): void {
    this.#find(basename(path), what)
  }

  #find(name: string, what: string): void {
    const todo = 'remove the snapshot and its .json: the state file, or an older one and the log, have the same'
    this.#report.find('snapshot', join('snapshots', name), what, todo)
  }

  #findLost(what: string): void {
    const todo = 'restore the segments that have them from a backup; the state file, or a later snapshot, does without them'
    this.#report.find('history', `log/${this.#history.lane}`, what, todo)
  }

  #noteMissing(): void {
    const { range, snapshots } = this.#history
    if (range === undefined && snapshots.list().length === 0) return
    const what = 'it cannot be made anew from snapshots and the log: its state file is all that there is'
    this.#report.find('history', 'snapshots', what, 'keep a copy of the folder; the next snapshot of a host makes it whole')
  }
}

/** Of tables whose content is not the same. */
export function differenceOf(tables: readonly string[]): string {
  return `it does not follow from the log: ${tables.slice(0, 5).join(', ')}${tables.length > 5 ? ` and ${tables.length - 5} more tables` : ''} differ`
}

function copied({ path: from }: Snapshot, path: string): DatabaseFile {
  copyFileSync(from, path)
  return new DatabaseFile({ path, create: false, isDurable: false })
}
