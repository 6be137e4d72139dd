/** What befalls a data folder beside the kill of its host: what only the log can make good. */
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Random } from '../fuzz/random.ts'

/** The machine starts anew: what was not synced is there, or not, or in part, which is the WAL of each state file. */
export function losePower(databaseFolders: readonly string[], random: Random): void {
  for (const folder of databaseFolders) {
    const marks = join(folder, 'state.json')
    if (existsSync(marks))
      writeFileSync(marks, JSON.stringify({ ...(JSON.parse(readFileSync(marks, 'utf8')) as object), boot: 'another start of the machine' }))
    const wal = join(folder, 'state.sqlite-wal')
    if (!existsSync(wal)) continue
    if (random.chance(2)) rmSync(wal)
    else truncateSync(wal, random.below(statSync(wal).size))
  }
}

/** Somebody takes the state file away, or its marks, or what they hold for the state file's rubbish. */
export function loseState(folder: string, random: Random): void {
  for (const name of random.pick([['state.sqlite'], ['state.json'], ['state.sqlite', 'state.sqlite-wal', 'state.sqlite-shm'], ['state.sqlite-wal']])) {
    rmSync(join(folder, name), { force: true })
  }
}
