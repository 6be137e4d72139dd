/**
 * How soon a host answers again, from opening its folder to the first row: closed well, killed, with its state
 * file lost (a snapshot is copied, or every call replayed from the log), for a database of about 100 MB.
 */
import { cpSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openHost } from '../host/index.ts'
import type { LocalHost, Sender } from '../host/index.ts'
import { buildModule } from '../host/module/build.ts'
import { fillTurns } from './claims-host.ts'
import { report, spread } from './measure.ts'
import type { Report } from './measure.ts'

const callers = 1_000
const turnsEach = 600
/** Calls of one row each on top, which a rebuilt file goes through one by one. */
const singleCalls = 20_000
const atOnce = 200
const rounds = 5

export async function benchRestart(): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-bench-'))
  const [closed, killed] = [join(folder, 'closed'), join(folder, 'killed')]
  try {
    await fill(closed, killed)
    const figures: Record<string, number> = { 'state file, MB': sizeOf(closed) / 1e6 }
    const times = new Map<string, number[]>()
    for (let round = 0; round < rounds; round++) {
      for (const [name, source, spoil] of ways(closed, killed)) {
        const data = join(folder, 'again')
        cpSync(source, data, { recursive: true })
        spoil(data)
        const took = await restart(data)
        times.set(name, [...(times.get(name) ?? []), took])
        rmSync(data, { recursive: true })
      }
    }
    for (const [name, values] of times) figures[`${name}, ms`] = spread(values).p50
    const lost = (name: string): number => spread(times.get(name) ?? []).p50
    const records = callers / 100 + singleCalls
    return report('restart', figures, { 'replayed call, µs': ((lost('file and snapshots lost') - lost('closed well')) / records) * 1_000 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type Way = readonly [name: string, source: string, spoil: (data: string) => void]

function ways(closed: string, killed: string): readonly Way[] {
  const lose = (data: string, ...names: readonly string[]): void => {
    for (const name of names) rmSync(join(data, 'databases', 'claims', name), { recursive: true, force: true })
  }
  return [
    ['closed well', closed, () => undefined],
    ['killed', killed, () => undefined],
    ['file lost, snapshot there', closed, (data) => lose(data, 'state.sqlite')],
    ['file and snapshots lost', closed, (data) => lose(data, 'state.sqlite', 'snapshots')],
  ]
}

/** A folder that was closed, and a copy of it as a killed host leaves it. */
async function fill(closed: string, killed: string): Promise<void> {
  const host = await openHost({ data: closed })
  const claims = await host.database('claims', { create: true })
  const { component } = await buildModule('modules/claims', { optimize: true })
  await claims.publish(component)
  const senders = await fillTurns(claims, callers, turnsEach)
  for (let done = 0; done < singleCalls; done += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, (_unused, index) => oneMore(senders[(done + index) % senders.length])))
  }
  cpSync(closed, killed, { recursive: true })
  await host.close()
}

async function oneMore(sender: Sender | undefined): Promise<void> {
  await sender?.call('remember_turn', { content: 'one more' })
}

async function restart(data: string): Promise<number> {
  const start = performance.now()
  const host: LocalHost = await openHost({ data })
  const sender = await (await host.database('claims')).as({ subject: 'caller 1' })
  if (sender.rows('turns', { latest: 20 }).length !== 20) throw new Error('rows are missing')
  const took = performance.now() - start
  await host.close()
  return took
}

function sizeOf(data: string): number {
  return statSync(join(data, 'databases', 'claims', 'state.sqlite')).size
}
