/**
 * Bytes of the log that somebody or something has changed: what is lost is named, by its place, its sequences and
 * where possible its database, and everything else reads as it was written. Never is a record another one.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { LogDamage } from '../../host/log/commit-log.ts'
import { FileLog } from '../../host/log/file-log.ts'
import { readSegmentHeader } from '../../host/log/segment-header.ts'
import { walk } from '../../host/log/segment-walk.ts'
import { Random } from '../fuzz/random.ts'
import { StoppedClock } from '../storage/folder.ts'
import { lineOf, recordsOf, Writer } from './driver-suite.ts'
import { hex, uid } from './records.ts'
import { SimDisk } from './sim-disk.ts'

const [sarah, bob, clara] = [uid(1), uid(2), uid(3)]

function openLog(disk: SimDisk): FileLog {
  return new FileLog({
    folder: '/log',
    lock: () => ({ [Symbol.dispose]: () => undefined }),
    clock: new StoppedClock(),
    files: disk,
    segmentSizeBytes: 14 * 1024,
  })
}

interface Original {
  readonly disk: SimDisk
  /** What each record reads as, by its sequence. */
  readonly lines: ReadonlyMap<bigint, string>
  readonly frames: readonly OriginalFrame[]
  readonly wasReleased: boolean
}

interface OriginalFrame {
  readonly path: string
  readonly offset: number
  readonly payloadEnd: number
  readonly sizeBytes: number
  readonly sequence: bigint
  readonly database: string
  readonly isErased: boolean
  readonly batchFirst: bigint
}

/** Several segments, clara erased, and a last segment that is closed or not. */
async function original(wasReleased: boolean): Promise<Original> {
  const disk = new SimDisk()
  const log = openLog(disk)
  await log.acquire()
  const writer = new Writer(log)
  for (let index = 0; index < 60; index += 1) {
    writer.append(`${index} ${'-'.repeat((index * 131) % 700)}`, ...([[sarah], [bob, sarah, clara], [clara, bob]][index % 3] ?? []))
    if (index === 40) await log.erase(clara)
  }
  const lines = new Map((await recordsOf(log)).map((record) => [record.sequence, lineOf(record)]))
  if (wasReleased) await log.release()
  return { disk, lines, frames: framesOf(disk), wasReleased }
}

function framesOf(disk: SimDisk): readonly OriginalFrame[] {
  return segmentPaths(disk).flatMap((path) => {
    const file = disk.open(path, 'read')
    const { header } = readSegmentHeader(file)
    assert(header !== undefined)
    const { mark, framesOffset, firstSequence } = header
    const range = { file, mark, offset: framesOffset, endOffset: file.sizeBytes, firstSequence, nextSequence: undefined }
    return Array.from(walk(range), (step) => {
      assert(step.kind === 'frame')
      const { sequence, sizeBytes, payloadBytes, isErased, batchIndex } = step.frame
      const database = step.bytes.toString('hex', 56, 72)
      return {
        path,
        offset: step.offset,
        payloadEnd: step.offset + 256 + payloadBytes,
        sizeBytes,
        sequence,
        database,
        isErased,
        batchFirst: sequence - BigInt(batchIndex),
      }
    })
  })
}

function segmentPaths(disk: SimDisk): readonly string[] {
  return [...disk.names.keys()].filter((path) => path.endsWith('.log')).sort()
}

function contentOf(disk: SimDisk, path: string): Buffer {
  const content = disk.names.get(path)?.content.bytes
  assert(content !== undefined)
  return content
}

interface Found {
  readonly lines: ReadonlyMap<bigint, string>
  readonly damage: readonly LogDamage[]
  readonly nextSequence: bigint
}

async function find(disk: SimDisk): Promise<Found> {
  const log = openLog(disk)
  const tenure = await log.acquire()
  const damage = [...tenure.damage, ...(await log.check())]
  const lines = new Map((await recordsOf(log)).map((record) => [record.sequence, lineOf(record)]))
  await log.release()
  return { lines, damage, nextSequence: tenure.nextSequence }
}

