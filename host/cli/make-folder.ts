/**
 * A folder with those above it. One by one, since Node's own recursive mkdir never returns where a
 * folder cannot be made below one that is there, as in /proc (Node 24.21.0).
 */
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'

export function makeFolder(folder: string, mode: number = 0o777): void {
  if (existsSync(folder)) return
  makeFolder(path.dirname(path.resolve(folder)), mode)
  try {
    mkdirSync(folder, { mode })
  } catch (error) {
    // Another command made it in the meantime.
    if (!existsSync(folder)) throw error
  }
}
