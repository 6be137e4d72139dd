/** Instances that are reset for the next call (docs/decisions/0003-reset-instances.md); test/rewrite/reset.test.ts is their proof. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'

import * as limits from '../../host/limits.ts'
import { rewriteCore } from '../../host/module/rewrite/rewrite.ts'
import { METER_SECTION } from '../../host/sandbox/door.ts'
import { GuestModule } from '../../host/sandbox/guest-module.ts'
import type { GuestOutcome } from '../../host/sandbox/guest-module.ts'
import { InstancePool } from '../../host/sandbox/instance-pool.ts'
import { MemoryPool } from '../../host/sandbox/memory-pool.ts'
import { answerOf, guestOf, run, textOf } from './guest-fixture.ts'
import type { GuestParts } from './guest-fixture.ts'

const OUTCOME = '(import "remembrancer:module/outcome@1.0.0" "fail" (func $fail (param i32 i32)))'

/** Answers how often it was called, as far as it knows, and how often it was started. */
const COUNTING: GuestParts = {
  call: `(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store (i32.const 50000) (i32.add (i32.load (i32.const 50000)) (i32.const 1)))
    (i32.store (i32.const 80) (i32.add (i32.mul (global.get $calls) (i32.const 100)) (i32.add (i32.mul (global.get $starts) (i32.const 10)) (i32.load (i32.const 50000)))))`,
  more: `(global $calls (mut i32) (i32.const 0)) (global $starts (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $starts (i32.add (global.get $starts) (i32.const 1))))`,
}

test('calls of a module share one instance, and each finds it as if it were new', async () => {
  const [fresh, reset] = [await guestOf(COUNTING, 'fresh'), await guestOf(COUNTING, 'reset')]
  const expected = run(fresh)
  assert.equal(answerOf(expected), 111)
  for (let times = 0; times < 5; times += 1) assert.deepEqual(run(reset), expected)
  assert.equal(reset.instancesMade, 1)
  run(fresh)
  assert.equal(fresh.instancesMade, 2)
})

test('globals of every type are as they were, a NaN with its bits', async () => {
  const guest = await guestOf(
    {
      call: `(i32.store (i32.const 80) (i32.and (i32.eq (global.get $a) (i32.const -7)) (i32.and (i64.eq (global.get $b) (i64.const -9000000000))
          (i32.and (i32.eq (i32.reinterpret_f32 (global.get $c)) (i32.const 0xffa00001)) (i64.eq (i64.reinterpret_f64 (global.get $d)) (i64.const 0x7ff4000000000003))))))
        (global.set $a (i32.const 1)) (global.set $b (i64.const 1)) (global.set $c (f32.const 1)) (global.set $d (f64.const 1))`,
      more: `(global $fixed i64 (i64.const 5)) (global $a (mut i32) (i32.const -7)) (global $b (mut i64) (i64.const -9000000000))
        (global $c (mut f32) (f32.const -nan:0x200001)) (global $d (mut f64) (f64.const nan:0x4000000000003))`,
    },
    'reset',
  )
  for (let times = 0; times < 3; times += 1) assert.equal(answerOf(run(guest)), 1)
  assert.equal(guest.instancesMade, 1)
})

/** Ends of a call after which its instance is not used again, and whether it came to a result. */
const SPOILING: readonly (readonly [what: string, body: string, end: GuestOutcome['kind']])[] = [
  ['a trap', '(unreachable)', 'trapped'],
  ['a message of the module', '(call $fail (i32.const 80) (i32.const 4))', 'failed'],
  ['a result that says it failed', '(i32.store8 (i32.const 64) (i32.const 1))', 'failed'],
  ['a result outside of the memory', '(i32.store (i32.const 68) (i32.const -1))', 'trapped'],
  ['all its fuel', '(loop $on (br $on))', 'trapped'],
  ['too deep a recursion', '(call $deep)', 'trapped'],
  ['growth', '(drop (memory.grow (i32.const 1)))', 'ok'],
]

