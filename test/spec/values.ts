/**
 * Values of the testsuite as bits. JavaScript may change the bits of a NaN when a float passes through
 * it, so floats are compared as the integers that they are in memory.
 */
import type { ValueType } from '../../host/module/core-module.ts'
import type { List } from './sexpr.ts'

export interface Bits {
  readonly type: ValueType
  readonly bits: bigint
}

/** What a result may be: one value, or a NaN of either kind. */
export type Expected = Bits | { readonly type: ValueType; readonly nan: 'canonical' | 'arithmetic' }

/** `(i32.const 7)` and its like; undefined for values of other features. */
export function readValue({ items }: List): Expected | undefined {
  const [head, literal] = items
  if (head?.kind !== 'word' || literal?.kind !== 'word') return undefined
  const [type, what] = head.word.split('.')
  if (what !== 'const' || !isValueType(type)) return undefined
  if (literal.word === 'nan:canonical') return { type, nan: 'canonical' }
  if (literal.word === 'nan:arithmetic') return { type, nan: 'arithmetic' }
  return { type, bits: type === 'i32' || type === 'i64' ? integer(literal.word, type) : float(literal.word, type) }
}

export function isBits(value: Expected): value is Bits {
  return 'bits' in value
}

export function matches(expected: Expected, found: Bits): boolean {
  if (expected.type !== found.type) return false
  if (isBits(expected)) return expected.bits === found.bits
  const { signBit, quietNan } = expected.type === 'f32' ? FORMATS.f32 : FORMATS.f64
  const withoutSign = found.bits & ~signBit
  return expected.nan === 'canonical' ? withoutSign === quietNan : (withoutSign & quietNan) === quietNan
}

export function show(value: Expected): string {
  return isBits(value) ? `${value.type} 0x${value.bits.toString(16)}` : `${value.type} nan:${value.nan}`
}

const FORMATS = {
  f32: { signBit: 1n << 31n, exponent: 0xffn << 23n, quietNan: 0x1ffn << 22n, mantissaBits: 23 },
  f64: { signBit: 1n << 63n, exponent: 0x7ffn << 52n, quietNan: 0xfffn << 51n, mantissaBits: 52 },
} as const

function isValueType(type: string | undefined): type is ValueType {
  return type === 'i32' || type === 'i64' || type === 'f32' || type === 'f64'
}

function integer(text: string, type: 'i32' | 'i64'): bigint {
  const [sign, digits] = signed(text)
  return BigInt.asUintN(type === 'i32' ? 32 : 64, sign * BigInt(digits))
}

function signed(text: string): [bigint, string] {
  const digits = text.replaceAll('_', '').replace(/^[+-]/, '')
  return [text.startsWith('-') ? -1n : 1n, digits]
}

function float(text: string, type: 'f32' | 'f64'): bigint {
  const format = FORMATS[type]
  const [sign, digits] = signed(text)
  const signBits = sign < 0n ? format.signBit : 0n
  if (digits === 'inf') return signBits | format.exponent
  if (digits === 'nan') return signBits | format.quietNan
  if (digits.startsWith('nan:')) return signBits | format.exponent | BigInt(digits.slice(4))
  return signBits | (digits.startsWith('0x') ? hexFloat(digits, type) : numberBits(Number(digits), type))
}

/** Decimal literals of the suite's arguments and results are short enough for double rounding not to matter. */
function numberBits(value: number, type: 'f32' | 'f64'): bigint {
  const view = new DataView(new ArrayBuffer(8))
  if (type === 'f64') view.setFloat64(0, value)
  else view.setFloat32(4, value)
  return type === 'f64' ? view.getBigUint64(0) : BigInt(view.getUint32(4))
}

/** 0x1.8p-3, rounded to nearest, ties to even, at the type's own precision. */
function hexFloat(text: string, type: 'f32' | 'f64'): bigint {
  const [mantissa = '', exponent = '0'] = text.slice(2).toLowerCase().split('p')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = BigInt(`0x${whole}${fraction}`)
  if (digits === 0n) return 0n
  const { mantissaBits } = FORMATS[type]
  const bias = type === 'f32' ? 127 : 1023
  let power = Number(exponent) - fraction.length * 4
  const length = digits.toString(2).length
  // The exponent of the leading bit, no less than that of subnormals.
  const leading = Math.max(power + length - 1, 1 - bias)
  const shift = leading - mantissaBits - power
  const rounded = shift <= 0 ? digits << BigInt(-shift) : roundShift(digits, shift)
  power = leading
  // A carry out of the mantissa runs on into the exponent, as it should.
  return power === 1 - bias ? rounded : rounded + (BigInt(power + bias - 1) << BigInt(mantissaBits))
}

function roundShift(digits: bigint, shift: number): bigint {
  const kept = digits >> BigInt(shift)
  const rest = digits - (kept << BigInt(shift))
  const half = 1n << BigInt(shift - 1)
  return rest > half || (rest === half && (kept & 1n) === 1n) ? kept + 1n : kept
}
