/** Which opcodes there are of each type, and what they may do. */
import type { ValueType } from '../../host/module/core-module.ts'

/** By type: opcodes of one operand and of two of the same type. */
export const UNARY: Readonly<Record<ValueType, readonly number[]>> = {
  i32: [0x45, 0x67, 0x68, 0x69, 0xc0, 0xc1],
  i64: [0x79, 0x7a, 0x7b, 0xc2, 0xc3, 0xc4],
  f32: range(0x8b, 0x91),
  f64: range(0x99, 0x9f),
}
export const BINARY: Readonly<Record<ValueType, readonly number[]>> = {
  i32: range(0x6a, 0x78),
  i64: range(0x7c, 0x8a),
  f32: range(0x92, 0x98),
  f64: range(0xa0, 0xa6),
}
export const COMPARES: Readonly<Record<ValueType, readonly number[]>> = {
  i32: range(0x46, 0x4f),
  i64: [0x51, ...range(0x52, 0x5a)],
  f32: range(0x5b, 0x60),
  f64: range(0x61, 0x66),
}
/** To each type: opcode (0xfc00 and up: the prefixed ones) and the type it takes. */
export const CONVERSIONS: Readonly<Record<ValueType, readonly (readonly [number, ValueType])[]>> = {
  i32: [
    [0xa7, 'i64'],
    [0xa8, 'f32'],
    [0xa9, 'f32'],
    [0xaa, 'f64'],
    [0xab, 'f64'],
    [0xbc, 'f32'],
    [0xfc00, 'f32'],
    [0xfc01, 'f32'],
    [0xfc02, 'f64'],
    [0xfc03, 'f64'],
  ],
  i64: [
    [0xac, 'i32'],
    [0xad, 'i32'],
    [0xae, 'f32'],
    [0xaf, 'f32'],
    [0xb0, 'f64'],
    [0xb1, 'f64'],
    [0xbd, 'f64'],
    [0xfc04, 'f32'],
    [0xfc05, 'f32'],
    [0xfc06, 'f64'],
    [0xfc07, 'f64'],
  ],
  f32: [
    [0xb2, 'i32'],
    [0xb3, 'i32'],
    [0xb4, 'i64'],
    [0xb5, 'i64'],
    [0xb6, 'f64'],
    [0xbe, 'i32'],
  ],
  f64: [
    [0xb7, 'i32'],
    [0xb8, 'i32'],
    [0xb9, 'i64'],
    [0xba, 'i64'],
    [0xbb, 'f32'],
    [0xbf, 'i64'],
  ],
}
export const LOADS: Readonly<Record<ValueType, readonly number[]>> = {
  i32: [0x28, 0x2c, 0x2d, 0x2e, 0x2f],
  i64: [0x29, ...range(0x30, 0x35)],
  f32: [0x2a],
  f64: [0x2b],
}
export const STORES: Readonly<Record<ValueType, readonly number[]>> = { i32: [0x36, 0x3a, 0x3b], i64: [0x37, 0x3c, 0x3d, 0x3e], f32: [0x38], f64: [0x39] }

/** All arithmetic but abs, neg and copysign, which only move a sign, and what begins with an integer. */
export function makesNan(opcode: number): boolean {
  if (opcode >= 0x8d && opcode <= 0x98) return opcode !== 0x98
  if (opcode >= 0x9b && opcode <= 0xa6) return opcode !== 0xa6
  return opcode === 0xb6 || opcode === 0xbb
}

export function mayTrap(opcode: number): boolean {
  return (opcode >= 0xa8 && opcode <= 0xab) || (opcode >= 0xae && opcode <= 0xb1)
}

/** The conversion to the same type that does not trap. */
export function saturating(opcode: number): number {
  return opcode < 0xae ? 0xfc00 + opcode - 0xa8 : 0xfc04 + opcode - 0xae
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_unused, index) => first + index)
}
