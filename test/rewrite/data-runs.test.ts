import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { BinaryReader } from '../../host/module/binary-reader.ts'
import { decodeCoreModule } from '../../host/module/core-module.ts'
import { BinaryWriter } from '../../host/module/rewrite/binary-writer.ts'
import { dataRuns } from '../../host/module/rewrite/data-runs.ts'
import type { DataRun } from '../../host/module/rewrite/data-runs.ts'

const SPAN = 1_200

const segment = fc.record({ offset: fc.nat(SPAN - 200), bytes: fc.uint8Array({ maxLength: 120 }) })

test('runs leave in a memory of zeros what the segments leave there, one after the other', () => {
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 12 }), (segments) => {
      assert.deepEqual(memoryOf(runsOf(segments)), memoryOf(segments))
    }),
    { numRuns: 2_000 },
  )
})

test('runs stand apart and in ascending order, and are never more than the segments', () => {
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 12 }), (segments) => {
      const runs = runsOf(segments)
      assert.ok(runs.length <= segments.length)
      for (const [index, run] of runs.entries()) {
        const next = runs[index + 1]
        assert.ok(next === undefined || next.offset > run.offset + run.bytes.length + 64)
      }
    }),
  )
})

test('segments near each other are one run, with zeros between', () => {
  const segments = [
    { offset: 200, bytes: Uint8Array.of(3) },
    { offset: 12, bytes: Uint8Array.of(2) },
    { offset: 8, bytes: Uint8Array.of(1) },
  ]
  assert.deepEqual(runsOf(segments), [
    { offset: 8, bytes: Uint8Array.of(1, 0, 0, 0, 2) },
    { offset: 200, bytes: Uint8Array.of(3) },
  ])
})

test('a segment at the end of the address space stays there', () => {
  assert.deepEqual(runsOf([{ offset: 0xffff_fff0, bytes: new Uint8Array(20).fill(7) }]), [{ offset: 0xffff_fff0, bytes: new Uint8Array(20).fill(7) }])
})

function runsOf(segments: readonly DataRun[]): readonly DataRun[] {
  const data = new BinaryWriter().u32(segments.length)
  for (const { offset, bytes } of segments) data.u8(0, 0x41).s32(offset).u8(0x0b).sized(bytes)
  const module = new BinaryWriter().u8(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)
  module.section(5, new BinaryWriter().u32(1).u8(0, 1)).section(11, data)
  return dataRuns(decodeCoreModule(new BinaryReader(module.toBytes())))
}

function memoryOf(segments: readonly DataRun[]): Uint8Array {
  const memory = new Uint8Array(SPAN)
  for (const { offset, bytes } of segments) memory.set(bytes, offset)
  return memory
}
