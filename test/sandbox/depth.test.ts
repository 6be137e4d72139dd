import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

import { answerOf, guestOf, run } from './guest-fixture.ts'

/** Counts at 80 how deep it came. */
const COUNT = '(i32.store (i32.const 80) (i32.add (i32.load (i32.const 80)) (i32.const 1)))'

const RECURSIONS: readonly (readonly [what: string, call: string, more: string])[] = [
  ['a function that calls itself', '(call $f)', `(func $f ${COUNT} (call $f))`],
  ['two functions that call each other', '(call $f)', `(func $f (call $g)) (func $g (call $f))`],
  [
    'a function that calls itself through the table',
    '(call_indirect (type $t) (i32.const 0))',
    '(type $t (func)) (table 1 funcref) (elem (i32.const 0) $f) (func $f (call_indirect (type $t) (i32.const 0)))',
  ],
  ['a function with 5,000 locals that calls itself', '(call $f)', `(func $f (local ${'i64 '.repeat(5_000)}) (call $f))`],
  ['a function with 500 parameters that calls itself', `(call $f ${'(i64.const 1) '.repeat(500)})`, manyParameters(500)],
  ['a function with a tall stack that calls itself', '(drop (call $f))', tallStack(2_000)],
  [
    'a function that calls itself on the way to a sum of floats',
    '(drop (call $f (f64.const 1)))',
    '(func $f (param f64) (result f64) (f64.add (call $f (f64.add (local.get 0) (f64.const 1))) (f64.mul (call $f (local.get 0)) (local.get 0))))',
  ],
]

for (const [what, call, more] of RECURSIONS) {
  test(`${what} without end traps by its depth, long before V8's own limit`, async () => {
    const guest = await guestOf({ call, more })
    assert.equal(answerOf(run(guest)), 'ERR_CALL_DEPTH')
    assert.equal(run(guest).fuel, run(guest).fuel)
    // Twice the depth still does not meet V8's limit: RangeError would come without a negative depth.
    assert.equal(answerOf(run(guest, { depth: 90_000 })), 'ERR_CALL_DEPTH')
  })
}

test('a recursion of three thousand small calls is no trap', async () => {
  const guest = await guestOf({
    call: '(i32.store (i32.const 80) (call $f (i32.const 2400)))',
    more: '(func $f (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))',
  })
  assert.equal(answerOf(run(guest)), 2_400)
})

test('a call ends at the same depth whatever its limit leaves of the stack', async () => {
  const guest = await guestOf({ call: '(call $f)', more: `(func $f ${COUNT} (call $f))` })
  const fuels = [20_000, 40_000].map((depth) => run(guest, { depth }).fuel ?? 0)
  assert.equal(fuels[0], run(guest, { depth: 20_000 }).fuel)
  assert.ok((fuels[1] ?? 0) > (fuels[0] ?? 0))
})

test('an allocator that recurses traps, also from inside a call', async () => {
  const guest = await guestOf({ call: '', realloc: '(call $f) (i32.const 0)', more: '(func $f (call $f))' })
  assert.equal(answerOf(run(guest, {}, { args: new Uint8Array(8) })), 'ERR_CALL_DEPTH')
})

test('a worker thread has the same depth', async () => {
  const here = await guestOf({ call: '(call $f)', more: `(func $f ${COUNT} (call $f))` })
  const source = `
    const { parentPort } = require('node:worker_threads')
    import(${JSON.stringify(new URL('guest-fixture.ts', import.meta.url).href)}).then(async ({ guestOf, run, answerOf }) => {
      const guest = await guestOf({ call: '(call $f)', more: ${JSON.stringify(`(func $f ${COUNT} (call $f))`)} })
      const outcome = run(guest)
      parentPort.postMessage([answerOf(outcome), outcome.fuel])
    })`
  const worker = new Worker(source, { eval: true })
  const [answer] = await Promise.race([
    new Promise<unknown[]>((resolve) => worker.once('message', (message) => resolve([message]))),
    new Promise<never>((_resolve, reject) => worker.once('error', reject)),
  ])
  await worker.terminate()
  assert.deepEqual(answer, ['ERR_CALL_DEPTH', run(here).fuel])
})

function manyParameters(count: number): string {
  const gets = Array.from({ length: count }, (_unused, index) => `(local.get ${index})`).join(' ')
  return `(func $f (param ${'i64 '.repeat(count)}) (call $f ${gets}))`
}

function tallStack(height: number): string {
  const pushes = Array.from({ length: height }, (_unused, index) => `(i32.load (i32.const ${index * 4}))`).join(' ')
  return `(func $f (result i32) ${pushes} (call $f) ${'i32.add '.repeat(height)})`
}
