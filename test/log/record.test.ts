/** Record v1 against docs/log-format.md: every field at its place, the chain, and every refusal. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'

import fc from 'fast-check'

import { HostError } from '../../host/errors.ts'
import { frameAt, recordOf } from '../../host/log/frame.ts'
import { RecordBatch } from '../../host/log/record-batch.ts'
import { decodeHead, firstChain, RECORD_KINDS } from '../../host/log/record.ts'
import type { LoggedRecord, RecordHead } from '../../host/log/record.ts'
import { sections, SECTION_TAGS, SectionWriter } from '../../host/log/sections.ts'
import { anyHead, emptyBytes, framedRecord, headOf, hex, uid } from './records.ts'

const mark = 0x1122334455667788n

function sha256(...parts: readonly (Uint8Array | string)[]): string {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return digest.digest('hex')
}

/** @throws HostError ERR_LOG_DAMAGED */
function readBack(bytes: Buffer): LoggedRecord {
  const frame = frameAt(bytes, 0, mark)
  if (frame === undefined) throw new HostError('ERR_LOG_DAMAGED', 'no frame stands here')
  return recordOf(bytes, frame)
}

function isDamaged(error: unknown): boolean {
  return error instanceof HostError && error.code === 'ERR_LOG_DAMAGED'
}

test('records come back as they were added, in their order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyHead, fc.uint8Array({ maxLength: 400 })), { minLength: 1, maxLength: 20 }), (records) => {
      const batch = new RecordBatch()
      for (const [head, content] of records) batch.add(head, content, firstChain(head.database))
      const bytes = Buffer.from(batch.stamp(mark, 7n))
      assert.equal(bytes.length, batch.sizeBytes)
      let at = 0
      for (const [index, [head, content]] of records.entries()) {
        const frame = frameAt(bytes, at, mark)
        assert(frame !== undefined)
        assert.deepEqual([frame.batchIndex, frame.batchCount], [index, records.length])
        const record = recordOf(bytes, frame)
        assert.deepEqual({ ...record.head, sequence: record.sequence }, { ...head, sequence: BigInt(7 + index) })
        assert.deepEqual([hex(record.sections), record.isErased], [hex(content), false])
        assert.deepEqual(hex(record.chainAfter), hex(batch.entries[index]?.chainAfter ?? emptyBytes))
        at += frame.sizeBytes
      }
      assert.equal(at, bytes.length)
    }),
  )
})

test('every field of the header stands where the document says', () => {
  const pattern = (size: number, first: number): Uint8Array => Uint8Array.from({ length: size }, (_byte, index) => first + index)
  const head: RecordHead = {
    kind: 'migrate',
    schemaVersion: 0x01020304,
    epoch: 0x1112131415161718n,
    position: 0x2122232425262728n,
    database: pattern(16, 0x30),
    tenant: pattern(16, 0x40),
    timestamp: -2n,
    seed: [0x5152535455565758n, 0x6162636465666768n],
    fuel: 0x1a_0706_0504_03,
    moduleHash: pattern(32, 0x70),
    policyVersion: 0xa1a2a3a4,
    fuelSchedule: 0xb1b2b3b4,
    hostVersion: 0xc1c2c3c4,
    sqliteVersion: 3_054_000,
    callKey: pattern(16, 0xd0),
  }
  const content = Buffer.from('what was done')
  const bytes = framedRecord(content, { head })
  const header = bytes.subarray(32, 256)
  const payload = bytes.subarray(256, 256 + 16 + content.length)
  const field = (offset: number, size: number): string => header.subarray(offset, offset + size).toString('hex')
  assert.deepEqual([field(0, 1), field(1, 1), field(2, 1), field(3, 1)], ['01', '03', '00', '00'])
  assert.deepEqual([field(4, 4), field(8, 8), field(16, 8)], ['04030201', '1817161514131211', '2827262524232221'])
  assert.deepEqual([field(24, 16), field(40, 16)], [hex(head.database), hex(head.tenant)])
  assert.deepEqual([field(56, 8), field(64, 16)], ['feffffffffffffff', '58575655545352516867666564636261'])
  assert.deepEqual([field(80, 8), field(88, 32)], ['03040506071a0000', hex(head.moduleHash)])
  assert.deepEqual([field(120, 4), field(124, 4), field(128, 4), field(132, 4)], ['a4a3a2a1', 'b4b3b2b1', 'c4c3c2c1', 'b0992e00'])
  assert.deepEqual([field(136, 16), field(152, 4), field(156, 4)], [hex(head.callKey), '1d000000', '00000000'])
  assert.deepEqual([field(160, 32), field(192, 32)], [sha256(payload), hex(firstChain(head.database))])
  assert.equal(payload.subarray(16).toString(), 'what was done')
})

test('the numbers of kinds and sections are these for ever', () => {
  assert.deepEqual(RECORD_KINDS, ['call', 'publish', 'migrate', 'grant', 'limit', 'identity', 'access', 'key', 'drop'])
  assert.deepEqual(
    Object.entries(SECTION_TAGS).map(([name, tag]) => `${tag} ${name}`),
    ['1 caller', '2 call', '3 arguments', '4 result', '5 operations', '6 identities', '7 module', '8 schema', '9 meta', '10 access'],
  )
})

