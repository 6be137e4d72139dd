/** What a host that starts would find of a database's state file, and make of it: tried on a copy of its folder. */
import { copyFileSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { HostError } from '../errors.ts'
import type { DatabaseFile } from '../storage/database-file.ts'
import { loadHead } from '../storage/head.ts'
import { openState } from '../storage/open-state.ts'
import type { StateReport } from '../storage/open-state.ts'
import { differingTables, tableSums } from '../storage/table-sums.ts'
import type { DatabaseReport } from './check-database.ts'
import type { DatabaseHistory } from './folder-history.ts'
import { differenceOf } from './rebuilding.ts'
import type { Content } from './rebuilding.ts'
import type { TemporaryFolder } from './temporary-folder.ts'

export interface StateCheck {
  readonly report: DatabaseReport
  /** What follows from snapshots and the log. */
  readonly content: Content | undefined
}

const stateName = 'state.sqlite'
const makeAnew = 'keep a copy, then remove state.sqlite: the next start makes it anew from a snapshot and the log'

/** For somebody who has the lock of the data folder: nobody else has the file open. */
export async function checkState(history: DatabaseHistory, folder: TemporaryFolder, { report, content }: StateCheck): Promise<void> {
  const { inLog, snapshots, range, name } = history
  // A creation that was broken off before anything had happened.
  if (!existsSync(join(history.folder, stateName)) && range === undefined && snapshots.list().length === 0) return
  try {
    const opened = await openState(copyOf(history, folder), { id: history.id, history: inLog, isCreation: false })
    try {
      tell(report, opened.report)
      compare(opened.state.file, opened.report, { report, content })
    } finally {
      await opened.state.close()
    }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    report.find('state', stateName, `no host can open it: ${error.message}`, `restore databases/${name} from a backup, or what it says is missing`)
  }
}

/** Snapshots are read where they are: none is made here. */
function copyOf({ folder: from, name: ownName }: DatabaseHistory, folder: TemporaryFolder): string {
  // A database's folder has its name, which has no dot: no file beside it has the same.
  const copy = folder.at(ownName)
  mkdirSync(copy)
  for (const name of ['database.json', 'state.json', stateName, `${stateName}-wal`]) {
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(copy, name))
  }
  if (existsSync(join(from, 'snapshots'))) symlinkSync(resolve(from, 'snapshots'), join(copy, 'snapshots'))
  return copy
}

function tell(report: DatabaseReport, { condition, isRebuilt, recordsReplayed, recordsAhead }: StateReport): void {
  if (isRebuilt) {
    const what = condition === 'missing' ? 'the state file is missing' : 'the state file is not what was written'
    report.find('state', stateName, what, `nothing: the next start makes it anew from a snapshot and ${recordsReplayed} records`)
  } else if (condition !== 'closed') report.note(`was left by: ${condition}; the next start replays ${recordsReplayed} records`)
  if (recordsAhead === 0n) return
  const what = `the log has lost the last ${recordsAhead} records, which the state file has`
  report.find('history', stateName, what, 'start the host: it makes a snapshot of them at once')
}

function compare(file: DatabaseFile, { isRebuilt }: StateReport, { report, content }: StateCheck): void {
  for (const problem of file.problems()) report.find('state', stateName, problem, makeAnew)
  if (isRebuilt || content?.position !== loadHead(file).position) return
  const tables = differingTables(content.sums, tableSums(file))
  if (tables.length > 0) report.find('state', stateName, differenceOf(tables), makeAnew)
}
