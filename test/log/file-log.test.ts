/** The file log as a driver, on the machine's own disk; and what only a log of files can show. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'

import { FileLog } from '../../host/log/file-log.ts'
import { frameHeadBytes } from '../../host/log/frame.ts'
import type { AppendOutcome, CommitLog } from '../../host/log/commit-log.ts'
import type { LogFiles } from '../../host/log/log-files.ts'
import { DataFolder, StoppedClock } from '../storage/folder.ts'
import { driverSuite, lineOf, recordsOf, Writer } from './driver-suite.ts'
import type { DriverFixture } from './driver-suite.ts'
import { ProcessLock } from './process-lock.ts'
import { framedRecord, headOf, uid } from './records.ts'
import { SimDisk } from './sim-disk.ts'
import type { DiskFault, DiskOperation } from './sim-disk.ts'

const [sarah, bob] = [uid(1), uid(2)]

class FileFixture implements DriverFixture {
  readonly #folder = new DataFolder()
  readonly #locks = new Map<CommitLog, ProcessLock>()
  readonly #holders = { isTaken: false }

  open(): CommitLog {
    const lock = new ProcessLock(this.#holders)
    const log = new FileLog({ folder: this.#folder.at('log', '0'), lock: () => lock.take(), clock: new StoppedClock(), segmentSizeBytes: 32 * 1024 })
    this.#locks.set(log, lock)
    return log
  }

  kill(log: CommitLog): void {
    this.#locks.get(log)?.drop()
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }
}

driverSuite('file log', () => new FileFixture())

/** A log whose lock keeps nobody out. */
function unlocked(files: LogFiles, segmentSizeBytes = 32 * 1024): FileLog {
  return new FileLog({ folder: '/log', lock: () => ({ [Symbol.dispose]: () => undefined }), clock: new StoppedClock(), files, segmentSizeBytes })
}

async function heldLog(disk: SimDisk): Promise<{ readonly log: FileLog; readonly writer: Writer }> {
  const log = unlocked(disk)
  await log.acquire()
  return { log, writer: new Writer(log) }
}

/** Makes the next operations of a kind fail, one each. */
function failNext(disk: SimDisk, ...faults: readonly (readonly [DiskOperation, DiskFault])[]): void {
  const left = [...faults]
  disk.plan = (operation) => (left[0]?.[0] === operation ? left.shift()?.[1] : undefined)
}

async function linesOf(log: CommitLog): Promise<readonly string[]> {
  return (await recordsOf(log)).map((record) => lineOf(record))
}

function codeOf(outcome: AppendOutcome): string {
  return 'failure' in outcome ? outcome.failure.code : 'acknowledged'
}

test('a holder whose lock did not hold is told at its next heartbeat, and what it wrote since is not in the log', async () => {
  const disk = new SimDisk()
  const { log: first, writer } = await heldLog(disk)
  writer.append('a', sarah)
  const second = await heldLog(disk)
  writer.append('never', sarah)
  await assert.rejects(() => first.heartbeat(), { code: 'ERR_LOG_FENCED' })
  assert.equal(codeOf(writer.append('b', sarah)), 'ERR_LOG_FENCED')
  await first.release()
  second.writer.append('c', bob)
  assert.deepEqual(await linesOf(second.log), ['1 1/1 a', '2 2/1 c'])
  await second.log.heartbeat()
})

test('a holder that was fenced starts no segment', async () => {
  const disk = new SimDisk()
  const { log: first, writer } = await heldLog(disk)
  writer.append('x'.repeat(40_000), sarah)
  const second = await heldLog(disk)
  second.writer.append('a', bob)
  assert.equal(codeOf(writer.append('b', sarah)), 'ERR_LOG_FENCED')
  await first.release()
  const next = await heldLog(disk.afterKill())
  assert.deepEqual((await linesOf(next.log)).slice(1), ['2 2/1 a'])
  assert.deepEqual(await next.log.check(), [])
})

