/**
 * Holds what is derived from the log against it: what a database comes to when it is made anew, on the way what each
 * of its snapshots is, and in the end what its state file is. All of it happens in copies.
 */
import { finding } from './finding.ts'
import type { Finding } from './finding.ts'
import { checkState } from './check-state.ts'
import type { DatabaseHistory } from './folder-history.ts'
import { Rebuilding } from './rebuilding.ts'
import { TemporaryFolder } from './temporary-folder.ts'

/** What is said of one database. */
export class DatabaseReport {
  readonly name: string
  readonly findings: Finding[] = []
  /** What is as it may be, and good to know. */
  readonly notes: string[] = []
  snapshots = 0

  constructor(name: string) {
    this.name = name
  }

  /** `file` is one of the database's own, or one of the log. */
  find(part: Finding['part'], file: string, what: string, todo: string): void {
    this.findings.push(finding(part, this.name, file.startsWith('log/') ? file : `databases/${this.name}/${file}`, what, todo))
  }

  note(what: string): void {
    this.notes.push(`${this.name} ${what}`)
  }
}

/** Without `withState`, which takes the folder's lock, the state file is left out. */
export async function checkDatabase(history: DatabaseHistory, withState: boolean): Promise<DatabaseReport> {
  using folder = new TemporaryFolder()
  const report = new DatabaseReport(history.name)
  const rebuilding = new Rebuilding(history, folder, report)
  await rebuilding.checkSnapshots()
  const content = await rebuilding.run()
  if (withState) await checkState(history, folder, { report, content })
  return report
}