for (const [what, body, end] of SPOILING) {
  test(`after ${what} the instance is thrown away, and the next call has a new one`, async () => {
    const call = `(if (local.get $reducer) (then ${body})) (i32.store (i32.const 80) (i32.load (i32.const 50000))) (i32.store (i32.const 50000) (i32.const 9))`
    const guest = await guestOf({ call, imports: OUTCOME, more: '(func $deep (call $deep))' }, 'reset')
    assert.equal(answerOf(run(guest)), 0)
    assert.equal(run(guest, { fuel: 1_000_000 }, { reducer: 1 }).kind, end)
    assert.equal(guest.instancesMade, 1)
    assert.equal(answerOf(run(guest)), 0)
    assert.equal(guest.instancesMade, 2)
  })
}

test('an instance whose post-return traps is thrown away as well', async () => {
  const guest = await guestOf({ call: '', more: '(func (export "cabi_post_call") (param i32) (unreachable))' }, 'reset')
  for (let times = 1; times <= 2; times += 1) {
    assert.equal(answerOf(run(guest)), 'ERR_CALL_TRAPPED')
    assert.equal(guest.instancesMade, times)
  }
})

test('growth by nothing leaves the memory and the instance as they are', async () => {
  const guest = await guestOf(
    { call: '(drop (memory.grow (i32.const 0))) (i32.store (i32.const 80) (i32.load (i32.const 50000))) (i32.store (i32.const 50000) (i32.const 9))' },
    'reset',
  )
  for (let times = 0; times < 3; times += 1) assert.equal(answerOf(run(guest)), 0)
  assert.equal(guest.instancesMade, 1)
})

test('another limit of memory needs another instance', async () => {
  const guest = await guestOf({ call: '(i32.store (i32.const 80) (memory.grow (i32.const 3)))' }, 'reset')
  assert.equal(answerOf(run(guest, { memoryPages: 3 })), -1)
  assert.equal(answerOf(run(guest, { memoryPages: 4 })), 1)
  assert.equal(answerOf(run(guest, { memoryPages: 3 })), -1)
  assert.equal(guest.instancesMade, 3)
})

test('a module that was metered before it could be reset gets fresh instances', async () => {
  const guest = await GuestModule.compile(withOldFacts(rewriteCore(await parse(textOf(COUNTING)))), 'reset')
  run(guest)
  run(guest)
  assert.equal(guest.instancesMade, 2)
})

test('a module that runs no more keeps no instance', async () => {
  const guest = await guestOf(COUNTING, 'reset')
  run(guest)
  guest.close()
  run(guest)
  assert.equal(guest.instancesMade, 2)
})

const shape = { initial: 1, maximum: 4 }

test('an instance is handed out with a memory of zeros, to its last byte', () => {
  const pool = new InstancePool(new MemoryPool())
  const module = {}
  const memory = new MemoryPool().acquire({ initial: 2, maximum: 2 })
  memory.bytes.fill(255)
  pool.keep(module, { memory, door: undefined })
  const taken = pool.take(module, { initial: 2, maximum: 2 })
  assert.equal(taken?.memory, memory)
  assert.ok(memory.bytes.every((byte) => byte === 0))
  assert.equal(pool.take(module, shape), undefined)
})

test('few instances are kept, those that were used last; their memories are used again', () => {
  const memories = new MemoryPool()
  const pool = new InstancePool(memories)
  const modules = Array.from({ length: limits.instancesIdleMax + 3 }, () => ({}))
  for (const module of modules) pool.keep(module, { memory: memories.acquire(shape), door: undefined })
  assert.equal(pool.idle, limits.instancesIdleMax)
  assert.deepEqual(
    modules.map((module) => pool.take(module, shape) !== undefined),
    modules.map((_module, index) => index >= 3),
  )
  assert.ok(memories.live <= limits.instancesIdleMax + 1, `${memories.live} memories`)
})

test('few bytes are kept', () => {
  const memories = new MemoryPool()
  const pool = new InstancePool(memories)
  const large = { initial: 256, maximum: 256 }
  for (let left = 8; left > 0; left -= 1) pool.keep({}, { memory: memories.acquire(large), door: undefined })
  assert.equal(pool.idle, limits.instanceIdleBytesMax / (256 * 65_536))
})

/** The module with the four words that its meter section had at first. */
function withOldFacts(core: Uint8Array): Uint8Array {
  const name = Buffer.from(METER_SECTION)
  const at = Buffer.from(core).lastIndexOf(name)
  const facts = core.subarray(at + name.length, at + name.length + 16)
  return Buffer.concat([core.subarray(0, at - 3), Buffer.from([0, 1 + name.length + 16, name.length]), name, facts])
}
