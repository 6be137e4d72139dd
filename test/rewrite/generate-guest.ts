/**
 * Random guests of the world: the functions of generate-body.ts behind a `call` that takes their parameters
 * from its arguments and gives back all that can be seen: a digest of the whole memory and of the globals
 * as the call found them, the results, and the digest again at the end.
 *
 *   functions   those of the host, the generated ones (`_initialize`, `cabi_post_call`, then reducer 0, 1, …),
 *               and at the end the frame: realloc, digest, call
 *   globals     the generated ones, then the frame's: its heap, two handles, one that never changes
 *   memory      the first 32 KiB are the generated functions'; the frame's own begin at 0x9000
 *
 * Handles are random numbers, the only thing that differs from call to call: `call` wipes them from memory.
 */
import { BinaryWriter } from '../../host/module/rewrite/binary-writer.ts'
import type { FunctionType, ValueType } from '../../host/module/core-module.ts'
import type { Random } from '../fuzz/random.ts'
import { generateBody } from './generate-body.ts'
import { CODES, randomType, TYPES, typeSection } from './generate-module.ts'
import type { HostFunction, ModuleShape } from './generate-module.ts'

export interface GeneratedGuest {
  readonly core: Uint8Array<ArrayBuffer>
  /** By the reducer's number; one that is not here traps. */
  readonly reducers: readonly FunctionType[]
  /** In pages of 64 KiB. */
  readonly memory: { readonly min: number; readonly max: number }
}

const TABLES = 'remembrancer:module/tables@1.0.0'
const HOST: readonly HostFunction[] = [
  { module: TABLES, name: '[method]table.get', parameters: ['handle', 'address', 'size', 'area'] },
  { module: TABLES, name: '[method]table.scan', parameters: ['handle', 'address', 'size', 'area'] },
  { module: TABLES, name: '[method]table.insert', parameters: ['handle', 'address', 'size', 'area'] },
  { module: TABLES, name: '[method]table.count', parameters: ['handle', 'address', 'size'], result: 'i64' },
  { module: TABLES, name: '[method]table.update', parameters: ['handle', 'address', 'size'], result: 'i32' },
  { module: TABLES, name: '[method]table.delete', parameters: ['handle', 'address', 'size'], result: 'i32' },
  { module: 'remembrancer:module/log@1.0.0', name: 'write', parameters: ['level', 'address', 'text size'] },
  { module: TABLES, name: '[resource-drop]table', parameters: ['handle'] },
  { module: 'remembrancer:module/outcome@1.0.0', name: 'fail', parameters: ['address', 'text size'] },
]

const AREA = 0x9000
const RESULT = 0x9010
const RESULT_SIZE = 48
const ALLOCATIONS = 0x9100
const HEAP = 0xa000

const CALL_TYPE: FunctionType = { parameters: Array.from({ length: 7 }, () => 'i32' as const), results: ['i32'] }
const FRAME: readonly FunctionType[] = [{ parameters: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] }, { parameters: [], results: ['i64'] }, CALL_TYPE]

