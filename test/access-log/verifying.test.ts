/** Whoever changes an access log is found out, and told where; whoever reads it as it is, is not. */
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { parseCheckpoint, parsePublicKeys, isSignedBy } from '../../host/access-log/checkpoint.ts'
import type { Checkpoint } from '../../host/access-log/checkpoint.ts'
import { ChainFollower } from '../../host/access-log/chain-follower.ts'
import { ExportReader } from '../../host/access-log/export.ts'
import { verifyFolders } from '../../host/access-log/verify-folder.ts'
import type { FolderVerdict } from '../../host/access-log/verify-folder.ts'
import { issuerState } from '../../host/auth/signing-key.ts'
import { DataFolder } from '../storage/folder.ts'
import { OpenShard, callerNamed } from '../shard/open-shard.ts'
import { first } from '../shard/versions.ts'

/** A log of several segments, closed; its checkpoints, its export, and the keys that signed both. */
const folder = new DataFolder()
let checkpoints: Checkpoint[] = []
let exported = ''
let keys: ReturnType<typeof parsePublicKeys> = []

before(async () => {
  for (let tenure = 0; tenure < 3; tenure++) {
    await using shard = new OpenShard({ folder })
    if (tenure === 0) {
      await shard.create('stamps')
      await shard.publish('stamps', first)
    }
    for (let index = 0; index < 3; index++) await shard.stamp('stamps', 1, { subject: `sarah ${tenure}` })
    await shard.send('stamps', 'sql', { sql: 'SELECT id FROM stamps', params: [], caller: callerNamed('sarah 0'), explain: false })
    checkpoints.push((await shard.send('stamps', 'checkpoint', { by: 'test' })).head as Checkpoint)
    if (tenure === 2) {
      exported = await exportOf(shard)
      keys = parsePublicKeys(JSON.stringify(issuerState((await shard.held('stamps')).database.keyRing)))
    }
  }
})
after(() => folder[Symbol.dispose]())

async function exportOf(shard: OpenShard): Promise<string> {
  const { createHash } = await import('node:crypto')
  const { head, body = new Uint8Array(0) } = await shard.send('stamps', 'accessExport', { name: 'stamps', after: null, by: 'test' })
  const facts = {
    database: head.database,
    first: '1',
    last: head.last,
    count: head.count,
    chain: head.chain,
    sha256: createHash('sha256').update(body).digest('hex'),
  }
  return Buffer.from(body).toString() + (await shard.send('stamps', 'accessFooter', { facts })).head.line
}

const lane = join('access', '0')

async function verdictOf(data: DataFolder, expect: readonly Checkpoint[] = []): Promise<FolderVerdict> {
  return verifyFolders([data.at(lane)], { now: 0n, checkpoints: expect, isDropped: () => false })
}

/** The same log in a folder of its own, changed. */
async function changed(change: (path: string, segments: readonly string[]) => void, expect: readonly Checkpoint[] = []): Promise<FolderVerdict> {
  using copy = new DataFolder()
  cpSync(folder.at(lane), copy.at(lane), { recursive: true })
  change(copy.at(lane), segmentsOf(copy.at(lane)))
  return await verdictOf(copy, expect)
}

function segmentsOf(path: string): readonly string[] {
  return readdirSync(path)
    .filter((name) => name.endsWith('.log'))
    .sort()
}

function flipped(path: string, name: string, offset: number, bit: number): void {
  const bytes = readFileSync(join(path, name))
  bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit)
  writeFileSync(join(path, name), bytes)
}

test('a log that nobody has changed holds, with every checkpoint that was made of it', async () => {
  const { problems, databases } = await verdictOf(folder, checkpoints)
  assert.deepEqual(problems, [])
  assert.equal(databases.at(-1)?.records, Number(checkpoints.at(-1)?.position) + 1)
  for (const checkpoint of checkpoints) assert.ok(isSignedBy(parseCheckpoint(JSON.stringify(checkpoint)), keys))
})

test('a bit that is turned anywhere in a segment is found', async () => {
  const segments = segmentsOf(folder.at(lane))
  const sizes = segments.map((name) => readFileSync(join(folder.at(lane), name)).length)
  const missed: string[] = []
  for (const [index, name] of segments.entries()) {
    const size = sizes[index] ?? 0
    // Every byte of the frames, and of each header a part that is another one each time it is run.
    const framesAt = 8_192
    const offsets = [
      ...Array.from({ length: Math.max(0, size - framesAt) }, (_unused, at) => framesAt + at).filter((at) => at % 17 === index),
      ...Array.from({ length: 40 }, () => Math.floor(Math.random() * Math.min(framesAt, size))),
    ]
    for (const offset of offsets) {
      const { problems } = await changed((path) => flipped(path, name, offset, offset % 8))
      if (problems.length === 0) missed.push(`${name} ${offset}`)
    }
  }
  assert.deepEqual(missed, [])
})

test('records in another order, doubled, or taken out are found with their place', async () => {
  const [name = ''] = segmentsOf(folder.at(lane))
  const frames = framesOf(readFileSync(join(folder.at(lane), name)))
  assert.ok(frames.length > 6)
  const rebuilt = async (order: (all: readonly Buffer[]) => readonly Buffer[]): Promise<FolderVerdict> =>
    changed((path) => {
      const bytes = readFileSync(join(path, name))
      writeFileSync(join(path, name), Buffer.concat([bytes.subarray(0, 8_192), ...order(frames)]))
    })
  for (const order of [
    (all: readonly Buffer[]) => [...all.slice(0, 3), ...all.slice(4, 5), ...all.slice(3, 4), ...all.slice(5)],
    (all: readonly Buffer[]) => [...all.slice(0, 3), ...all.slice(4)],
    (all: readonly Buffer[]) => [...all.slice(0, 4), ...all.slice(3)],
    (all: readonly Buffer[]) => all.slice(1),
    (all: readonly Buffer[]) => all.slice(0, -1),
  ]) {
    const { problems } = await rebuilt(order)
    assert.ok(problems.length > 0)
    assert.match(problems[0]?.where ?? '', new RegExp(`^(${name}, offset \\d+|the end)`))
  }
})

