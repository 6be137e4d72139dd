/**
 * How soon a host answers again, from opening its folder to the first rows, in its caller's own process: after a good
 * end, after a kill, and where the state file is lost and is made anew from a snapshot, or call by call from the log.
 * What a larger database or a longer log adds stands beside it: seconds a gigabyte, microseconds a call.
 */
import { cpSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openHost } from '../host/index.ts'
import type { LocalHost, Sender } from '../host/index.ts'
import { buildModule } from '../host/module/build.ts'
import { databaseFolder } from '../host/storage/data-folder.ts'
import { sumFile } from '../host/storage/durable-file.ts'
import { Snapshots } from '../host/storage/snapshots.ts'
import { stateFilePath } from '../host/storage/state-file.ts'
import { readMarks } from '../host/storage/state-marks.ts'
import { fillTurns } from './claims-host.ts'
import { report, spread } from './measure.ts'
import type { Report } from './measure.ts'

/** About 100 MB. */
const large = { callers: 1_000, turnsEach: 650 }
const small = { callers: 1, turnsEach: 20 }
/** Of one row each. */
const replayedCalls = 20_000
const atOnce = 200
const rounds = 5

export async function benchRestart(): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-bench-'))
  const at = (name: string): string => join(folder, name)
  try {
    await fill(at('large'), large, { killed: at('killed') })
    await fill(at('small'), small)
    await fill(at('calls'), small, { calls: replayedCalls })
    const sizeGb = statSync(stateFilePath(databaseFolder(at('large'), 'claims'))).size / 1e9
    const times = await measured(at('again'), [
      { name: 'small, closed well', source: at('small'), lost: [] },
      { name: 'large, closed well', source: at('large'), lost: [] },
      { name: 'large, killed', source: at('killed'), lost: [] },
      { name: 'large, file lost, snapshot there', source: at('large'), lost: ['state.sqlite'] },
      { name: `small, ${replayedCalls.toLocaleString('en')} calls in the log alone`, source: at('calls'), lost: ['state.sqlite', 'snapshots'] },
    ])
    const [base = 0, closed = 0, , snapshot = 0, replayed = 0] = times.values()
    return report(
      'restart',
      {
        'large file, MB': sizeGb * 1_000,
        ...Object.fromEntries([...times].map(([name, timeMs]) => [`${name}, ms`, timeMs])),
        'a GB of state file, s': (closed - base) / 1_000 / sizeGb,
        'a GB of snapshot, s': (snapshot - base) / 1_000 / sizeGb,
        'a replayed call, µs': ((replayed - base) * 1_000) / replayedCalls,
      },
      {},
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Way {
  readonly name: string
  readonly source: string
  /** What is gone of the database's folder. */
  readonly lost: readonly string[]
}

/** Medians in milliseconds; the ways take turns. */
async function measured(data: string, ways: readonly Way[]): Promise<ReadonlyMap<string, number>> {
  const times = new Map(ways.map(({ name }) => [name, [] as number[]]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, source, lost } of ways) {
      cpSync(source, data, { recursive: true })
      for (const part of lost) rmSync(join(databaseFolder(data, 'claims'), part), { recursive: true, force: true })
      times.get(name)?.push(await restart(data))
      rmSync(data, { recursive: true })
    }
  }
  return new Map([...times].map(([name, values]) => [name, spread(values).p50]))
}

interface FillOptions {
  /** Where a copy goes as a killed host leaves it. */
  readonly killed?: string
  readonly calls?: number
}

/** A folder that was closed, with a snapshot of its last record. */
async function fill(data: string, { callers, turnsEach }: typeof large, { killed, calls = 0 }: FillOptions = {}): Promise<void> {
  const host = await openHost({ data })
  const claims = await host.database('claims', { create: true })
  const { component } = await buildModule('modules/claims', { optimize: true })
  await claims.publish(component)
  const senders = await fillTurns(claims, callers, turnsEach)
  for (let done = 0; done < calls; done += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, (_unused, index) => oneMore(senders[(done + index) % senders.length])))
  }
  if (killed !== undefined) cpSync(data, killed, { recursive: true })
  await host.close()
  await takeSnapshot(databaseFolder(data, 'claims'))
}

async function oneMore(sender: Sender | undefined): Promise<void> {
  await sender?.call('remember_turn', { content: 'one more' })
}

async function takeSnapshot(folder: string): Promise<void> {
  const position = readMarks(folder)?.position ?? 0n
  const snapshots = new Snapshots(folder)
  snapshots.keep(position, await sumFile(stateFilePath(folder), snapshots.begin(position)))
}

async function restart(data: string): Promise<number> {
  const start = performance.now()
  const host: LocalHost = await openHost({ data })
  const sender = await (await host.database('claims')).as({ subject: 'caller 0' })
  if (sender.rows('turns', { latest: 20 }).length !== 20) throw new Error('rows are missing')
  const took = performance.now() - start
  await host.close()
  return took
}