test('a chain begins with its database and goes on with the hash of each header', () => {
  const database = uid(5)
  assert.equal(hex(firstChain(database)), sha256('remembrancer chain v1', database))
  const batch = new RecordBatch()
  const first = batch.add(headOf({ database, position: 1n }), Buffer.from('one'), firstChain(database))
  const second = batch.add(headOf({ database, position: 2n }), Buffer.from('two'), first)
  const bytes = Buffer.from(batch.stamp(mark, 1n))
  const frame = frameAt(bytes, 0, mark)
  assert(frame !== undefined)
  assert.equal(hex(first), sha256(bytes.subarray(32, 256)))
  const [one, two] = [recordOf(bytes, frame), readBack(bytes.subarray(frame.sizeBytes))]
  assert.deepEqual([hex(one.chainAfter), hex(two.chainBefore), hex(two.chainAfter)], [hex(first), hex(first), hex(second)])
})

test('two records of the same content have different salts and hashes', () => {
  const batch = new RecordBatch()
  for (let count = 0; count < 600; count += 1) batch.add(headOf(), Buffer.from('yes'), firstChain(uid(0xda)))
  const bytes = Buffer.from(batch.stamp(mark, 1n))
  const salts = new Set(Array.from({ length: 600 }, (_item, index) => bytes.subarray(index * 280 + 256, index * 280 + 272).toString('hex')))
  assert.equal(salts.size, 600)
})

test('an erased payload leaves a record that still verifies', () => {
  const bytes = framedRecord(Buffer.from('her claim'))
  const whole = readBack(bytes)
  bytes.write('ERSD', 8)
  bytes.fill(0, 256, 256 + 16 + 9)
  const erased = readBack(bytes)
  assert.deepEqual([erased.isErased, erased.sections.length], [true, 0])
  assert.deepEqual([hex(erased.chainBefore), hex(erased.chainAfter)], [hex(whole.chainBefore), hex(whole.chainAfter)])
})

test('zeros in place of a payload are a damage and not an erasure', () => {
  const bytes = framedRecord(Buffer.from('her claim'))
  bytes.fill(0, 256)
  assert.throws(() => readBack(bytes), isDamaged)
})

test('a record with any one bit turned is the same record or refused', () => {
  const bytes = framedRecord(Buffer.from('it is the basement'))
  const whole = readBack(bytes)
  let same = 0
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const turned = Buffer.from(bytes)
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    try {
      assert.deepEqual(readBack(turned), whole)
      same += 1
    } catch (error) {
      assert.ok(isDamaged(error), `bit ${bit}: ${String(error)}`)
    }
  }
  // The word that says erased, while the payload's hash shows that it is not; and the padding.
  assert.equal(same, 32 + 8 * (bytes.length - 256 - 16 - 18))
})

test('a record that is cut at any byte is refused', () => {
  const bytes = framedRecord(Buffer.from('it is the basement'))
  const end = 256 + 16 + 18
  for (let size = 0; size < end; size += 1) assert.throws(() => readBack(bytes.subarray(0, size)), isDamaged, `${size} bytes`)
})

test('the frame of another segment, and one that a payload holds, are none here', () => {
  const bytes = framedRecord(emptyBytes, { mark: mark + 1n })
  assert.throws(() => readBack(bytes), isDamaged)
})

test('a header of another version, kind or outcome is refused', () => {
  const header = framedRecord(emptyBytes).subarray(32, 256)
  const changed = (offset: number, value: number): Buffer => {
    const bytes = Buffer.from(header)
    bytes[offset] = value
    return bytes
  }
  assert.equal(decodeHead(header).head.kind, 'call')
  for (const [offset, value] of [
    [0, 2],
    [1, 0],
    [1, 10],
    [2, 1],
    [3, 1],
    [16, 0],
    [86, 0x20],
    [156, 1],
    [159, 1],
  ] as const) {
    assert.throws(() => decodeHead(changed(offset, value)), isDamaged, `${value} at ${offset}`)
  }
  assert.throws(() => decodeHead(header.subarray(1)), isDamaged)
})

test('sections come back by their tags, and unknown ones are passed over', () => {
  const writer = new SectionWriter()
  writer.add('caller', Buffer.from('sarah'))
  writer.write('result', (packed) => packed.u64(7n))
  writer.add('operations', emptyBytes)
  const unknown = Buffer.from('ff00000002000000abcd', 'hex')
  const found = sections(Buffer.concat([writer.view(), unknown]))
  assert.deepEqual(
    [...found].map(([tag, bytes]) => [tag, hex(bytes)]),
    [
      [1, '7361726168'],
      [4, '0700000000000000'],
      [5, ''],
      [255, 'abcd'],
    ],
  )
  writer.reset()
  assert.deepEqual(sections(writer.view()), new Map())
})

test('sections that are cut, doubled or not as written are refused', () => {
  const writer = new SectionWriter()
  writer.add('caller', Buffer.from('sarah'))
  const bytes = Buffer.from(writer.view())
  for (let size = 1; size < bytes.length; size += 1) assert.throws(() => sections(bytes.subarray(0, size)), isDamaged, `${size} bytes`)
  assert.throws(() => sections(Buffer.concat([bytes, bytes])), isDamaged)
  assert.throws(() => sections(Buffer.concat([bytes, Buffer.from('0200010000000000', 'hex')])), isDamaged)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
      try {
        sections(noise)
      } catch (error) {
        assert.ok(isDamaged(error))
      }
    }),
  )
})
