/**
 * Which database a folder holds, asked by whoever takes it away: a note that is lost or damaged (database-note.ts)
 * must not keep its rows there for ever. To open it more is wanted, since nobody is to be given another's rows.
 */
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'

import { HostError } from '../errors.ts'
import { databaseFolder, databaseFolders } from './data-folder.ts'
import { DatabaseFile } from './database-file.ts'
import { isNoteDamaged, readDatabaseNote } from './database-note.ts'
import { Snapshots } from './snapshots.ts'
import { stateFilePath } from './state-file.ts'
import { loadDatabaseId } from './system-tables.ts'
import type { DatabaseId } from './system-tables.ts'

/**
 * Undefined for a folder that has nothing of a database.
 *
 * @throws HostError ERR_STORAGE when its files do not say it, or say that they are those of another folder.
 */
export function idOfRemains(folder: string): DatabaseId | undefined {
  if (!isNoteDamaged(folder)) {
    const id = readDatabaseNote(folder)
    if (id !== undefined) return id
  }
  const files = [stateFilePath(folder), ...new Snapshots(folder).list().map(({ path }) => path)].filter((path) => existsSync(path))
  if (files.length === 0 && !isNoteDamaged(folder)) return undefined
  const id = files.map(idIn).find((found) => found !== undefined)
  if (id === undefined) {
    throw new HostError(
      'ERR_STORAGE',
      'neither database.json nor another file says which database this is, and what the log has of it: restore one from a backup',
    )
  }
  const other = ownerAmongOthers(folder, id)
  if (other !== undefined) throw new HostError('ERR_STORAGE', `the files are those of ${other}: move them out of the data folder`)
  return id
}

function idIn(path: string): DatabaseId | undefined {
  return knownId(() => {
    using file = new DatabaseFile({ path, create: false, isDurable: false })
    return loadDatabaseId(file)
  })
}

/** Whoever copies a folder, or a file into one, leaves two of one database: the one with the note is it. */
function ownerAmongOthers(folder: string, { uid }: DatabaseId): string | undefined {
  const data = dirname(dirname(folder))
  const others = databaseFolders(data).filter((name) => name !== basename(folder))
  return others.find((name) => {
    const id = knownId(() => readDatabaseNote(databaseFolder(data, name)))
    return id !== undefined && Buffer.compare(id.uid, uid) === 0
  })
}

function knownId(read: () => DatabaseId | undefined): DatabaseId | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof HostError) return undefined
    throw error
  }
}