test('a write that fails is refused and cut, and the log goes on in the same segment', async () => {
  const disk = new SimDisk()
  const { log, writer } = await heldLog(disk)
  writer.append('a', sarah)
  failNext(disk, ['write', 'late-error'])
  assert.equal(codeOf(writer.append('b', sarah)), 'ERR_STORAGE')
  assert.deepEqual(writer.append('c', sarah), { firstSequence: 2n })
  assert.deepEqual([log.segments().length, await linesOf(log)], [1, ['1 1/1 a', '2 1/2 c']])
})

test('a file whose sync has failed is not written again', async () => {
  const disk = new SimDisk()
  const { log, writer } = await heldLog(disk)
  writer.append('a', sarah)
  failNext(disk, ['sync', 'error'])
  assert.equal(codeOf(writer.append('b', sarah)), 'ERR_STORAGE')
  assert.deepEqual(writer.append('c', sarah), { firstSequence: 2n })
  assert.deepEqual(
    log.segments().map(({ firstSequence, lastSequence }) => [firstSequence, lastSequence]),
    [
      [1n, 1n],
      [2n, 2n],
    ],
  )
  const next = await heldLog(disk.afterKill())
  assert.deepEqual(await linesOf(next.log), ['1 1/1 a', '2 1/2 c'])
})

test('a batch that can be neither written nor taken back is unknown: the next holder finds it, or the next append makes it void', async () => {
  const disk = new SimDisk()
  const { writer } = await heldLog(disk)
  writer.append('a', sarah)
  failNext(disk, ['sync', 'error'], ['sync', 'error'])
  assert.equal(codeOf(writer.append('b', sarah)), 'ERR_COMMIT_UNKNOWN')
  const meanwhile = await heldLog(disk.afterKill())
  assert.deepEqual(await linesOf(meanwhile.log), ['1 1/1 a', '2 1/2 b'])

  failNext(disk, ['create', 'error'])
  assert.equal(codeOf(writer.append('not written at all', sarah)), 'ERR_STORAGE')
  assert.deepEqual(writer.append('c', sarah), { firstSequence: 2n })
  const next = await heldLog(disk.afterKill())
  assert.deepEqual(await linesOf(next.log), ['1 1/1 a', '2 1/2 c'])
})

test('a full disk refuses appends until there is room, and a trim makes some', async () => {
  const disk = new SimDisk()
  const { log, writer } = await heldLog(disk)
  for (let count = 0; count < 60; count += 1) writer.append('x'.repeat(1_000), sarah)
  disk.capacityBytes = disk.usedBytes
  const outcomes = new Set<string>()
  for (let count = 0; count < 100; count += 1) outcomes.add(codeOf(writer.append('y'.repeat(1_000), sarah)))
  assert.ok(outcomes.has('ERR_STORAGE'))
  const kept = (await recordsOf(log)).length
  await log.trim(log.segments().at(-1)?.firstSequence ?? 0n)
  assert.deepEqual(writer.append('z', sarah), { firstSequence: BigInt(kept + 1) })
  assert.deepEqual(await log.check(), [])
})

test('on a full disk the reserve lets a segment end, and a heartbeat brings it back', async () => {
  const disk = new SimDisk()
  const { log, writer } = await heldLog(disk)
  await log.heartbeat()
  assert.ok(disk.names.has('/log/reserve'))
  writer.append('a', sarah)
  disk.capacityBytes = disk.usedBytes
  failNext(disk, ['sync', 'error'])
  assert.equal(codeOf(writer.append('b', sarah)), 'ERR_STORAGE')
  assert.ok(!disk.names.has('/log/reserve'))
  assert.deepEqual(writer.append('c', sarah), { firstSequence: 2n })
  await log.heartbeat()
  assert.ok(!disk.names.has('/log/reserve'))
  disk.capacityBytes = Number.POSITIVE_INFINITY
  await log.heartbeat()
  assert.ok(disk.names.has('/log/reserve'))
})

