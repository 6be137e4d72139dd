/**
 * What a guest can change. Resetting an instance puts back its mutable globals and its memory, and nothing
 * else; so every instruction that is allowed is listed here by what it changes. One that is allowed anew
 * fails this test, and has to be looked at before it stands in a list.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HostError } from '../../host/errors.ts'
import { BinaryReader } from '../../host/module/binary-reader.ts'
import { readInstruction } from '../../host/module/instructions.ts'
import { rewriteCore } from '../../host/module/rewrite/rewrite.ts'
import { Random } from '../fuzz/random.ts'
import { generateGuest } from './generate-guest.ts'

const CHANGES_GLOBALS = [0x24]
/** Stores, memory.grow, memory.copy and memory.fill. */
const CHANGES_MEMORY = [...range(0x36, 0x3e), 0x40, 0xfc0a, 0xfc0b]
/** Control, locals, loads, constants, arithmetic, conversion: the stack and the frame, gone with the call. */
const CHANGES_NOTHING = [
  ...range(0x00, 0x05),
  ...range(0x0b, 0x11),
  0x1a,
  0x1b,
  ...range(0x20, 0x23),
  ...range(0x28, 0x35),
  0x3f,
  ...range(0x41, 0xc4),
  ...range(0xfc00, 0xfc07),
]

const REFUSED: ReadonlyMap<string, number> = new Map([
  ['table.set', 0x26],
  ['memory.init', 0xfc08],
  ['data.drop', 0xfc09],
  ['table.init', 0xfc0c],
  ['elem.drop', 0xfc0d],
  ['table.copy', 0xfc0e],
  ['table.grow', 0xfc0f],
  ['table.fill', 0xfc11],
])

test('no instruction that a module may use changes more than memory and globals', () => {
  const allowed = [...range(0x00, 0xfb), ...range(0xfd, 0xff), ...range(0xfc00, 0xfcff)].filter(isAllowed)
  assert.deepEqual(
    allowed,
    [...CHANGES_GLOBALS, ...CHANGES_MEMORY, ...CHANGES_NOTHING].sort((left, right) => left - right),
  )
})

test('instructions that write a table or drop a segment are refused', () => {
  for (const [name, opcode] of REFUSED) assert.equal(isAllowed(opcode), false, name)
})

test('nobody outside reaches the table or a global of a guest: it gives out its door alone', () => {
  const module = new WebAssembly.Module(rewriteCore(generateGuest(new Random(1), false).core))
  assert.deepEqual(WebAssembly.Module.exports(module), [{ name: 'door', kind: 'function' }])
})

/** With zeros for its immediates, which are good for every instruction. */
function isAllowed(opcode: number): boolean {
  const code = opcode < 0xfc00 ? [opcode] : [0xfc, ...leb(opcode - 0xfc00)]
  try {
    readInstruction(new BinaryReader(Uint8Array.from([...code, ...Array.from({ length: 16 }, () => 0)])))
    return true
  } catch (error) {
    if (error instanceof HostError) return false
    throw error
  }
}

function leb(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7]
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_unused, index) => first + index)
}
