/**
 * What the access log costs: a host-side read of 20 rows with its record against the same read without one, and each
 * part of the difference; then the report of one subject among a million records, indexing and verifying them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { AccessIndex } from '../host/access-log/access-index.ts'
import { AccessLog } from '../host/access-log/access-log.ts'
import { packAccess } from '../host/access-log/access-record.ts'
import { AccessTrail } from '../host/access-log/access-trail.ts'
import { Touched } from '../host/access-log/touched.ts'
import { verifyFolders } from '../host/access-log/verify-folder.ts'
import { systemClock } from '../host/clock.ts'
import { identityFromBytes, identityToBytes } from '../host/identity.ts'
import { PackedWriter } from '../host/packed-bytes.ts'
import type { SqlRow } from '../host/plan/plan.ts'
import { resume } from '../host/publish/publish.ts'
import { Database } from '../host/reducer/database.ts'
import type { Table } from '../host/schema/schema.ts'
import { DatabaseFile } from '../host/storage/database-file.ts'
import { currentSchema } from '../host/storage/module-store.ts'
import { claimsHost, fillTurns } from './claims-host.ts'
import { interleave, ratio, report, spread, spreadFigures } from './measure.ts'
import type { Report } from './measure.ts'

const callers = 1_000
const turnsEach = 100
const wanted = 20
const records = 1_000_000
const subjects = 10_000

export async function benchAudit(): Promise<Report> {
  const { spreads, turns } = await benchReads()
  const { figures, times } = await benchReports(turns)
  return report(
    'audit',
    { ...spreadFigures(spreads), ...figures, 'report of one subject p50': times.p50, 'report of one subject p99': times.p99 },
    {
      'read with its record / without': ratio(spreads, 'read with its record', 'read without'),
      'query with its record / without': ratio(spreads, 'query with its record', 'query without'),
    },
  )
}

async function benchReads(): Promise<{ readonly spreads: Awaited<ReturnType<typeof interleave>>; readonly turns: Table }> {
  await using fixture = await claimsHost()
  const senders = await fillTurns(fixture.claims, callers, turnsEach)
  const bare = await unrecorded(fixture.file)
  const access = bare.requireModule().tables.get('turns')
  const turns = currentSchema(bare.file).tables.find(({ name }) => name === 'turns')
  const query = bare.requireModule().description.reducers.findIndex(({ name }) => name === 'last_turns')
  if (access === undefined || turns === undefined) throw new Error('the claims module has turns')
  const people = senders.map(({ identity }) => ({
    sender: identityToBytes(identity),
    actor: identityToBytes(identity),
    assurance: 'none' as const,
    channel: 'process',
    claims: {},
  }))
  const scan = { direction: 'latest', limit: wanted, terms: [] } as const
  const args = new PackedWriter()
  args.u32(wanted)
  const packedArgs = args.toBytes()
  const { runCall } = await import('../host/reducer/run-call.ts')

  let turn = 0
  const next =
    <T>(read: (index: number) => T) =>
    () =>
      read((turn = (turn + 7_919) % callers))
  const parts = await recordParts(turns)
  const spreads = await interleave(
    [
      { name: 'read without', run: next((index) => bare.rows(people[index] ?? failed(), access, scan)) },
      { name: 'read with its record', run: next((index) => senders[index]?.rows('turns', { latest: wanted })) },
      {
        name: 'query without',
        run: next((index) => runCall(bare, bare.requireModule(), { reducer: query, caller: people[index] ?? failed(), args: packedArgs })),
      },
      { name: 'query with its record', run: next((index) => senders[index]?.query('last_turns', [wanted])) },
      { name: 'part: account of 20 rows', run: parts.touch },
      { name: 'part: packing', run: parts.pack },
      { name: 'part: salt, hashes, chain, CRC', run: parts.add },
      { name: 'part: write', prepare: parts.add, run: parts.write },
    ],
    { rounds: 100, perRound: 100 },
  )
  await parts.close()
  bare.file.close()
  return { spreads, turns }
}

function failed(): never {
  throw new Error('there are callers')
}

/** The same file and module, and nobody who keeps account. */
async function unrecorded(path: string): Promise<Database> {
  const database = new Database({ file: new DatabaseFile({ path, create: false, isDurable: false }), clock: systemClock })
  await resume(database)
  return database
}

