/**
 * Calls an exported function with bits and gives back bits: a small module between, whose floats are
 * reinterpreted as integers before JavaScript sees them.
 */
import type { FunctionType, ValueType } from '../../host/module/core-module.ts'
import { signatureText } from '../../host/module/core-module.ts'
import { BinaryWriter } from '../../host/module/rewrite/binary-writer.ts'
import type { Bits } from './values.ts'

const callers = new Map<string, WebAssembly.Module>()

/** @throws whatever the function traps with. */
export function callWithBits(target: unknown, type: FunctionType, parameters: readonly Bits[]): readonly Bits[] {
  const signature = signatureText(type)
  const module = callers.get(signature) ?? new WebAssembly.Module(callerFor(type))
  callers.set(signature, module)
  const { exports } = new WebAssembly.Instance(module, { '': { f: target as () => unknown } })
  const call = exports['f'] as (...parameters: (number | bigint)[]) => unknown
  const returned = call(...parameters.map(({ type: one, bits }) => (isWide(one) ? BigInt.asIntN(64, bits) : Number(bits) | 0)))
  const values = type.results.length === 1 ? [returned] : type.results.length === 0 ? [] : [...(returned as Iterable<unknown>)]
  return type.results.map((one, index) => ({ type: one, bits: bitsOf(values[index]) }))
}

function bitsOf(value: unknown): bigint {
  return typeof value === 'bigint' ? BigInt.asUintN(64, value) : BigInt(Number(value) >>> 0)
}

function isWide(type: ValueType): boolean {
  return type === 'i64' || type === 'f64'
}

const CODES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const
const FROM_BITS = { i32: [], i64: [], f32: [0xbe], f64: [0xbf] } as const
const TO_BITS = { i32: [], i64: [], f32: [0xbc], f64: [0xbd] } as const

function callerFor({ parameters, results }: FunctionType): Uint8Array<ArrayBuffer> {
  const asBits = (types: readonly ValueType[]): ValueType[] => types.map((type) => (isWide(type) ? 'i64' : 'i32'))
  const types = new BinaryWriter().u32(2)
  for (const type of [
    { parameters, results },
    { parameters: asBits(parameters), results: asBits(results) },
  ]) {
    types.u8(0x60).u32(type.parameters.length)
    for (const one of type.parameters) types.u8(CODES[one])
    types.u32(type.results.length)
    for (const one of type.results) types.u8(CODES[one])
  }
  const body = new BinaryWriter().u32(results.length)
  for (const one of results) body.u32(1).u8(CODES[one])
  for (const [index, one] of parameters.entries())
    body
      .u8(0x20)
      .u32(index)
      .u8(...FROM_BITS[one])
  body.u8(0x10).u32(0)
  for (let index = results.length - 1; index >= 0; index -= 1) body.u8(0x21).u32(parameters.length + index)
  for (const [index, one] of results.entries())
    body
      .u8(0x20)
      .u32(parameters.length + index)
      .u8(...TO_BITS[one])
  const writer = new BinaryWriter().u8(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)
  writer.section(1, types).section(2, new BinaryWriter().u32(1).name('').name('f').u8(0).u32(0))
  writer.section(3, new BinaryWriter().u32(1).u32(1)).section(7, new BinaryWriter().u32(1).name('f').u8(0).u32(1))
  return writer.section(10, new BinaryWriter().u32(1).sized(body.u8(0x0b).view())).toBytes()
}
