import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { attacks } from './attacks.ts'
import { reducerName } from './guest.ts'
import { Siege, stallMsMax } from './siege.ts'

const siege = new Siege()

before(() => siege.start(attacks))
after(() => siege[Symbol.asyncDispose]())

for (const group of new Set(attacks.map((attack) => attack.group))) {
  describe(group, () => {
    for (const attack of attacks.filter((one) => one.group === group)) {
      test(`${attack.name} (attack ${attack.number}): ${attack.expected.outcome}`, async () => {
        const { failure } = await siege.carryOut(attack)
        assert.equal(failure, undefined)
      })
    }
  })
}

test('beside all attacks every call of the innocent succeeded, and none waited long', async () => {
  const { calls, worstMs, disturbances } = await siege.lift()
  assert.deepEqual(disturbances, [])
  assert.ok(calls > 100, `${calls} calls`)
  assert.ok(worstMs <= stallMsMax(), `the longest took ${worstMs} ms, under the attack "${siege.worstAttack}"`)
})

test('attacks have names of their own', () => {
  const names = attacks.map((attack) => reducerName(attack.name))
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  )
})
