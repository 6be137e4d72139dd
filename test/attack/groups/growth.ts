/** Attacks that grow: a guest gets no more pages than its cap, however it asks, and the host keeps none of them. */
import assert from 'node:assert/strict'

import { bounded } from '../attack.ts'
import type { Attack, CallAttack } from '../attack.ts'
import { verdictOf } from '../arena.ts'

export const GROW_UNTIL_REFUSED = '(loop $on (br_if $on (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))'

const call = (name: string, body: string, more: Partial<CallAttack> = {}): CallAttack => ({
  kind: 'call',
  group: 'memory',
  number: 14,
  name,
  expected: bounded(),
  body,
  ...more,
})

const growth: readonly CallAttack[] = [
  call('grows its memory to 4 GiB at once', '(i32.store (i32.const 1024) (memory.grow (i32.const 65534))) (call $answer (i32.const 1024) (i32.const 4))', {
    result: 'i32',
    answer: -1,
  }),
  call(
    'grows its memory until it is refused, and writes all of it',
    `${GROW_UNTIL_REFUSED} (memory.fill (i32.const 131072) (i32.const 90) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 131072)))`,
  ),
]

const again: Attack = {
  kind: 'act',
  group: 'memory',
  number: 14,
  name: 'grows its memory to the cap forty times over',
  expected: bounded(),
  act: async (arena) => {
    const body = `${GROW_UNTIL_REFUSED} (local.set $a (i32.const 0)) (loop $on (i32.store (local.get $a) (i32.const 1)) (br_if $on (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 4096))) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)))))`
    const attacker = await arena.attacker({
      reducers: [{ name: 'grow', body: body.replace('(local.set $a (i32.const 0))', '(local.set $a (i32.const 131072))') }],
    })
    for (let round = 0; round < 40; round += 1) assert.equal(verdictOf(await attacker.call('grow')), 'ok')
    const megabytes = arena.host.residentBytes / 2 ** 20
    assert.ok(megabytes < 1_024, `the host holds ${megabytes.toFixed(0)} MiB`)
    return 'ok'
  },
}

export const growthAttacks: readonly Attack[] = [...growth, again]