/** Asserts what must hold whatever was done to the files. */
function assertNothingIsWrong({ lines, damage, nextSequence }: Found, whole: Original, what: string): void {
  for (const [sequence, line] of lines) assert.equal(line, whole.lines.get(sequence), what)
  for (const [sequence, line] of whole.lines) {
    const told = damage.filter(({ firstSequence, lastSequence }) => firstSequence <= sequence && sequence <= lastSequence)
    if (lines.has(sequence)) {
      assert.deepEqual(told, [], `${what}: record ${sequence} is there`)
      continue
    }
    const isCut = sequence >= nextSequence && !whole.wasReleased
    assert.ok(told.length > 0 || isCut, `${what}: record ${sequence} is lost and nobody says so`)
    const database = whole.frames.find((frame) => frame.sequence === sequence)?.database
    for (const one of told) assert.equal(one.database ?? database, database, `${what}: ${line}`)
  }
}

const originals = { released: await original(true), killed: await original(false) }

test('a bit that turned in a payload costs that record, and one in a frame or header costs that record', async () => {
  for (const whole of Object.values(originals)) {
    const lastBatch = whole.frames.at(-1)?.batchFirst ?? 0n
    const random = new Random(1)
    for (let count = 0; count < 150; count += 1) {
      const frame = random.pick(whole.frames)
      const offset = frame.offset + random.below(frame.payloadEnd - frame.offset)
      const disk = whole.disk.afterKill()
      const bytes = contentOf(disk, frame.path)
      bytes[offset] = (bytes[offset] ?? 0) ^ (1 << random.below(8))
      const found = await find(disk)
      const what = `byte ${offset - frame.offset} of record ${frame.sequence}`
      assertNothingIsWrong(found, whole, what)
      const lost = [...whole.lines.keys()].filter((sequence) => !found.lines.has(sequence))
      const inPayload = offset >= frame.offset + 256
      const inErasedWord = offset >= frame.offset + 8 && offset < frame.offset + 12
      if (frame.isErased && inPayload) assert.deepEqual([lost, found.damage], [[], []], what)
      else if (inErasedWord && !frame.isErased) assert.deepEqual([lost, found.damage], [[], []], what)
      else if (!whole.wasReleased && frame.sequence >= lastBatch) {
        // It may just as well never have been synced.
        assert.deepEqual([found.nextSequence, found.damage], [lastBatch, []], what)
      } else {
        const database = inPayload || inErasedWord ? frame.database : undefined
        assert.deepEqual(lost, [frame.sequence], what)
        for (const one of found.damage) {
          assert.deepEqual(
            [one.file, one.offset, one.firstSequence, one.lastSequence, one.database],
            [frame.path.slice(5), frame.offset, frame.sequence, frame.sequence, database],
            what,
          )
        }
        assert.ok(found.damage.length > 0)
      }
    }
  }
})

/** Ways to spoil a file, each by random numbers. */
const spoilers: Readonly<Record<string, (bytes: Buffer, random: Random, others: readonly Buffer[]) => Buffer>> = {
  'a bit turned': (bytes, random) => {
    const at = random.below(bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
    return bytes
  },
  'bytes overwritten': (bytes, random) => {
    const noise = random.bytes(1 + random.below(700))
    bytes.set(noise.subarray(0, bytes.length), random.below(Math.max(bytes.length - noise.length, 1)))
    return bytes
  },
  'a sector of zeros': (bytes, random) => {
    const at = 512 * random.below(Math.ceil(bytes.length / 512))
    return bytes.fill(0, at, Math.min(at + 512, bytes.length))
  },
  'a page of zeros': (bytes, random) => {
    const at = 4_096 * random.below(Math.ceil(bytes.length / 4_096))
    return bytes.fill(0, at, Math.min(at + 4_096, bytes.length))
  },
  'cut short': (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  'cut short within its records': (bytes, random) => bytes.subarray(0, Math.min(8_192 + random.below(bytes.length), bytes.length)),
  'longer by noise': (bytes, random) => Buffer.concat([bytes, random.bytes(random.below(2_000))]),
  'a part of it elsewhere in it': (bytes, random) => {
    const from = 8 * random.below(bytes.length / 8)
    bytes.copyWithin(8 * random.below(bytes.length / 8), from, from + random.below(3_000))
    return bytes
  },
  'a part of another segment in it': (bytes, random, others) => {
    const other = random.pick(others)
    other.copy(bytes, 8_192, 8_192, 8_192 + random.below(4_000))
    return bytes
  },
  'bytes taken out': (bytes, random) => {
    const at = random.below(bytes.length)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(500))])
  },
}

