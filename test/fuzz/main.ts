/**
 * `npm run fuzz -- --seconds N --seed S`: mutated components for N seconds, random rows for a tenth of
 * that. `--count N` ends after so many components. What is found is kept in crashers/.
 */
import { parseArgs } from 'node:util'

import { fuzzComponents } from './component-fuzz.ts'
import { Random } from './random.ts'
import { fuzzRow } from './row-fuzz.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    count: { type: 'string' },
    first: { type: 'string', default: '0' },
  },
})
const seed = Number(values.seed)
const timeMs = Number(values.seconds) * 1_000

const started = performance.now()
const components = await fuzzComponents({
  seed,
  timeMs,
  first: Number(values.first),
  ...(values.count === undefined ? {} : { count: Number(values.count) }),
  onFinding: (what) => console.log(`FAIL ${what}`),
})
const tookSeconds = (performance.now() - started) / 1_000
const { looked, refused, tools, accepted, recycled } = components
console.log(
  `components: ${looked} in ${tookSeconds.toFixed(0)} s, ${(looked / tookSeconds).toFixed(0)} a second; ${refused} refused, ${tools} by the tools alone, ${accepted} accepted and run; ${recycled} children recycled`,
)

const rows = fuzzRows(Math.min(timeMs / 10, 60_000))
console.log(`rows: ${rows.looked}`)
const failed = components.failed + rows.failed
console.log(`${looked + rows.looked - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

function fuzzRows(rowTimeMs: number): { looked: number; failed: number } {
  const deadline = performance.now() + rowTimeMs
  let looked = 0
  let wrong = 0
  for (; performance.now() < deadline; looked += 1) {
    const problem = fuzzRow(new Random(seed, looked))
    if (problem === undefined) continue
    wrong += 1
    console.log(`FAIL row ${looked} of seed ${seed}: ${problem}`)
  }
  return { looked, failed: wrong }
}