const noVersions = { moduleHash: new Uint8Array(32), schemaVersion: 1, policyVersion: 1, fuelSchedule: 1 }

async function recordParts(turns: Table) {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-bench-'))
  const { log, trail } = await openTrail(folder)
  const owner = Buffer.alloc(32, 7)
  const rows = rowsOfCaller(turns, owner)
  const touched = touchedBy(turns, rows)
  const entry = entryOf(owner, touched)
  const writer = new PackedWriter()
  const moment = { timestamp: systemClock.now(), ...noVersions }
  return {
    touch: () => touchedBy(turns, rows),
    pack: () => {
      writer.reset()
      packAccess(writer, entry)
    },
    add: () => trail.add(entry, moment),
    write: () => trail.write(),
    close: async () => {
      trail.write()
      await log.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function openTrail(folder: string): Promise<{ readonly log: AccessLog; readonly trail: AccessTrail }> {
  const log = await AccessLog.open({ folder: join(folder, 'access'), clock: systemClock, onFailure: (message) => process.stderr.write(`${message}\n`) })
  const facts = { database: uid, tenant: Buffer.alloc(16, 2), sqliteVersion: 1, hostVersion: 1 }
  return { log, trail: new AccessTrail(log, facts, undefined) }
}

const uid = Buffer.alloc(16, 1)

function rowsOfCaller(turns: Table, owner: Uint8Array): readonly SqlRow[] {
  return Array.from({ length: wanted }, (_unused, index) =>
    turns.columns.map((column) => (column === turns.owner ? owner : column === turns.key ? BigInt(81 + index) : '')),
  )
}

function touchedBy(turns: Table, rows: readonly SqlRow[]): Touched {
  const touched = new Touched()
  touched.rows(turns, 'returned', rows)
  return touched
}

function entryOf(sender: Uint8Array, touched: Touched): Parameters<typeof packAccess>[1] {
  return { event: 'rows', name: 'turns', outcome: '', who: { sender, actor: sender, assurance: 'signed', channel: 'http' }, version: 1, asOf: 1n, touched }
}

/** A million recalls of 20 rows each, of ten thousand people. */
async function benchReports(turns: Table) {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-bench-'))
  const { log, trail } = await openTrail(folder)
  const owners = Array.from({ length: subjects }, (_unused, index) => {
    const owner = Buffer.alloc(32, 3)
    owner.writeUInt32LE(index)
    return owner
  })
  const entries = owners.map((owner) => entryOf(owner, touchedBy(turns, rowsOfCaller(turns, owner))))
  const start = systemClock.now()
  for (let index = 0; index < records; index++) {
    trail.add(entries[(index * 7_919) % subjects] ?? failed(), { timestamp: start + BigInt(index) * 1_000n, ...noVersions })
    if (index % 500 === 499) trail.write()
  }
  trail.write()
  const index = new AccessIndex(join(folder, 'access.sqlite'), log, uid)
  const indexMs = timed(() => void index.upToDate())
  const times: number[] = []
  for (let run = 0; run < 2_000; run++) {
    const subject = identityFromBytes(owners[(run * 7_919) % subjects] ?? failed())
    const before = performance.now()
    const found = index.ofSubject({ subject, since: start, until: start + BigInt(records) * 1_000n, rowsMax: 10_000 })
    times.push((performance.now() - before) * 1_000)
    if (found.length !== records / subjects) throw new Error(`${found.length} records of one subject`)
  }
  const verifyStart = performance.now()
  const { problems, sizeBytes } = await verifyFolders([join(folder, 'access')], { now: systemClock.now(), isDropped: () => false })
  const verifyMs = performance.now() - verifyStart
  if (problems.length > 0) throw new Error(problems[0]?.what)
  index.close()
  await log.close()
  rmSync(folder, { recursive: true })
  return {
    figures: {
      'bytes a record': sizeBytes / records,
      'records indexed a second': (records / indexMs) * 1_000,
      'records verified a second': (records / verifyMs) * 1_000,
    },
    times: spread(times),
  }
}

function timed(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}
