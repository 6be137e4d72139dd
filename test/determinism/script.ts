/**
 * The calls that determinism.test.ts has recorded and run again: over a module of AssemblyScript, one in
 * wat that shows every float instruction its NaNs, and, where there is a toolchain, the one in Rust.
 */
import { attackingGuest } from '../attack/guest.ts'

export interface Step {
  readonly module: string
  readonly reducer: string
  readonly args?: readonly unknown[]
  /** Whose call it is; a number stands for a person. */
  readonly sender?: number
  /** Units the call may burn. */
  readonly fuel?: number
  /**
   * The call is made again at the same moment, with exactly the fuel that it burnt, with one unit less,
   * and with so many parts of it. Only for calls that leave no rows.
   */
  readonly cuts?: number
}

const people = [0, 1, 2] as const

export const script: readonly Step[] = [
  ...people.flatMap((sender): Step[] => [
    { module: 'chances', reducer: 'draw', args: [3 + 20 * sender], sender },
    { module: 'chances', reducer: 'draw', args: [7], sender },
    { module: 'chances', reducer: 'drawn', sender },
    { module: 'chances', reducer: 'handle', sender },
    { module: 'chances', reducer: 'orders', args: [150], sender, cuts: 12 },
    { module: 'chances', reducer: 'texts', args: ['The quick 1.5e300 é -0x12 水 𝄞'], sender, cuts: 5 },
  ]),
  { module: 'chances', reducer: 'float_bits', cuts: 3 },
  { module: 'chances', reducer: 'growth', cuts: 6 },
  { module: 'chances', reducer: 'dive', args: [500] },
  { module: 'chances', reducer: 'dive', args: [100_000], cuts: 6 },
  { module: 'chances', reducer: 'count', args: [300_000, false] },
  { module: 'chances', reducer: 'count', args: [30_000, true], cuts: 40 },
  { module: 'chances', reducer: 'count', args: [4_000_000_000, false], fuel: 60_000_000 },
  { module: 'chances', reducer: 'trap', args: [1] },
  { module: 'chances', reducer: 'trap', args: [7] },
  ...people.map((sender): Step => ({ module: 'chances', reducer: 'drawn', sender })),
  { module: 'floats', reducer: 'constants' },
  { module: 'floats', reducer: 'loaded' },
  { module: 'floats', reducer: 'loaded_often' },
]

/** Of the module in Rust. */
export const rustScript: readonly Step[] = [
  { module: 'journal', reducer: 'write', args: ['the order of the words is the order of a hash map'] },
  { module: 'journal', reducer: 'write', args: ['and a map of a hundred words has many orders: 水 é 𝄞'] },
  { module: 'journal', reducer: 'words', cuts: 10 },
  { module: 'journal', reducer: 'latest', args: [10] },
  { module: 'journal', reducer: 'write', args: [''], cuts: 6 },
  { module: 'journal', reducer: 'write_and_panic', args: ['x'], cuts: 6 },
  { module: 'journal', reducer: 'write_without_end', fuel: 9_000_000 },
]

const NANS = {
  f64: ['nan', '-nan', 'nan:0x4000000000123', '-nan:0xfffffffffffff', 'inf', '-inf', '0', '-0', '0x1p-1074', '0x1.fffffffffffffp1023'],
  f32: ['nan', '-nan', 'nan:0x200123', '-nan:0x7fffff', 'inf', '-inf', '0', '-0', '0x1p-149', '0x1.fffffep127'],
} as const
const UNARY = ['abs', 'neg', 'ceil', 'floor', 'trunc', 'nearest', 'sqrt']
const BINARY = ['add', 'sub', 'mul', 'div', 'min', 'max', 'copysign']

/** Where answers begin; the values that are loaded stand at 1,024. */
const ANSWERS_AT = 131_072

/** What each instruction makes of each operand and of each two of them, as bytes. */
export function floats(): Promise<Uint8Array> {
  const constants = answering((type, value) => `(${type}.const ${NANS[type][value]})`)
  const loaded = answering((type, value) => `(${type}.load (i32.const ${placeOf(type, value)}))`)
  const data = (['f32', 'f64'] as const).flatMap((type) =>
    NANS[type].map((text, value) => `(${type}.store (i32.const ${placeOf(type, value)}) (${type}.const ${text}))`),
  )
  return attackingGuest({
    memory: '(memory (export "memory") 4)',
    reducers: [
      { name: 'constants', kind: 'query', result: 'bytes', body: `${constants.code} ${constants.end}` },
      { name: 'loaded', kind: 'query', result: 'bytes', body: `(call $values) (call $loaded) ${loaded.end}` },
      // Often enough for a compiler that waits till a function is worth it.
      {
        name: 'loaded_often',
        kind: 'query',
        result: 'bytes',
        body: `(call $values) (loop $on (call $loaded) (br_if $on (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.const 2000)))) ${loaded.end}`,
      },
    ],
    more: `(func $values ${data.join(' ')}) (func $loaded ${loaded.code})`,
  })
}

function placeOf(type: 'f32' | 'f64', value: number): number {
  return (type === 'f32' ? 1_024 : 1_104) + value * 8
}

function answering(operand: (type: 'f32' | 'f64', value: number) => string): { readonly code: string; readonly end: string } {
  const code: string[] = []
  let at = ANSWERS_AT + 4
  for (const type of ['f32', 'f64'] as const) {
    for (const left of NANS[type].keys()) {
      const found = [
        ...UNARY.map((name) => `(${type}.${name} ${operand(type, left)})`),
        ...NANS[type].flatMap((_text, right) => BINARY.map((name) => `(${type}.${name} ${operand(type, left)} ${operand(type, right)})`)),
      ]
      for (const result of found) {
        code.push(`(${type}.store (i32.const ${at}) ${result})`)
        at += 8
      }
    }
  }
  const size = at - ANSWERS_AT
  return {
    code: code.join('\n'),
    end: `(i32.store (i32.const ${ANSWERS_AT}) (i32.const ${size - 4})) (call $answer (i32.const ${ANSWERS_AT}) (i32.const ${size}))`,
  }
}
