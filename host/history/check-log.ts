/** Looks at every byte of the logs of a folder: frames, payload hashes and the chain of each database. */
import type { Micros } from '../clock.ts'
import type { LogDamage } from '../log/commit-log.ts'
import { LogView } from '../log/log-view.ts'
import { laneFolder } from '../storage/data-folder.ts'
import { recordsAfter } from '../storage/log-history.ts'
import { finding } from './finding.ts'
import type { Finding } from './finding.ts'
import type { FolderHistory, LaneHistory } from './folder-history.ts'

export interface LogCheckOptions {
  readonly now: Micros
  /** By the hex of their uids. */
  readonly names: ReadonlyMap<string, string>
  readonly onProgress: (line: string) => void
}

export async function checkLogs({ data, lanes }: FolderHistory, options: LogCheckOptions): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for (const lane of lanes) {
    for (const damage of await damagesOf(data, lane, options)) found.push(damageFinding(lane.lane, damage, options.names))
    found.push(...(await withoutFolder(lane, options.names)))
  }
  return found
}

/** A host that goes on writing may forget or erase what is being read: what is damaged stays so. */
async function damagesOf(data: string, { lane, log }: LaneHistory, { now, onProgress }: LogCheckOptions): Promise<readonly LogDamage[]> {
  const first = await allDamages(log, lane, onProgress)
  if (first.length === 0) return first
  const again = (await allDamages(LogView.open(laneFolder(data, lane), now), lane, onProgress)).map(keyOf)
  return first.filter((damage) => again.includes(keyOf(damage)))
}

async function allDamages(log: LogView, lane: number, onProgress: (line: string) => void): Promise<readonly LogDamage[]> {
  const sizeBytes = log.segments().reduce((sum, segment) => sum + segment.sizeBytes, 0)
  let readBytes = 0
  const found = await log.check(({ endOffset }) => {
    onProgress(`log ${lane}: ${Math.round((readBytes * 100) / sizeBytes)} % of ${Math.ceil(sizeBytes / 1_000_000)} MB`)
    readBytes += endOffset
  })
  // A start sees some damage that no walk over the records meets; what both see is told once.
  return [...new Map([...log.damage, ...found].map((damage) => [keyOf(damage), damage])).values()]
}

function keyOf({ file, offset, firstSequence, lastSequence }: LogDamage): string {
  return `${file} ${offset} ${firstSequence} ${lastSequence}`
}

function damageFinding(lane: number, damage: LogDamage, names: ReadonlyMap<string, string>): Finding {
  const { file, offset, firstSequence, lastSequence } = damage
  const hasRecords = lastSequence >= firstSequence
  const database = damage.database === undefined ? null : (names.get(damage.database) ?? damage.database)
  return {
    part: 'log',
    database,
    file: `log/${lane}/${file}`,
    offset,
    sequences: hasRecords ? [String(firstSequence), String(lastSequence)] : null,
    // Which record it is stands beside it.
    what: damage.what.replace(/^record \d+ of the log: /, '').replace(damage.database ?? '', database ?? ''),
    todo: hasRecords ? lostRecordsTodo(database) : 'nothing is lost: it goes when the log forgets this segment',
  }
}

function lostRecordsTodo(database: string | null): string {
  const whose = database ?? 'each database'
  return `restore the segment from a backup, if there is one; ${whose} stays whole as long as its state file or a later snapshot is: keep a copy of them`
}

/** A drop erases before it removes a folder, so that a folder without which there are records was lost. */
async function withoutFolder({ lane, log }: LaneHistory, names: ReadonlyMap<string, string>): Promise<readonly Finding[]> {
  const uids = new Set(log.segments().flatMap(({ heads }) => [...heads.keys()]))
  const found: Finding[] = []
  for (const uid of uids) {
    if (names.has(uid) || (await isErased(log, uid))) continue
    const what = `there are records of a database ${uid} whose folder is not there`
    found.push(finding('catalogue', null, `log/${lane}`, what, 'restore its folder below databases from a backup; until then the log forgets nothing of it'))
  }
  return found
}

async function isErased(log: LogView, uid: string): Promise<boolean> {
  for await (const [record] of recordsAfter(log, Buffer.from(uid, 'hex'), 0n)) return record?.isErased ?? true
  return true
}
