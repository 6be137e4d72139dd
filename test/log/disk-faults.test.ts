/** A disk that fails anywhere: a share of `npm run faults`, which tries every fault at every operation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Random } from '../fuzz/random.ts'
import { allCases, faultProblem, nameOf, randomProblem } from './fault-matrix.ts'

test('whatever operation fails, the log then holds what it acknowledged, in order, and nothing that it refused', async () => {
  const cases = await allCases()
  const random = new Random(4)
  const chosen = Array.from({ length: 60 }, () => random.pick(cases))
  const problems: string[] = []
  for (const one of chosen) {
    const problem = await faultProblem(one, 1)
    if (problem !== undefined) problems.push(`${nameOf(one)}: ${problem}`)
  }
  assert.deepEqual(problems, [])
})

test('so it does when several operations fail, one after the other', async () => {
  const problems: string[] = []
  for (let seed = 0; seed < 300; seed += 1) {
    const problem = await randomProblem(seed)
    if (problem !== undefined) problems.push(`story ${seed}: ${problem}`)
  }
  assert.deepEqual(problems, [])
})
