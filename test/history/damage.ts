/** What time and accidents do to a data folder. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Clock } from '../../host/clock.ts'
import { fileLog } from '../../host/shard/file-log.ts'
import type { DataFolder } from '../storage/folder.ts'

/** Forgets all segments of the log but the last that has records. */
export async function trimLog(folder: DataFolder, clock: Clock): Promise<void> {
  const log = fileLog(folder.path, 0, clock)
  await log.acquire()
  const withRecords = log.segments().filter(({ firstSequence, lastSequence }) => lastSequence >= firstSequence)
  await log.trim(withRecords.at(-1)?.firstSequence ?? 0n)
  await log.release()
}

/** Turns one bit of the first place in the log where this text stands. */
export function spoilText(folder: DataFolder, text: string): void {
  for (const name of readdirSync(folder.at('log', '0')).sort()) {
    const at = readFileSync(folder.at('log', '0', name)).indexOf(text)
    if (at >= 0) return folder.flip(join('log', '0', name), at)
  }
  throw new Error(`no segment has ${text}`)
}
