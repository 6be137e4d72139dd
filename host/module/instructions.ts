/**
 * The instructions a module may hold, read one at a time: WebAssembly 1.0 with sign extension,
 * saturating conversion, multi-value, memory.copy and memory.fill. Everything else is refused by name.
 * The gate walks every body with `readInstruction` (core-module.ts), and whoever rewrites a body reads
 * it the same way.
 *
 * What is left out leaves no state but memory and globals that a guest can change: no instruction
 * here writes a table or drops a segment.
 */
import { HostError } from '../errors.ts'
import { blockNestingMax } from '../limits.ts'
import type { BinaryReader } from './binary-reader.ts'

export interface Instruction {
  /** One byte, or 0xfc00 + the second number for the 0xfc group. */
  readonly opcode: number
  /** First byte, and first byte after it. */
  readonly offset: number
  readonly end: number
  /**
   * Indices in the order they are written: block type (-1 for an inline one), label, labels of br_table
   * with the default last, function, type and table, local, global, align and offset. Constants are not
   * among them: their bytes stay where they are.
   */
  readonly immediates: readonly number[]
}

export const OPCODE = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  callIndirect: 0x11,
  localGet: 0x20,
  i32Const: 0x41,
} as const

/** Reads one instruction. @throws HostError ERR_COMPONENT_CORE for one that is not allowed. */
export function readInstruction(reader: BinaryReader): Instruction {
  const offset = reader.offset
  const first = reader.u8('an instruction')
  const opcode = first === 0xfc ? 0xfc00 + prefixed(reader) : first
  const immediates = readImmediates(reader, opcode, offset)
  return { opcode, offset, end: reader.offset, immediates }
}

/** Reads instructions up to the `end` that closes the body, which must be its last byte. */
export function walkBody(reader: BinaryReader, visit?: (instruction: Instruction) => void): void {
  let nesting = 1
  while (nesting > 0) {
    const instruction = readInstruction(reader)
    if (isBlockStart(instruction.opcode)) nesting += 1
    if (instruction.opcode === OPCODE.end) nesting -= 1
    if (nesting > blockNestingMax) {
      throw new HostError('ERR_COMPONENT_CORE', `byte ${instruction.offset} of the upload: blocks nest at most ${blockNestingMax} deep`)
    }
    visit?.(instruction)
  }
  reader.expectEnd('the function body')
}

export function isBlockStart(opcode: number): boolean {
  return opcode === OPCODE.block || opcode === OPCODE.loop || opcode === OPCODE.if
}

function prefixed(reader: BinaryReader): number {
  const second = reader.u32('an instruction of the 0xfc group')
  // Keeps 0xfc00 + second within the group's own range, whatever was written.
  return Math.min(second, 0xff)
}

const NONE: readonly number[] = Object.freeze([])

function readImmediates(reader: BinaryReader, opcode: number, offset: number): readonly number[] {
  if (isPlain(opcode)) return NONE
  if (isBlockStart(opcode)) return [readBlockType(reader, offset)]
  if (isIndexed(opcode)) return [reader.u32('an index')]
  if (isMemoryAccess(opcode)) return readMemoryArgument(reader)
  switch (opcode) {
    case 0x0e: // br_table
      return readLabels(reader)
    case 0x11: // call_indirect
      return [reader.u32('the index of a type'), reader.u32('the index of a table')]
    case 0x3f: // memory.size
    case 0x40: // memory.grow
    case 0xfc0b: // memory.fill
      return skipZeros(reader, 1)
    case 0xfc0a: // memory.copy
      return skipZeros(reader, 2)
    case 0x41: // i32.const
      reader.signed(32, 'an i32 constant')
      return NONE
    case 0x42: // i64.const
      reader.signed(64, 'an i64 constant')
      return NONE
    case 0x43: // f32.const
      reader.skip(4, 'an f32 constant')
      return NONE
    case 0x44: // f64.const
      reader.skip(8, 'an f64 constant')
      return NONE
    default:
      throw refusedInstruction(opcode, offset)
  }
}

/** Instructions without immediates: control, drop and select, arithmetic, sign extension, saturation. */
function isPlain(opcode: number): boolean {
  return (
    (opcode >= 0x45 && opcode <= 0xc4) ||
    opcode === 0x0b ||
    opcode === 0x00 ||
    opcode === 0x01 ||
    opcode === 0x05 ||
    opcode === 0x0f ||
    opcode === 0x1a ||
    opcode === 0x1b ||
    (opcode >= 0xfc00 && opcode <= 0xfc07)
  )
}

/** br, br_if, call, local.get/set/tee, global.get/set. */
function isIndexed(opcode: number): boolean {
  return (opcode >= 0x20 && opcode <= 0x24) || opcode === 0x0c || opcode === 0x0d || opcode === 0x10
}

function isMemoryAccess(opcode: number): boolean {
  return opcode >= 0x28 && opcode <= 0x3e
}

function readBlockType(reader: BinaryReader, offset: number): number {
  const byte = reader.peek('a block type')
  if (byte === 0x40 || (byte >= 0x7c && byte <= 0x7f)) {
    reader.skip(1, 'a block type')
    return -1
  }
  if (byte > 0x40 && byte < 0x7c) throw refused('vector, reference and garbage-collected types', offset)
  return reader.typeIndex('a block type')
}

/** The alignment's exponent; multi-memory hides an index behind its bit 6. */
function readMemoryArgument(reader: BinaryReader): readonly number[] {
  const align = reader.u32('an alignment')
  if (align > 3) throw reader.malformed(`an alignment of at most 8 bytes, found 2 to the power of ${align}`)
  return [align, reader.u32('an offset')]
}

function readLabels(reader: BinaryReader): readonly number[] {
  const labels: number[] = []
  for (let left = reader.count('labels') + 1; left > 0; left -= 1) labels.push(reader.u32('a label'))
  return labels
}

function skipZeros(reader: BinaryReader, count: number): readonly number[] {
  for (let index = 0; index < count; index += 1) {
    if (reader.u8('a memory index') !== 0) throw refused('more than one memory', reader.offset - 1)
  }
  return NONE
}

function refusedInstruction(opcode: number, offset: number): HostError {
  return refused(featureOf(opcode), offset)
}

function refused(feature: string, offset: number): HostError {
  return new HostError(
    'ERR_COMPONENT_CORE',
    `byte ${offset} of the upload: a module may not use ${feature}. Compile it for WebAssembly 1.0 with at most ` +
      'sign extension, saturating conversion, multi-value, memory.copy and memory.fill',
    { detail: { offset, feature } },
  )
}

function featureOf(opcode: number): string {
  if (opcode === 0xfd) return 'SIMD'
  if (opcode === 0xfe) return 'threads and atomics'
  if (opcode === 0xfb) return 'garbage collection'
  if (opcode === 0x12 || opcode === 0x13) return 'tail calls'
  if ((opcode >= 0x06 && opcode <= 0x0a) || opcode === 0x18 || opcode === 0x19 || opcode === 0x1f) return 'exceptions'
  if (opcode === 0xfc08 || opcode === 0xfc09) return 'passive data (memory.init, data.drop)'
  if (opcode >= 0xfc0c && opcode <= 0xfc11) return 'table instructions'
  if (opcode === 0x25 || opcode === 0x26) return 'table instructions'
  if (opcode === 0x14 || opcode === 0x15 || opcode === 0x1c || (opcode >= 0xd0 && opcode <= 0xd6)) return 'reference types'
  return `the instruction 0x${opcode.toString(16)}`
}
