/**
 * A stored module names the version of the prices that it was metered with, so a version means the same
 * prices for ever. Each version is pinned here by what it charges.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'

import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'

import { rewriteCore } from '../../host/module/rewrite/rewrite.ts'
import * as bounds from '../../host/module/rewrite/bounds.ts'
import { readMeterFacts } from '../../host/sandbox/door.ts'
import * as schedule from '../../host/sandbox/fuel-schedule.ts'
import { MeteredInstance } from '../spec/metered-instance.ts'

interface Pinned {
  /** SHA-256 of every price and of every bound that moves a charge, its first 16 hex digits. */
  readonly prices: string
  /** What the functions of KERNELS burn, in their order, called with 10. */
  readonly kernels: readonly number[]
  /** What an instance of MODULE costs before any of it runs. */
  readonly instance: number
}

/** Add a version; never change one. */
const PINNED: ReadonlyMap<number, Pinned> = new Map([
  [1, { prices: 'e8df53229433ad79', kernels: [6, 600, 1_140, 33, 84, 81, 85, 24, 36_722, 12, 11_000], instance: 9_580 }],
])

const pinned = PINNED.get(schedule.FUEL_SCHEDULE_VERSION)

test('a price that changes is a new version of the schedule', () => {
  const opcodes = [...Array.from({ length: 0xc5 }, (_unused, opcode) => opcode), ...Array.from({ length: 12 }, (_unused, second) => 0xfc00 + second)]
  const { FUEL_SCHEDULE_VERSION: version, ...prices } = schedule
  const all = { ...prices, ...bounds, instructions: opcodes.map(schedule.instructionPrice), bytes: [0, 1, 7, 8, 9, 1_000].map(schedule.bytesPrice) }
  assert.equal(
    createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 16),
    pinned?.prices,
    `version ${version} of docs/fuel.md has other prices`,
  )
})

/** One function for each way in which charges are placed. */
const KERNELS: readonly string[] = [
  // Straight on, and a small function that its caller pays for.
  '(i32.mul (local.get 0) (call $small (local.get 0)))',
  // A loop, and one in another.
  '(local $i i32) (loop $on (local.set $i (i32.add (local.get $i) (i32.const 3))) (br_if $on (i32.lt_u (local.get $i) (i32.const 300)))) (local.get $i)',
  `(local $i i32) (local $j i32) (loop $out (local.set $j (local.get 0)) (loop $in (br_if $in (local.tee $j (i32.sub (local.get $j) (i32.const 1)))))
    (br_if $out (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20)))) (local.get $i)`,
  // Arms of other length, one of them dear enough to pay for itself.
  `(if (result i32) (i32.and (local.get 0) (i32.const 1)) (then (i32.const 1))
    (else (i32.div_u (i32.div_u (i32.div_u (i32.const 90000) (local.get 0)) (local.get 0)) (i32.add (local.get 0) (i32.const 1)))))`,
  '(block $b (block $a (br_table $a $b (i32.sub (local.get 0) (i32.const 10)))) (drop (call $deep (local.get 0)))) (i32.const 0)',
  // Calls: recursive, through the table, of floats.
  '(call $deep (local.get 0))',
  '(call_indirect (type $f) (local.get 0) (i32.const 0))',
  '(i32.trunc_f64_u (f64.sqrt (f64.div (f64.convert_i32_u (local.get 0)) (f64.const 2))))',
  // Sized work, and locals that are cleared.
  `(memory.fill (i32.const 0) (i32.const 1) (i32.mul (local.get 0) (i32.const 100))) (memory.copy (i32.const 0) (i32.const 64) (i32.const 999))
    (memory.grow (i32.const 1))`,
  `(local ${'i64 '.repeat(50)}) (local.get 0)`,
  // A loop that holds fuel in a local, with memory in it.
  `(local $i i32) (loop $on (i32.store (local.get $i) (i32.add (i32.load (local.get $i)) (i32.const 1)))
    (br_if $on (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 4000)))) (local.get $i)`,
]

const MODULE = `(module (memory 1 4) (type $f (func (param i32) (result i32))) (table 1 funcref) (elem (i32.const 0) $deep)
  (global (mut i64) (i64.const 1)) (data (i32.const 8) "some bytes") (data (i32.const 20) "and a few more of them")
  (func $small (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $deep (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
  ${KERNELS.map((body, index) => `(func (export "${index}") (param i32) (result i32) ${body})`).join('\n')})`

test('a charge that moves is a new version of the schedule', async () => {
  const instance = new MeteredInstance(await parse(MODULE), {})
  const burnt = KERNELS.map((_body, index) => {
    instance.refill()
    ;(instance.exports[String(index)] as (parameter: number) => number)(10)
    return instance.burnt
  })
  assert.deepEqual(burnt, pinned?.kernels)
  assert.equal(readMeterFacts(new WebAssembly.Module(rewriteCore(await parse(MODULE)))).instanceFuel, pinned?.instance)
})
