/**
 * Durable calls of one insert each: 1, 8 and 64 callers on 1 and on 100 databases, fresh and reset
 * instances, against plain better-sqlite3 with one fsync a row and with one fsync for as many rows as
 * callers, which is the same durability; the 4 KiB fdatasync of the same disk; and what a record is made of.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import Sqlite from 'better-sqlite3'

import { openHost } from '../host/index.ts'
import type { LocalHost, Sender } from '../host/index.ts'
import { buildModule } from '../host/module/build.ts'
import { pinEngineFlags } from '../host/sandbox/engine-flags.ts'
import { report, spread } from './measure.ts'
import type { Report } from './measure.ts'
import { recordCosts } from './record-costs.ts'

const rounds = 7
const roundMs = 250
const content = 'the water is in the basement'
const callerCounts = [1, 8, 64] as const
const databaseCounts = [1, 100] as const

/** Works for so long and says how many rows it has made durable. */
interface Contender {
  readonly name: string
  run(timeMs: number): Promise<number>
}

export async function benchDurable(): Promise<Report> {
  pinEngineFlags()
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-bench-'))
  const { component } = await buildModule('modules/claims', { optimize: true })
  const hosts: LocalHost[] = []
  try {
    const contenders = [...plainContenders(folder)]
    for (const instances of ['fresh', 'reset'] as const) {
      const host = await openHost({ data: join(folder, instances), instances })
      hosts.push(host)
      contenders.push(...(await hostContenders(host, instances, component)))
    }
    const rates = await race(contenders)
    const sync = spread(fdatasyncs(folder, 300))
    const single = spread(await singleCalls(hosts[0] as LocalHost, 300))
    const rate = (name: string): number => rates.get(name) ?? Number.NaN
    const ratios: Record<string, number> = {}
    for (const instances of ['fresh', 'reset']) {
      for (const databases of databaseCounts) {
        const name = `${instances}, ${databases} databases, 64 callers`
        ratios[`${name} / plain, one fsync a row`] = rate(name) / rate('plain, 1 row a commit')
        if (databases === 1) ratios[`${name} / plain, 64 rows a commit`] = rate(name) / rate('plain, 64 rows a commit')
      }
    }
    ratios['single call / fdatasync'] = single.p50 / sync.p50
    const figures = {
      ...Object.fromEntries([...rates].map(([name, value]) => [`${name}, rows/s`, value])),
      'fdatasync of 4 KiB p50': sync.p50,
      'fdatasync of 4 KiB p99': sync.p99,
      'single call p50': single.p50,
      'single call p99': single.p99,
      ...(await recordCosts(hosts[0] as LocalHost)),
    }
    return report('durable', figures, ratios)
  } finally {
    for (const host of hosts) await host.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The contenders take turns, so that a disk that changes its speed changes it for all; medians. */
async function race(contenders: readonly Contender[]): Promise<Map<string, number>> {
  const rates = new Map(contenders.map(({ name }) => [name, [] as number[]]))
  for (let round = -1; round < rounds; round++) {
    for (const contender of contenders) {
      const start = performance.now()
      const rows = await contender.run(roundMs)
      const rate = (rows / (performance.now() - start)) * 1_000
      if (round >= 0) rates.get(contender.name)?.push(rate)
    }
  }
  return new Map([...rates].map(([name, values]) => [name, spread(values).p50]))
}

function plainContenders(folder: string): readonly Contender[] {
  const sqlite = new Sqlite(join(folder, 'plain.sqlite'))
  sqlite.pragma('journal_mode = WAL')
  sqlite.pragma('synchronous = FULL')
  sqlite.exec(
    'CREATE TABLE turns (caller BLOB NOT NULL, id INTEGER NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (caller, id)) STRICT, WITHOUT ROWID',
  )
  const insert = sqlite.prepare('INSERT INTO turns (caller, id, role, content, at) VALUES (?, ?, ?, ?, ?)')
  const caller = Buffer.alloc(32, 7)
  let id = 0
  const insertMany = sqlite.transaction((count: number) => {
    for (let left = count; left > 0; left--) insert.run(caller, ++id, 'caller', content, Date.now())
  })
  return callerCounts.map((count) => ({
    name: `plain, ${count} ${count === 1 ? 'row' : 'rows'} a commit`,
    run: async (timeMs) => {
      const end = performance.now() + timeMs
      let rows = 0
      for (; performance.now() < end; rows += count) insertMany(count)
      return rows
    },
  }))
}

async function hostContenders(host: LocalHost, instances: string, component: Uint8Array): Promise<Contender[]> {
  const contenders: Contender[] = []
  for (const databases of databaseCounts) {
    const senders: Sender[] = []
    for (let number = 0; number < databases; number++) {
      const database = await host.database(`d${databases}-${number}`, { create: true })
      await database.publish(component)
      const each = Math.ceil(Math.max(...callerCounts) / databases)
      for (let caller = 0; caller < each; caller++) senders.push(await database.as({ subject: `caller ${caller}` }))
    }
    for (const callers of callerCounts) {
      contenders.push({ name: `${instances}, ${databases} databases, ${callers} callers`, run: (timeMs) => callAll(senders.slice(0, callers), timeMs) })
    }
  }
  return contenders
}

async function callAll(senders: readonly Sender[], timeMs: number): Promise<number> {
  const end = performance.now() + timeMs
  let calls = 0
  await Promise.all(
    senders.map(async (sender) => {
      for (; performance.now() < end; calls++) await sender.call('remember_turn', { content })
    }),
  )
  return calls
}

async function singleCalls(host: LocalHost, count: number): Promise<number[]> {
  const sender = await (await host.database('d1-0')).as({ subject: 'alone' })
  const times: number[] = []
  for (let left = count; left > 0; left--) {
    const start = performance.now()
    await sender.call('remember_turn', { content })
    times.push((performance.now() - start) * 1_000)
  }
  return times
}

/** Into blocks that are there already, as the log writes. */
function fdatasyncs(folder: string, count: number): number[] {
  const file = openSync(join(folder, 'sync'), 'w')
  const page = Buffer.alloc(4_096, 1)
  for (let at = 0; at < count; at++) writeSync(file, page, 0, page.length, at * page.length)
  fdatasyncSync(file)
  const times: number[] = []
  for (let at = 0; at < count; at++) {
    const start = performance.now()
    writeSync(file, page, 0, page.length, at * page.length)
    fdatasyncSync(file)
    times.push((performance.now() - start) * 1_000)
  }
  closeSync(file)
  return times
}
