/**
 * A folder beside the data, for copies of it: nobody else of the machine can read it, and it goes when the work
 * ends. What is copied there are people's rows and signing keys, so that a signal must not leave it behind.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const open = new Set<string>()

export class TemporaryFolder implements Disposable {
  readonly path: string

  /** Where TMPDIR says: it takes room for two copies of the largest state file. */
  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'remembrancer-'))
    open.add(this.path)
  }

  at(name: string): string {
    return join(this.path, name)
  }

  [Symbol.dispose](): void {
    open.delete(this.path)
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** For a process that ends before its work does. */
export function removeTemporaryFolders(): void {
  for (const path of open) rmSync(path, { recursive: true, force: true })
  open.clear()
}