test('a start reads the headers of segments and the records of the last one only', async () => {
  const disk = new SimDisk()
  const { writer } = await heldLog(disk)
  for (let count = 0; count < 500; count += 1) writer.append('x'.repeat(1_000), sarah)
  const next = disk.afterKill()
  const { log } = await heldLog(next)
  const segments = log.segments().length
  assert.ok(segments > 15 && next.bytesRead < segments * 8_192 + 4 * 64 * 1024, `${next.bytesRead} bytes of ${next.usedBytes}`)
})

test('a log of a later version is refused and left as it is', async () => {
  const disk = new SimDisk()
  const { log, writer } = await heldLog(disk)
  writer.append('a', sarah)
  await log.release()
  const later = disk.afterKill()
  const [path = ''] = [...later.names.keys()].sort()
  const bytes = Buffer.from(later.names.get(path)?.content.bytes ?? [])
  for (const copy of [0, 4_096]) {
    bytes.writeUInt32LE(2, copy + 8)
    bytes.writeUInt32LE(crc32(bytes.subarray(copy, copy + 124)), copy + 124)
  }
  later.replace(path, bytes)
  const operations = later.operations
  await assert.rejects(() => unlocked(later).acquire(), { code: 'ERR_LOG_DAMAGED' })
  assert.equal(later.operations, operations)
})

test('a payload that holds the image of a frame is no record to those who do not know the mark of its segment', async () => {
  const linesWith = async (markOf: (segment: Buffer) => bigint): Promise<readonly string[]> => {
    const disk = new SimDisk()
    const { log, writer } = await heldLog(disk)
    const [path = ''] = [...disk.names.keys()]
    const contentOf = (): Buffer => Buffer.from(disk.names.get(path)?.content.bytes ?? [])
    const forged = framedRecord(Buffer.from('approved'), { mark: markOf(contentOf()), sequence: 2n, head: headOf({ database: bob }) })
    writer.append(Buffer.concat([Buffer.alloc(8), forged]), sarah)
    writer.append('after it', sarah)
    // The frame around it is lost, so the search for the next one goes through its payload.
    disk.replace(path, contentOf().fill(0, 8_192, 8_192 + frameHeadBytes))
    await log.release()
    return linesOf((await heldLog(disk)).log)
  }
  assert.deepEqual(await linesWith(() => 7n), ['2 1/2 after it'])
  // Only to show that the image stands where it would be found.
  assert.deepEqual(await linesWith((segment) => segment.readBigUInt64LE(32)), ['2 2/1 approved'])
})

test('a check that goes on while records are appended finds nothing', async () => {
  const { log, writer } = await heldLog(new SimDisk())
  for (let count = 0; count < 100; count += 1) writer.append('x'.repeat(1_000), sarah, bob)
  const checking = log.check()
  for (let count = 0; count < 100; count += 1) {
    writer.append('y'.repeat(1_000), sarah)
    await Promise.resolve()
  }
  assert.deepEqual(await checking, [])
})

test('the files of a log are for its owner only, and hold nothing of an erased database', async () => {
  using folder = new DataFolder()
  const log = new FileLog({
    folder: folder.at('log'),
    lock: () => ({ [Symbol.dispose]: () => undefined }),
    clock: new StoppedClock(),
    segmentSizeBytes: 32 * 1024,
  })
  await log.acquire()
  const writer = new Writer(log)
  for (let count = 0; count < 100; count += 1) writer.append(`the claim of number ${count} ${'.'.repeat(1_000)}`, sarah)
  const holding = (): number => readdirSync(folder.at('log')).filter((name) => readFileSync(folder.at('log', name), 'latin1').includes('the claim')).length
  assert.ok(holding() > 3)
  for (const name of readdirSync(folder.at('log'))) assert.equal(statSync(folder.at('log', name)).mode & 0o077, 0, name)
  await log.erase(sarah)
  assert.equal(holding(), 0)
  await log.release()
})
