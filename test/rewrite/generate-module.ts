/**
 * Random modules of the allowed instructions: valid by construction, ending by construction (loops count
 * down, calls go to later functions), and full of what a rewriter could get wrong: dead code, branches
 * out of everything with values, tables of labels, traps, growth, indirect calls, NaN of all kinds.
 *
 * With `closesNan` each instruction that can make a NaN is followed by code that makes it canonical: the
 * meaning that a rewritten module must have without it. Nothing else differs from the same seed's other module.
 */
import { BinaryWriter } from '../../host/module/rewrite/binary-writer.ts'
import type { FunctionType, ValueType } from '../../host/module/core-module.ts'
import type { Random } from '../fuzz/random.ts'
import { generateBody } from './generate-body.ts'

export interface ModuleShape {
  readonly functions: readonly FunctionType[]
  /** Functions of the host that bodies may call; their indices come first. */
  readonly host: readonly HostFunction[]
  /** Functions that call nothing of the host, and no others than such. */
  readonly quiet: readonly number[]
  /** Globals that hold handles for them. */
  readonly handles: readonly number[]
  readonly globals: readonly ValueType[]
  /** Functions in the table, the last place left empty. */
  readonly table: readonly number[]
  /** One in so many of the instructions that can trap is left to its operands. */
  readonly trapsIn: number
  readonly closesNan: boolean
}

export interface HostFunction {
  readonly module: string
  readonly name: string
  /** What each parameter is for; all are of type i32. */
  readonly parameters: readonly ('handle' | 'address' | 'size' | 'text size' | 'area' | 'level')[]
  readonly result?: ValueType
}

export const CODES: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c }
export const TYPES: readonly ValueType[] = ['i32', 'i64', 'f32', 'f64']

/** Exports "0", "1", … for its functions, "memory", and "g0", "g1", … for its globals. */
export function generateModule(random: Random, closesNan: boolean): Uint8Array<ArrayBuffer> {
  const functions = Array.from({ length: 2 + random.below(6) }, () => randomType(random))
  const globals: readonly ValueType[] = [...TYPES, random.pick(TYPES)]
  const table = Array.from({ length: random.below(4) }, () => functions.length - 1 - random.below(Math.min(3, functions.length)))
  const shape = { functions, host: [], quiet: [], handles: [], globals, table, trapsIn: 10, closesNan }
  const bodies = functions.map((_type, index) => generateBody(random, shape, index))
  return assemble(shape, bodies, random)
}

export function randomType(random: Random): FunctionType {
  const types = (max: number): ValueType[] => Array.from({ length: random.below(max + 1) }, () => random.pick(TYPES))
  return { parameters: types(3), results: types(random.chance(3) ? 2 : 1) }
}

function assemble(shape: ModuleShape, bodies: readonly Uint8Array[], random: Random): Uint8Array<ArrayBuffer> {
  const { functions, globals, table } = shape
  const writer = new BinaryWriter(4_096).u8(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)
  writer.section(1, typeSection(functions))
  const indices = new BinaryWriter().u32(functions.length)
  for (const index of functions.keys()) indices.u32(index)
  writer.section(3, indices)
  writer.section(
    4,
    new BinaryWriter()
      .u32(1)
      .u8(0x70, 1)
      .u32(table.length + 1)
      .u32(table.length + 1),
  )
  writer.section(5, new BinaryWriter().u32(1).u8(1, 1, 4))
  writer.section(6, globalSection(globals))
  writer.section(7, exportSection(functions, globals))
  const elements = new BinaryWriter().u32(1).u8(0, 0x41, 0, 0x0b).u32(table.length)
  for (const index of table) elements.u32(index)
  writer.section(9, elements)
  const code = new BinaryWriter(4_096).u32(bodies.length)
  for (const body of bodies) code.sized(body)
  writer.section(10, code)
  const data = Uint8Array.from({ length: 64 }, () => (random.chance(3) ? 0xff : random.below(256)))
  return writer.section(11, new BinaryWriter().u32(1).u8(0, 0x41, 0, 0x0b).sized(data)).toBytes()
}

export function typeSection(functions: readonly FunctionType[]): BinaryWriter {
  const writer = new BinaryWriter().u32(functions.length)
  for (const { parameters, results } of functions) {
    writer.u8(0x60).u32(parameters.length)
    for (const type of parameters) writer.u8(CODES[type])
    writer.u32(results.length)
    for (const type of results) writer.u8(CODES[type])
  }
  return writer
}

function globalSection(globals: readonly ValueType[]): BinaryWriter {
  const writer = new BinaryWriter().u32(globals.length)
  for (const type of globals) {
    writer.u8(CODES[type], 1)
    if (type === 'i32') writer.u8(0x41, 7)
    else if (type === 'i64') writer.u8(0x42, 7)
    else if (type === 'f32') writer.u8(0x43, 1, 0, 0xa0, 0x7f)
    else writer.u8(0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f)
    writer.u8(0x0b)
  }
  return writer
}

function exportSection(functions: readonly FunctionType[], globals: readonly ValueType[]): BinaryWriter {
  const writer = new BinaryWriter().u32(functions.length + globals.length + 1)
  for (const index of functions.keys()) writer.name(String(index)).u8(0).u32(index)
  for (const index of globals.keys()) writer.name(`g${index}`).u8(3).u32(index)
  return writer.name('memory').u8(2).u32(0)
}