/** @param closesNan as in generate-module.ts: for an engine that runs the guest as it is. */
export function generateGuest(random: Random, closesNan: boolean): GeneratedGuest {
  const reducers = Array.from({ length: 3 + random.below(5) }, () => randomType(random))
  const functions: readonly FunctionType[] = [{ parameters: [], results: [] }, { parameters: ['i32'], results: [] }, ...reducers]
  const globals: readonly ValueType[] = [...TYPES, ...Array.from({ length: random.below(4) }, () => random.pick(TYPES))]
  const table = Array.from({ length: random.below(4) }, () => functions.length - 1 - random.below(3))
  const memory = { min: random.chance(2) ? 1 : 1 + random.below(3), max: 4 + random.below(3) }
  // The host refuses what the start and the post-return ask of it.
  const quiet = [0, 1, functions.length - 2, functions.length - 1]
  const shape: ModuleShape = {
    functions,
    host: HOST,
    quiet,
    handles: [globals.length + 1, globals.length + 2],
    globals,
    table,
    trapsIn: random.pick([50, 1_000]),
    closesNan,
  }
  const bodies = functions.map((_type, index) => generateBody(random, shape, index))
  const writer = new BinaryWriter(8_192).u8(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)
  writer.section(1, typeSection([...functions, ...FRAME, ...HOST.map(typeOf)]))
  writer.section(2, importSection(functions.length + FRAME.length))
  writer.section(3, functionSection(functions.length + FRAME.length))
  writer.section(4, tableSection(table))
  writer.section(5, new BinaryWriter().u32(1).u8(1).u32(memory.min).u32(memory.max))
  writer.section(6, globalSection(globals, random))
  writer.section(7, exportSection(functions.length))
  writer.section(9, elementSection(table))
  writer.section(10, codeSection([...bodies, reallocBody(shape), digestBody(shape), callBody(shape, reducers)]))
  writer.section(11, dataSection(memory.min, random))
  return { core: writer.toBytes(), reducers, memory }
}

function typeOf({ parameters, result }: HostFunction): FunctionType {
  return { parameters: parameters.map(() => 'i32' as const), results: result === undefined ? [] : [result] }
}

function importSection(firstType: number): BinaryWriter {
  const writer = new BinaryWriter().u32(HOST.length)
  for (const [index, { module, name }] of HOST.entries())
    writer
      .name(module)
      .name(name)
      .u8(0)
      .u32(firstType + index)
  return writer
}

function functionSection(count: number): BinaryWriter {
  const writer = new BinaryWriter().u32(count)
  for (let type = 0; type < count; type += 1) writer.u32(type)
  return writer
}

function tableSection(table: readonly number[]): BinaryWriter {
  return new BinaryWriter()
    .u32(1)
    .u8(0x70, 1)
    .u32(table.length + 2)
    .u32(table.length + 2)
}

/** Two segments that overlap: the second begins with the first one's last function. */
function elementSection(table: readonly number[]): BinaryWriter {
  const writer = new BinaryWriter().u32(2)
  for (const [offset, functions] of [
    [0, table],
    [Math.max(0, table.length - 1), table.slice(-1)],
  ] as const) {
    writer.u8(0, 0x41).s32(offset).u8(0x0b).u32(functions.length)
    for (const index of functions) writer.u32(HOST.length + index)
  }
  return writer
}

function globalSection(globals: readonly ValueType[], random: Random): BinaryWriter {
  const writer = new BinaryWriter().u32(globals.length + 4)
  for (const type of globals) constant(writer.u8(CODES[type], 1), type, random)
  writer.u8(CODES.i32, 1, 0x41).s32(HEAP).u8(0x0b)
  for (let left = 2; left > 0; left -= 1) writer.u8(CODES.i32, 1, 0x41, 0, 0x0b)
  const fixed = random.pick(TYPES)
  return constant(writer.u8(CODES[fixed], 0), fixed, random)
}

/** Every second float is a NaN of some sign, kind and payload. */
function constant(writer: BinaryWriter, type: ValueType, random: Random): BinaryWriter {
  const bytes = random.bytes(8)
  if (type === 'i32')
    return writer
      .u8(0x41)
      .s32(random.u32() | 0)
      .u8(0x0b)
  if (type === 'i64')
    return writer
      .u8(0x42)
      .s32(random.u32() | 0)
      .u8(0x0b)
  const sign = random.below(2) * 0x80
  if (random.chance(2)) bytes.set(type === 'f32' ? [0x80 | random.below(128), 0x7f | sign] : [0xf0 | random.below(16), 0x7f | sign], type === 'f32' ? 2 : 6)
  return writer
    .u8(type === 'f32' ? 0x43 : 0x44)
    .bytes(bytes, 0, type === 'f32' ? 4 : 8)
    .u8(0x0b)
}

