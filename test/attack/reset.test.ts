/** The hunt for what other calls left, on a host that resets instances; the other attacks do not depend on that. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { residueAttacks } from './groups/residue.ts'
import { Siege } from './siege.ts'

const siege = new Siege('reset')

before(() => siege.start(residueAttacks))
after(() => siege[Symbol.asyncDispose]())

for (const attack of residueAttacks) {
  test(`where instances are reset: ${attack.name} (attack ${attack.number}): ${attack.expected.outcome}`, async () => {
    assert.equal((await siege.carryOut(attack)).failure, undefined)
  })
}

test('beside them every call of the innocent succeeded, whose instances are reset as well', async () => {
  assert.deepEqual((await siege.lift()).disturbances, [])
})
