import assert from 'node:assert/strict'
import { test } from 'node:test'

import { compare, surcharge } from './differential.ts'

const seed = 2026

test('200 generated modules mean the same after the rewriter, burn the same fuel twice, and never too little', () => {
  for (let index = 0; index < 200; index += 1) assert.equal(compare(seed, index), undefined, `module ${index} of seed ${seed}`)
})

test('what is charged stays near what the instructions cost that ran', () => {
  const sums = { charged: 0, exact: 0 }
  for (let index = 0; index < 60; index += 1) {
    const { charged, exact } = surcharge(seed, index)
    sums.charged += charged
    sums.exact += exact
  }
  assert.ok(sums.charged >= sums.exact && sums.charged < sums.exact * 2, `${sums.charged} for ${sums.exact}`)
})
