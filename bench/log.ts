/**
 * What a record of the commit log costs, part by part: 300 bytes of sections, 64 records a batch, without a disk;
 * then the log's own append on one. Figures of the parts are microseconds of one record.
 */
import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

import { systemClock } from '../host/clock.ts'
import { FileLog } from '../host/log/file-log.ts'
import { systemFiles } from '../host/log/log-files.ts'
import type { LogFiles } from '../host/log/log-files.ts'
import { RecordBatch } from '../host/log/record-batch.ts'
import { firstChain } from '../host/log/record.ts'
import type { RecordHead } from '../host/log/record.ts'
import { interleave, ratio, report, spreadFigures } from './measure.ts'
import type { Candidate, Report, Spread } from './measure.ts'

const perBatch = 64
const sections = new Uint8Array(300).fill(7)

/** Takes every write and keeps nothing of it. */
const noDisk: LogFiles = {
  makeFolder: () => undefined,
  list: () => [],
  open: () => ({ sizeBytes: 0, read: () => 0, write: (bytes) => bytes.length, sync: () => undefined, truncate: () => undefined, close: () => undefined }),
  rename: () => undefined,
  unlink: () => undefined,
  syncFolder: () => undefined,
}

/** The databases of a batch's records take turns. */
function headsOf(databases: number): readonly RecordHead[] {
  return Array.from({ length: perBatch }, (_record, index): RecordHead => ({
    kind: 'call',
    schemaVersion: 1,
    epoch: 1n,
    position: BigInt(index + 1),
    database: uids[index % databases] ?? new Uint8Array(16),
    tenant: new Uint8Array(16),
    timestamp: 1_790_000_000_000_000n,
    seed: [0x1234_5678_9abc_def0n, 0x0fed_cba9_8765_4321n],
    fuel: 48_123,
    moduleHash: new Uint8Array(32).fill(1),
    policyVersion: 1,
    fuelSchedule: 1,
    hostVersion: 1 << 10,
    sqliteVersion: 3_054_000,
    callKey: new Uint8Array(16).fill(2),
  }))
}

const uids = Array.from({ length: perBatch }, (_uid, index) => new Uint8Array(16).fill(index))

function fill(batch: RecordBatch, heads: readonly RecordHead[]): void {
  batch.reset()
  let chain: Uint8Array = firstOfAll
  for (const head of heads) chain = batch.add(head, sections, chain)
}

const firstOfAll = firstChain(new Uint8Array(16))

async function appending(name: string, files: LogFiles, folder: string, heads: readonly RecordHead[]): Promise<Candidate> {
  const log = new FileLog({ folder, lock: () => ({ [Symbol.dispose]: () => undefined }), clock: systemClock, files })
  await log.acquire()
  const batch = new RecordBatch()
  const done = (outcome: object): void => {
    if ('failure' in outcome) throw outcome.failure
  }
  const run = (): void => {
    fill(batch, heads)
    log.append(batch, done)
  }
  return { name, run }
}

export async function benchLog(): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-log-'))
  try {
    return await measured(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function measured(folder: string): Promise<Report> {
  const bytes = Buffer.alloc(64 * 1024, 5)
  const header = bytes.subarray(0, 224)
  const payload = bytes.subarray(1_000, 1_316)
  const checked = bytes.subarray(0, 240)
  const batch = new RecordBatch()
  const [one, many] = [headsOf(1), headsOf(perBatch)]
  const times = (work: () => unknown) => (): void => {
    for (let left = perBatch; left > 0; left -= 1) work()
  }
  const parts = await interleave(
    [
      { name: 'hash of the payload', run: times(() => hash('sha256', payload, 'binary')) },
      { name: 'hash of the header', run: times(() => hash('sha256', header, 'binary')) },
      { name: 'checksum of the frame', run: times(() => crc32(checked)) },
      { name: 'add', run: () => fill(batch, one) },
      { name: 'stamp', run: () => batch.stamp(1n, 1n) },
      await appending('all but the disk, 1 database', noDisk, '/none', one),
      await appending('all but the disk, 64 databases', noDisk, '/none', many),
    ],
    { rounds: 200, perRound: 20 },
  )
  const disk = await interleave(
    [
      await appending('append of 64 records', systemFiles, join(folder, '64'), one),
      await appending('append of 1 record', systemFiles, join(folder, '1'), one.slice(0, 1)),
    ],
    { rounds: 40, perRound: 20 },
  )
  const ofRecord = new Map([...parts].map(([name, spread]) => [name, divided(spread)]))
  return report(
    'log',
    { ...spreadFigures(ofRecord), ...spreadFigures(disk) },
    { 'append of 64 records / of 1': ratio(disk, 'append of 64 records', 'append of 1 record') },
  )
}

function divided({ p50, p99 }: Spread): Spread {
  return { p50: p50 / perBatch, p99: p99 / perBatch }
}
