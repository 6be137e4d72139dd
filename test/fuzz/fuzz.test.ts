/** A short fuzz of the same kind as `npm run fuzz`, and everything that a long one has ever found. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { checkMutant } from './check-mutant.ts'
import { fuzzComponents } from './component-fuzz.ts'
import { Random } from './random.ts'
import { fuzzRow } from './row-fuzz.ts'

const crashers = join(import.meta.dirname, 'crashers')

for (const file of readdirSync(crashers).filter((name) => name.endsWith('.wasm'))) {
  test(`what fuzzing found once is harmless now: ${file}`, async () => {
    const fate = await checkMutant(new Uint8Array(readFileSync(join(crashers, file))), new Random(1))
    assert.match(fate, /refused|accepted/)
  })
}

test('two thousand mutants are refused or run within their limits, and this process stands', { timeout: 120_000 }, async () => {
  const findings: string[] = []
  const { looked, accepted } = await fuzzComponents({ seed: 2026, count: 2_000, timeMs: 60_000, isQuick: true, onFinding: (what) => findings.push(what) })
  assert.deepEqual(findings, [])
  assert.ok(looked === 2_000 && accepted > 20, `${looked} looked at, ${accepted} accepted`)
})

test('twenty thousand rows of random bytes are refused with a code, or read the same again', () => {
  for (let index = 0; index < 20_000; index += 1) assert.equal(fuzzRow(new Random(2026, index)), undefined, `row ${index}`)
})

test('the same seed and index give the same mutant, so that a finding can be found again', () => {
  const draws = (): number[] => {
    const random = new Random(7, 11)
    return [random.u32(), random.below(100), random.u32()]
  }
  assert.deepEqual(draws(), draws())
  assert.notDeepEqual(new Random(7, 12).u32(), new Random(7, 11).u32())
})
