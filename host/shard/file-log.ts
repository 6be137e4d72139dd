/** The log of one lane in a data folder, locked as a SQLite file is. */
import { mkdirSync } from 'node:fs'

import type { Clock } from '../clock.ts'
import { FileLog } from '../log/file-log.ts'
import { laneFolder } from '../storage/data-folder.ts'
import { lockFolder } from '../storage/folder-lock.ts'

export function fileLog(data: string, lane: number, clock: Clock): FileLog {
  const folder = laneFolder(data, lane)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return new FileLog({ folder, lock: lockFolder, clock })
}
