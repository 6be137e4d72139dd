import assert from 'node:assert/strict'
import { test } from 'node:test'

import { WORLD_NAME } from '../../host/module/world.ts'
import { FUEL_SCHEDULE_VERSION, instancePagePrice, instancePrice } from '../../host/sandbox/fuel-schedule.ts'
import { answerOf, guestOf, run } from './guest-fixture.ts'

const version = WORLD_NAME.split('@')[1]
const LOG = `(import "remembrancer:module/log@${version}" "write" (func $log (param i32 i32 i32)))`

const RUNAWAYS: readonly (readonly [what: string, body: string, more?: string])[] = [
  ['an empty loop', '(loop $on (br $on))'],
  ['a loop that is left by a branch to its own start alone', '(loop $on (br_if $on (i32.const 1)))'],
  ['a loop of branches in a table', '(loop $on (br_table $on $on (i32.const 7)))'],
  ['a loop in a loop', '(loop $out (loop $in (br_if $in (i32.const 0)) (br $out)))'],
  ['a loop around a small function', '(loop $on (call $small) (br $on))', '(func $small)'],
  ['a loop of memory.fill over all its memory', '(loop $on (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (br $on))'],
  ['a loop of memory.copy over all its memory', '(loop $on (memory.copy (i32.const 0) (i32.const 8) (i32.const 65528)) (br $on))'],
  ['a loop of memory.grow by nothing', '(loop $on (drop (memory.grow (i32.const 0))) (br $on))'],
  ['a loop of growth that is refused', '(loop $on (drop (memory.grow (i32.const 65536))) (br $on))'],
  ['a loop of host calls', '(loop $on (call $log (i32.const 0) (i32.const 0) (i32.const 0)) (br $on))'],
  [
    'a loop around a call through the table',
    '(loop $on (call_indirect (type $nothing) (i32.const 0)) (br $on))',
    '(type $nothing (func)) (table 1 funcref) (elem (i32.const 0) $none) (func $none)',
  ],
  ['functions that call each other twice, forty deep', '(call $f39)', doubling()],
]

for (const [what, call, more = ''] of RUNAWAYS) {
  test(`${what} ends with its fuel, at once for little of it`, async () => {
    const guest = await guestOf({ call, more, imports: LOG })
    for (const fuel of [100_000, 1_000_000]) {
      const outcome = run(guest, { fuel })
      assert.equal(answerOf(outcome), 'ERR_CALL_FUEL')
      assert.equal(outcome.fuel, fuel)
    }
  })
}

test('a call that ends says what it burnt, and burns the same again', async () => {
  const guest = await guestOf({
    call: '(call $count (i32.const 1000))',
    more: '(func $count (param i32) (loop $on (br_if $on (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))',
  })
  const first = run(guest)
  assert.equal(answerOf(first), 0)
  const start = instancePrice + instancePagePrice
  assert.ok((first.fuel ?? 0) > start + 3_000 && (first.fuel ?? 0) < start + 8_000, `${first.fuel}`)
  for (let times = 0; times < 5; times += 1) assert.equal(run(guest).fuel, first.fuel)
})

test('a call that traps says what it burnt up to there', async () => {
  const guest = await guestOf({
    call: '(call $spin (i32.mul (local.get $reducer) (i32.const 10000))) (unreachable)',
    more: '(func $spin (param i32) (loop $on (br_if $on (i32.gt_s (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (i32.const 0)))))',
  })
  const [short, long] = [1, 10].map((reducer) => run(guest, {}, { reducer }))
  assert.equal(short && answerOf(short), 'ERR_CALL_TRAPPED')
  assert.ok((long?.fuel ?? 0) > 9 * ((short?.fuel ?? 0) - instancePrice - instancePagePrice))
})

test('a call with less fuel than its instance costs is not begun', async () => {
  const guest = await guestOf({ call: '(unreachable)' })
  assert.equal(answerOf(run(guest, { fuel: 1_000 })), 'ERR_CALL_FUEL')
})

test('arguments are paid for by their size before any of the guest runs', async () => {
  const guest = await guestOf({ call: '', realloc: '(i32.const 8192)' })
  const [small, large] = [16, 32_768].map((size) => run(guest, {}, { args: new Uint8Array(size) }).fuel ?? 0)
  assert.equal((large ?? 0) - (small ?? 0), (32_768 - 16) / 8)
})

test('a function pays for the locals that it clears', async () => {
  const wide = `(func $wide (local ${'i64 '.repeat(10_000)}))`
  const guest = await guestOf({ call: '(call $wide)', more: wide })
  assert.ok((run(guest).fuel ?? 0) > 2_500)
})

test('a module knows the version of its prices', async () => {
  assert.equal((await guestOf({ call: '' })).fuelSchedule, FUEL_SCHEDULE_VERSION)
})

function doubling(): string {
  return Array.from({ length: 40 }, (_unused, index) => `(func $f${index} ${index === 0 ? '' : `(call $f${index - 1}) (call $f${index - 1})`})`).join('\n')
}