/** Frames of a segment, whole: their sizes stand in them. */
function framesOf(bytes: Buffer): readonly Buffer[] {
  const frames: Buffer[] = []
  for (let at = 8_192; at + 256 < bytes.length;) {
    const size = Math.ceil((256 + bytes.readUInt32LE(at + 24)) / 8) * 8
    frames.push(bytes.subarray(at, at + size))
    at += size
  }
  return frames
}

test('a beginning that is cut off is found, and so is a segment that is missing or was swapped', async () => {
  const cut = await changed((path, [oldest = '']) => rmSync(join(path, oldest)))
  assert.match(cut.problems.map(({ what }) => what).join('\n'), /its beginning was cut/)
  const missing = await changed((path, [, second = '']) => rmSync(join(path, second)))
  assert.match(missing.problems.map(({ what }) => what).join('\n'), /missing/)
  const swapped = await changed((path, [a = '', b = '']) => {
    renameSync(join(path, a), join(path, 'x'))
    renameSync(join(path, b), join(path, a))
    renameSync(join(path, 'x'), join(path, b))
  })
  assert.ok(swapped.problems.length > 0)
})

test('an end that is cut back passes by itself, and not a checkpoint that was kept elsewhere', async () => {
  const cutBack = (path: string, segments: readonly string[]): void => segments.slice(2).forEach((name) => rmSync(join(path, name)))
  const { problems } = await changed(cutBack, [checkpoints.at(-1) ?? failed()])
  assert.deepEqual(
    problems.map(({ where, what }) => [where, /its end was cut back/.test(what)]),
    [['the end', true]],
  )
  const earlier = await changed(cutBack, [checkpoints[0] ?? failed()])
  assert.deepEqual(earlier.problems, [])
})

function failed(): never {
  throw new Error('there are checkpoints')
}

test('a checkpoint that was changed, or is of another log, is no checkpoint', async () => {
  const [genuine = failed()] = checkpoints
  assert.ok(!isSignedBy({ ...genuine, position: '1' }, keys))
  assert.ok(!isSignedBy({ ...genuine, at: '2020-01-01T00:00:00.000000Z' }, keys))
  assert.ok(!isSignedBy({ ...genuine, kid: 'another' }, keys))
  const { problems } = await verdictOf(folder, [{ ...genuine, chain: '00'.repeat(32) }])
  assert.match(problems[0]?.what ?? '', /the log was written anew/)
  const other = await verdictOf(folder, [{ ...genuine, database: '11'.repeat(16) }])
  assert.match(other.problems[0]?.what ?? '', /of which there is no record/)
  assert.throws(() => parseCheckpoint('{}'), /ERR_USAGE|no checkpoint/)
})

test('what the log says of a database that is still there must not be erased', async () => {
  const [name = ''] = segmentsOf(folder.at(lane))
  const { problems } = await changed((path) => {
    const bytes = readFileSync(join(path, name))
    bytes.write('ERSD', 8_192 + 8)
    writeFileSync(join(path, name), bytes)
  })
  assert.match(problems.map(({ what }) => what).join('\n'), /was erased, and its database was not dropped/)
})

function exportProblems(text: string, by = keys, expect: readonly Checkpoint[] = []): readonly string[] {
  const reader = new ExportReader(by, new ChainFollower(expect))
  for (const line of text.split('\n').slice(0, -1)) reader.read(line)
  return reader.end().problems.map(({ what }) => what)
}

test('an export holds by itself, with its key, and with the checkpoints', () => {
  assert.deepEqual(exportProblems(exported, keys, checkpoints), [])
  assert.match(exportProblems(exported, []).join(), /signature/)
})

test('an export of which any byte is changed, any line cut, doubled or moved does not', () => {
  const missed: number[] = []
  for (let at = 0; at < exported.length; at += 23) {
    const byte = exported.charCodeAt(at)
    const other = String.fromCharCode(byte === 0x30 ? 0x31 : 0x30)
    if (exportProblems(exported.slice(0, at) + other + exported.slice(at + 1)).length === 0) missed.push(at)
  }
  assert.deepEqual(missed, [])
  const lines = exported.split('\n').slice(0, -1)
  const joined = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('')
  for (let at = 0; at < lines.length; at++) {
    assert.ok(exportProblems(joined(lines.toSpliced(at, 1))).length > 0, `without line ${at}`)
    assert.ok(exportProblems(joined(lines.toSpliced(at, 0, lines[at] ?? ''))).length > 0, `line ${at} doubled`)
    if (at > 0) assert.ok(exportProblems(joined(lines.toSpliced(at - 1, 2, lines[at] ?? '', lines[at - 1] ?? ''))).length > 0, `line ${at} moved`)
  }
  assert.ok(exportProblems(joined(lines.slice(0, -1))).length > 0, 'without its end')
})

test('a log whose file ends in the middle of a record is found', async () => {
  const { problems } = await changed((path, [name = '']) => truncateSync(join(path, name), readFileSync(join(path, name)).length - 30))
  assert.ok(problems.length > 0)
})