for (const [ending, whole] of Object.entries(originals)) {
  test(`whatever happens to a segment of a log that was ${ending}, each record is itself or named as lost`, async () => {
    for (const [what, spoil] of Object.entries(spoilers)) {
      const random = new Random(whole.wasReleased ? 7 : 8)
      for (let count = 0; count < 60; count += 1) {
        const disk = whole.disk.afterKill()
        const paths = segmentPaths(disk)
        const path = random.pick(paths)
        const others = paths.filter((one) => one !== path).map((one) => contentOf(whole.disk, one))
        disk.replace(path, spoil(Buffer.from(contentOf(disk, path)), random, others))
        assertNothingIsWrong(await find(disk), whole, `${what}, ${count}: ${path}`)
      }
    }
  })
}

test('one copy of a segment header suffices, and the loss of the other is named', async () => {
  const whole = originals.released
  for (const path of segmentPaths(whole.disk)) {
    for (const offset of [0, 4_096]) {
      const disk = whole.disk.afterKill()
      contentOf(disk, path).fill(0, offset, offset + 128)
      const { lines, damage } = await find(disk)
      assert.deepEqual(lines, whole.lines)
      assert.ok(damage.length > 0)
      for (const one of damage)
        assert.deepEqual([one.file, one.offset, one.sizeBytes, one.lastSequence < one.firstSequence], [path.slice(5), offset, 128, true])
    }
  }
})

test('what a refused batch left behind is not read, not even when the header is lost that ended its segment', async () => {
  const disk = new SimDisk()
  const log = openLog(disk)
  await log.acquire()
  const writer = new Writer(log)
  writer.append('a', sarah)
  // The sync fails, and so does the cut of what it was for.
  const faults = new Map([
    ['sync', 'error' as const],
    ['truncate', 'error' as const],
  ])
  disk.plan = (operation) => {
    const fault = faults.get(operation)
    faults.delete(operation)
    return fault
  }
  assert.ok('failure' in writer.append('refused', sarah, sarah))
  writer.append('b', sarah)
  assert.equal(faults.size, 0)
  const after = disk.afterKill()
  const [first = '', second = ''] = segmentPaths(after)
  assert.ok(contentOf(after, first).includes('refused'))
  for (const offset of [0, 4_096]) contentOf(after, second).fill(0, offset, offset + 128)
  const { lines, damage } = await find(after)
  assert.deepEqual([...lines.values()], ['1 1/1 a'])
  assert.deepEqual(new Set(damage.map(({ file, firstSequence }) => `${file} ${firstSequence}`)), new Set([`${second.slice(5)} 2`]))
})

test('a segment that is missing is named', async () => {
  const whole = originals.released
  for (const [index, path] of segmentPaths(whole.disk).entries()) {
    const disk = whole.disk.afterKill()
    disk.unlink(path)
    const found = await find(disk)
    const gone = whole.frames.filter((frame) => frame.path === path)
    // Without the oldest one it is a log that was trimmed, and without the empty one at the end it was not closed.
    if (index === 0 || gone.length === 0) assert.deepEqual(found.damage, [])
    else assertNothingIsWrong(found, whole, path)
    const last = gone.at(-1)
    if (index > 0 && last !== undefined) {
      assert.deepEqual(found.damage[0], {
        file: path.slice(5),
        offset: 0,
        sizeBytes: 0,
        firstSequence: gone[0]?.sequence,
        lastSequence: last.sequence,
        what: 'the segment is missing',
      })
    }
  }
})

test('a database whose records are lost goes on at the position it had', async () => {
  const disk = originals.released.disk.afterKill()
  const [, second] = segmentPaths(disk)
  assert(second !== undefined)
  disk.unlink(second)
  const log = openLog(disk)
  const tenure = await log.acquire()
  const last = originals.released.frames.filter(({ database }) => database === hex(sarah)).at(-1)
  assert.equal(tenure.heads.get(hex(sarah))?.sequence, last?.sequence)
})

test('a record that was changed together with its checksums breaks the chain', async () => {
  const log = openLog(new SimDisk())
  await log.acquire()
  const [honest, forged] = [new Writer(log), new Writer(log)]
  honest.append('one', sarah)
  forged.append('another one', sarah)
  honest.append('two', sarah)
  const found = await log.check()
  assert.deepEqual(
    found.map(({ firstSequence, database }) => [firstSequence, database]),
    [
      [2n, hex(sarah)],
      [3n, hex(sarah)],
    ],
  )
})
