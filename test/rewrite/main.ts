/** `node test/rewrite/main.ts --seconds N --seed S`: generated modules with and without the rewriter, for N seconds. */
import { parseArgs } from 'node:util'

import { compare } from './differential.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } } })
const seed = Number(values.seed)
const end = performance.now() + Number(values.seconds) * 1_000
let failed = 0
let index = 0
for (; performance.now() < end; index += 1) {
  const problem = compare(seed, index)
  if (problem === undefined) continue
  failed += 1
  process.stdout.write(`FAIL module ${index} of seed ${seed}: ${problem}\n`)
}
process.stdout.write(`${index - failed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
