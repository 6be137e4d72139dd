/** The bytes in docs/log-format.md are what the code writes and reads. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'

import { formatTimestamp } from '../../host/clock.ts'
import { closeFrame, frameAt, openFrame, recordOf } from '../../host/log/frame.ts'
import { HeadTable } from '../../host/log/head-table.ts'
import { encodeHead, firstChain, RECORD_KINDS } from '../../host/log/record.ts'
import type { ByteTarget } from '../../host/log/record.ts'
import { encodeSegmentHeader, readSegmentHeader } from '../../host/log/segment-header.ts'
import { sections, SECTION_TAGS } from '../../host/log/sections.ts'
import { hex, uid } from './records.ts'
import { SimDisk } from './sim-disk.ts'

const text = readFileSync(new URL('../../docs/log-format.md', import.meta.url), 'utf8')

/** The bytes of an example: those at the start of each of its lines. */
function example(name: string): Buffer {
  const [, block] = text.split(`\`\`\`hex ${name}\n`)
  assert(block !== undefined, name)
  const [lines = ''] = block.split('```')
  return Buffer.from(lines.replace(/^((?:[0-9a-f]{2} ?)+)(?: .*)?$/gm, '$1').replace(/\s/g, ''), 'hex')
}

function target(sizeBytes: number): ByteTarget {
  const buffer = new ArrayBuffer(sizeBytes)
  return { bytes: Buffer.from(buffer), view: new DataView(buffer) }
}

test('the record of the page reads as it says', () => {
  const bytes = example('frame')
  const frame = frameAt(bytes, 0, 0xa7a6a5a4a3a2a1a0n)
  assert(frame !== undefined)
  assert.deepEqual([frame.sizeBytes, frame.sequence, frame.batchIndex, frame.batchCount, frame.payloadBytes], [bytes.length, 1n, 0, 1, 39])
  const { head, chainBefore, chainAfter, sections: content } = recordOf(bytes, frame)
  assert.equal(formatTimestamp(head.timestamp), '2026-09-21T14:13:20.000000Z')
  assert.deepEqual(
    { ...head, timestamp: 0n },
    {
      kind: 'call',
      schemaVersion: 3,
      epoch: 1n,
      position: 1n,
      database: uid(0x11),
      tenant: uid(0x22),
      timestamp: 0n,
      seed: [1n, 2n],
      fuel: 48_123,
      moduleHash: new Uint8Array(32).fill(0x33),
      policyVersion: 4,
      fuelSchedule: 1,
      hostVersion: 1 << 10,
      sqliteVersion: 3_054_000,
      callKey: uid(0x44),
    },
  )
  assert.equal(hex(chainBefore), hex(firstChain(uid(0x11))))
  assert.ok(text.includes(`\`${hex(chainAfter)}\``))
  assert.deepEqual(
    [...sections(content)].map(([tag, part]) => [tag, Buffer.from(part).toString()]),
    [
      [SECTION_TAGS.caller, 'sarah'],
      [SECTION_TAGS.result, 'ok'],
    ],
  )
})

test('the record of the page is what encoding it again gives', () => {
  const bytes = example('frame')
  const frame = frameAt(bytes, 0, 0xa7a6a5a4a3a2a1a0n)
  assert(frame !== undefined)
  const { head, chainBefore } = recordOf(bytes, frame)
  const payload = bytes.subarray(256, 256 + frame.payloadBytes)
  const [whole, header] = [target(bytes.length), target(224)]
  encodeHead(header, head, { payload, chainBefore })
  whole.bytes.set(header.bytes, 32)
  whole.bytes.set(payload, 256)
  openFrame(whole, 0, { payloadBytes: payload.length, batchIndex: 0 })
  assert.equal(closeFrame(whole, 0, { mark: 0xa7a6a5a4a3a2a1a0n, sequence: 1n, batchCount: 1 }), bytes.length)
  assert.equal(hex(whole.bytes), hex(bytes))
})

test('the segment of the page reads as it says, and is what encoding it again gives', () => {
  const [fixed, list] = [example('segment'), example('list')]
  const bytes = Buffer.alloc(8_192)
  for (const copy of [0, 4_096]) fixed.copy(bytes, copy)
  list.copy(bytes, 4_224)
  assert.equal(crc32(list), fixed.readUInt32LE(68))
  const disk = new SimDisk()
  disk.replace('/log/segment', bytes)
  const { header, damage } = readSegmentHeader(disk.open('/log/segment', 'read'))
  assert(header?.previous !== undefined && damage.length === 0)
  assert.deepEqual(
    [header.epoch, header.firstSequence, header.framesOffset, header.previous.firstSequence, header.previous.endOffset],
    [2n, 2n, 8_192, 1n, 8_488],
  )
  assert.equal(formatTimestamp(header.createdAt), '2026-09-21T14:14:20.000000Z')
  const [entry] = header.previous.heads?.copy() ?? []
  assert.deepEqual([entry?.[0], entry?.[1].position, entry?.[1].sequence], [hex(uid(0x11)), 1n, 1n])
  assert.equal(hex(encodeSegmentHeader(header)), hex(bytes))
  assert.equal(hex(HeadTable.decode(list).encode()), hex(list))
})

test('kinds and sections have the numbers of the page', () => {
  assert.ok(text.includes(`kind: ${RECORD_KINDS.map((kind, index) => `${index + 1} ${kind}`).join(', ')} |`))
  const tags = Object.entries(SECTION_TAGS).map(([name, tag]) => `${tag} ${name}`)
  assert.ok(text.replace(/\s+/g, ' ').includes(tags.join(' · ')))
})