function exportSection(generated: number): BinaryWriter {
  const first = HOST.length
  const frame = first + generated
  return new BinaryWriter()
    .u32(5)
    .name('memory')
    .u8(2, 0)
    .name('_initialize')
    .u8(0)
    .u32(first)
    .name('cabi_post_call')
    .u8(0)
    .u32(first + 1)
    .name('cabi_realloc')
    .u8(0)
    .u32(frame)
    .name('call')
    .u8(0)
    .u32(frame + 2)
}

function codeSection(bodies: readonly Uint8Array[]): BinaryWriter {
  const writer = new BinaryWriter(8_192).u32(bodies.length)
  for (const body of bodies) writer.sized(body)
  return writer
}

/** Segments anywhere in the memory, over each other and side by side; a rare one ends outside. */
function dataSection(pages: number, random: Random): BinaryWriter {
  const count = random.below(8)
  const writer = new BinaryWriter(2_048).u32(count)
  let last = 0
  for (let left = count; left > 0; left -= 1) {
    const size = random.chance(6) ? 0 : random.below(random.chance(10) ? 2_000 : 100)
    const near = last + random.below(200) - 50
    const offset = random.chance(2) && near >= 0 && near + size < pages * 65_536 ? near : random.below(pages * 65_536 - size + (random.chance(500) ? 100 : 1))
    writer.u8(0, 0x41).s32(offset).u8(0x0b).sized(random.bytes(size))
    last = offset + size
  }
  return writer
}

/** The places of the frame's own among functions and globals. */
function frameOf({ globals, functions }: ModuleShape): { heap: number; handles: readonly [number, number]; digest: number } {
  return { heap: globals.length, handles: [globals.length + 1, globals.length + 2], digest: HOST.length + functions.length + 1 }
}

/** Takes from the heap, grows the memory when it must, and counts in memory what it did. */
function reallocBody(shape: ModuleShape): Uint8Array {
  const { heap } = frameOf(shape)
  const code = new BinaryWriter().u32(1).u32(1).u8(CODES.i32)
  // at = (heap + align - 1) & -align
  code.u8(0x23).u32(heap).u8(0x20, 2, 0x6a, 0x41, 1, 0x6b, 0x41, 0, 0x20, 2, 0x6b, 0x71, 0x21, 4)
  // heap = at + size
  code.u8(0x20, 4, 0x20, 3, 0x6a, 0x24).u32(heap)
  // if heap > memory.size * 65536: memory.grow(size / 65536 + 1)
  code.u8(0x23).u32(heap).u8(0x3f, 0, 0x41, 16, 0x74, 0x4b, 0x04, 0x40, 0x20, 3, 0x41, 16, 0x76, 0x41, 1, 0x6a, 0x40, 0, 0x1a, 0x0b)
  // allocations += 1
  code.u8(0x41).s32(ALLOCATIONS).u8(0x41).s32(ALLOCATIONS).u8(0x28, 2, 0, 0x41, 1, 0x6a, 0x36, 2, 0)
  return code.u8(0x20, 4, 0x0b).toBytes()
}

/** Of all memory, eight bytes at a time, and of every global but the handles: no step of it loses a bit. */
function digestBody(shape: ModuleShape): Uint8Array {
  const { heap } = frameOf(shape)
  const code = new BinaryWriter().u32(2).u32(1).u8(CODES.i32).u32(1).u8(CODES.i64)
  code.u8(0x03, 0x40, 0x20, 1, 0x20, 0, 0x29, 3, 0, 0x85)
  mix(code)
  code.u8(0x20, 0, 0x41, 8, 0x6a, 0x22, 0, 0x3f, 0, 0x41, 16, 0x74, 0x49, 0x0d, 0, 0x0b)
  for (const [index, type] of [...shape.globals, 'i32' as const].entries()) {
    code.u8(0x20, 1, 0x23).u32(index === shape.globals.length ? heap : index)
    code.u8(...TO_I64[type], 0x85)
    mix(code)
  }
  return code.u8(0x20, 1, 0x0b).toBytes()
}

const TO_I64: Readonly<Record<ValueType, readonly number[]>> = { i32: [0xad], i64: [], f32: [0xbc, 0xad], f64: [0xbd] }

