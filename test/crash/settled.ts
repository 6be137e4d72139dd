/**
 * Rows enter a state file a quarter of a second after their calls were answered. Whoever reads the files of a host that
 * runs waits until they have all that the log has.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import Sqlite from 'better-sqlite3'

import { LogView } from '../../host/log/log-view.ts'
import { laneFolder, laneFolders } from '../../host/storage/data-folder.ts'

const timeMsMax = 20_000

/** What is wrong, when they do not come as far. Nobody may call meanwhile. */
export async function settled(data: string, names: readonly string[]): Promise<readonly string[]> {
  const end = performance.now() + timeMsMax
  for (;;) {
    const positions = loggedPositions(data)
    const late = names.filter((name) => filePosition(data, name) < (positions.get(uidOf(data, name)) ?? 0n))
    if (late.length === 0) return []
    if (performance.now() > end) return late.map((name) => `the file of ${name} does not follow its log`)
    await delay(20)
  }
}

function loggedPositions(data: string): ReadonlyMap<string, bigint> {
  const lanes = laneFolders(data).map((lane) => LogView.open(laneFolder(data, lane), 0n))
  return new Map(lanes.flatMap((log) => log.segments().flatMap(({ heads }) => [...heads].map(([uid, { position }]) => [uid, position] as const))))
}

function uidOf(data: string, name: string): string {
  const { uid } = JSON.parse(readFileSync(join(data, 'databases', name, 'database.json'), 'utf8')) as { readonly uid: string }
  return uid
}

function filePosition(data: string, name: string): bigint {
  const file = new Sqlite(join(data, 'databases', name, 'state.sqlite'), { readonly: true })
  try {
    return file.prepare<[], bigint>('SELECT position FROM _head').pluck().safeIntegers().get() ?? 0n
  } finally {
    file.close()
  }
}
