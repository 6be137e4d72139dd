/** A lock on a folder that lasts as long as its holder's process, however that ends: SQLite's own, on a file of no content. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'

import { HostError } from '../errors.ts'
import { DatabaseFile } from './database-file.ts'

/** @throws HostError ERR_FOLDER_LOCKED while another has it. */
export function lockFolder(folder: string): Disposable {
  const path = join(folder, 'lock.sqlite')
  try {
    return locked(path)
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'ERR_STORAGE') throw error
    // It does not read, so nobody has it: who has it keeps others from reading. Nothing in it would be missed.
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
    return locked(path)
  }
}

function locked(path: string): Disposable {
  const file = new DatabaseFile({ path, create: true, exclusive: true })
  try {
    file.transaction(() => file.execute('CREATE TABLE IF NOT EXISTS lock (holder TEXT)'))
    return file
  } catch (error) {
    file.close()
    throw error
  }
}