/** What is on the stack times an odd number, turned, becomes the digest. */
function mix(code: BinaryWriter): void {
  code.u8(0x42).s32(0x2545_f491).u8(0x7e, 0x42, 31, 0x89, 0x21, 1)
}

const LOADS: Readonly<Record<ValueType, number>> = { i32: 0x28, i64: 0x29, f32: 0x2a, f64: 0x2b }
const STORES: Readonly<Record<ValueType, number>> = { i32: 0x36, i64: 0x37, f32: 0x38, f64: 0x39 }

/** Parameters: reducer, context and its size, handles and their number, arguments and their size. */
function callBody(shape: ModuleShape, reducers: readonly FunctionType[]): Uint8Array {
  const { handles, digest } = frameOf(shape)
  const code = new BinaryWriter(1_024)
  for (const [index, global] of handles.entries())
    code
      .u8(0x20, 4, 0x41, index, 0x4b, 0x04, 0x40, 0x20, 3, 0x28, 2, index * 4, 0x24)
      .u32(global)
      .u8(0x0b)
  code.u8(0x20, 3, 0x41, 0, 0x20, 4, 0x41, 2, 0x74, 0xfc, 0x0b, 0)
  code.u8(0x41).s32(RESULT).u8(0x10).u32(digest).u8(0x37, 3, 0)
  for (let left = reducers.length + 1; left >= 0; left -= 1) code.u8(0x02, 0x40)
  code.u8(0x20, 0, 0x0e).u32(reducers.length)
  for (let label = 0; label <= reducers.length; label += 1) code.u32(label)
  for (const [index, type] of reducers.entries()) {
    code.u8(0x0b)
    reducerCall(code, type, HOST.length + 2 + index)
    code.u8(0x0c).u32(reducers.length - index)
  }
  code.u8(0x0b, 0x00, 0x0b)
  code
    .u8(0x41)
    .s32(RESULT + 40)
    .u8(0x10)
    .u32(digest)
    .u8(0x37, 3, 0)
  // One result in sixteen is an error with what is there for its message.
  code
    .u8(0x41)
    .s32(AREA)
    .u8(0x41)
    .s32(RESULT + 8)
    .u8(0x2d, 0, 0, 0x41, 15, 0x71, 0x41, 15, 0x46, 0x36, 2, 0)
  code
    .u8(0x41)
    .s32(AREA + 4)
    .u8(0x41)
    .s32(RESULT)
    .u8(0x36, 2, 0)
  code
    .u8(0x41)
    .s32(AREA + 8)
    .u8(0x41)
    .s32(RESULT_SIZE)
    .u8(0x36, 2, 0)
  // Something is left in the memory's last bytes.
  code
    .u8(0x3f, 0, 0x41, 16, 0x74, 0x41, 8, 0x6b, 0x41)
    .s32(RESULT + 40)
    .u8(0x29, 3, 0, 0x37, 3, 0)
  code.u8(0x41).s32(AREA).u8(0x0b)
  const locals = new BinaryWriter(code.sizeBytes + 16).u32(TYPES.length)
  for (const type of TYPES) locals.u32(2).u8(CODES[type])
  return locals.bytes(code.view()).toBytes()
}

/** Eight bytes of the arguments for each parameter, eight of the result for each result. */
function reducerCall(code: BinaryWriter, { parameters, results }: FunctionType, index: number): void {
  for (const [place, type] of parameters.entries()) code.u8(0x20, 5, LOADS[type], 0).u32(place * 8)
  code.u8(0x10).u32(index)
  const locals = results.map((type, place) => CALL_TYPE.parameters.length + TYPES.indexOf(type) * 2 + place)
  for (const local of locals.toReversed()) code.u8(0x21).u32(local)
  for (const [place, type] of results.entries())
    code
      .u8(0x41)
      .s32(RESULT + 8 + place * 8)
      .u8(0x20)
      .u32(locals[place] ?? 0)
      .u8(STORES[type], 0, 0)
}
