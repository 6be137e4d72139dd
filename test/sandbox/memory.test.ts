import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import * as limits from '../../host/limits.ts'
import type { GuestMemory } from '../../host/sandbox/guest-memory.ts'
import { MemoryPool } from '../../host/sandbox/memory-pool.ts'
import { answerOf, guestOf, run } from './guest-fixture.ts'

test('a call sees zeroes and its own data segments, whatever the call before left', async () => {
  const guest = await guestOf({
    // Counts what is not zero outside of 68 to 80, and fills everything with ones afterwards.
    call: `(local.set $at (i32.const 65532))
      (loop $on (local.set $found (i32.add (local.get $found) (i32.ne (i32.load (local.get $at)) (i32.const 0))))
        (br_if $on (i32.gt_s (local.tee $at (i32.sub (local.get $at) (i32.const 4))) (i32.const 80))))
      (local.set $seen (i32.load (i32.const 40000)))
      (memory.fill (i32.const 84) (i32.const 255) (i32.const 65452))
      (global.set $kept (i32.add (global.get $kept) (i32.const 1)))
      (i32.store (i32.const 80) (i32.add (i32.mul (local.get $found) (i32.const 1000)) (i32.add (i32.mul (global.get $kept) (i32.const 10)) (i32.eq (local.get $seen) (i32.const 7)))))`,
    locals: '(local $at i32) (local $found i32) (local $seen i32)',
    more: '(global $kept (mut i32) (i32.const 0)) (data (i32.const 40000) "\\07\\00\\00\\00")',
  })
  // One word found: its own segment. The global counts one call. The segment is there again.
  for (let times = 0; times < 3; times += 1) assert.equal(answerOf(run(guest)), 1_011)
})

test('what one module leaves in memory another with the same memory does not find', async () => {
  const writer = await guestOf({ call: '(memory.fill (i32.const 84) (i32.const 255) (i32.const 60000))' })
  const reader = await guestOf({ call: '(i32.store (i32.const 80) (i32.load (i32.const 50000)))' })
  run(writer)
  assert.equal(answerOf(run(reader)), 0)
})

test('memory is cleared after a trap as well', async () => {
  const guest = await guestOf({
    call: '(i32.store (i32.const 80) (i32.load (i32.const 50000))) (i32.store (i32.const 50000) (i32.const 9)) (if (local.get $reducer) (then (unreachable)))',
  })
  assert.equal(answerOf(run(guest, {}, { reducer: 1 })), 'ERR_CALL_TRAPPED')
  assert.equal(answerOf(run(guest)), 0)
})

test('growth ends at the limit of the call with -1, and each call starts small again', async () => {
  const guest = await guestOf({
    call: '(i32.store (i32.const 80) (i32.add (i32.mul (memory.grow (i32.const 3)) (i32.const 100)) (memory.grow (i32.const 1))))',
  })
  assert.equal(answerOf(run(guest, { memoryPages: 4 })), 99)
  assert.equal(answerOf(run(guest, { memoryPages: 5 })), 104)
  assert.equal(answerOf(run(guest, { memoryPages: 3 })), -99)
  const size = await guestOf({ call: '(i32.store (i32.const 80) (memory.size))' })
  assert.equal(answerOf(run(size)), 1)
})

test('a module keeps its own maximum', async () => {
  const guest = await guestOf({
    memory: '1 2',
    call: '(i32.store (i32.const 80) (i32.add (i32.mul (memory.grow (i32.const 1)) (i32.const 100)) (memory.grow (i32.const 1))))',
  })
  assert.equal(answerOf(run(guest)), 99)
})

test('a module that starts with more pages than a call may have is refused', async () => {
  const guest = await guestOf({ memory: '5', call: '' })
  assert.throws(() => run(guest, { memoryPages: 4 }), { code: 'ERR_CALL_LIMIT' })
})

test('a memory goes back to the pool unless it grew', () => {
  const pool = new MemoryPool()
  const shape = { initial: 1, maximum: 4 }
  const first = pool.acquire(shape)
  pool.release(first)
  assert.equal(pool.acquire(shape), first)
  assert.equal(pool.idle, 0)
  first.memory.grow(1)
  pool.release(first)
  assert.equal(pool.idle, 0)
  assert.notEqual(pool.acquire(shape), first)
  assert.equal(pool.live, 2)
})

test('a memory is zero when it is handed out, to its last byte', () => {
  const pool = new MemoryPool()
  const shape = { initial: 2, maximum: 2 }
  const memory = pool.acquire(shape)
  memory.bytes.fill(255)
  pool.release(memory)
  assert.ok(pool.acquire(shape).bytes.every((byte) => byte === 0))
})

test('memories of other sizes are not mixed up, and few are kept', () => {
  const pool = new MemoryPool()
  for (let initial = 1; initial <= 40; initial += 1) {
    const shape = { initial, maximum: 100 }
    const memory = pool.acquire(shape)
    assert.equal(memory.bytes.length, initial * 65_536)
    pool.release(memory)
  }
  assert.equal(pool.idle, limits.memoriesIdleMax)
})

test('a thread whose memories are all alive makes no more of them, and says so', () => {
  const pool = new MemoryPool(3)
  const shape = { initial: 1, maximum: 4 }
  const memories = Array.from({ length: 3 }, () => pool.acquire(shape))
  assert.throws(() => pool.acquire(shape), { code: 'ERR_BUSY' })
  pool.release(memories[0] as GuestMemory)
  assert.equal(pool.acquire(shape), memories[0])
})

/** V8 reserves 10 GiB of addresses for each memory, and gives them back when it is collected. */
function reservedMemories(): number {
  const kilobytes = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
  return Number(kilobytes) / (10 * 2 ** 20)
}

test('calls that grow their memory do not run out of memories, and few of those are alive at a time', async (context) => {
  const isLinux = process.platform === 'linux'
  if (!isLinux) context.diagnostic('only Linux tells how many addresses a process has reserved')
  const guest = await guestOf({ call: '(drop (memory.grow (i32.const 1)))' })
  let most = 0
  // More than V8 has room for, in turns as a shard has them.
  for (let times = 0; times < 15_000; times += 1) {
    assert.equal(answerOf(run(guest)), 0)
    if (isLinux && times % 50 === 0) most = Math.max(most, reservedMemories())
    if (times % limits.callsPerBatchMax === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  context.diagnostic(`at most ${Math.round(most)} memories at a time`)
  // Others than this thread need some too: V8 has addresses for 13,000 in all.
  assert.ok(most < 4_000, `${most} memories at a time`)
})
