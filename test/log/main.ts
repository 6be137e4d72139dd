/** `npm run faults -- --seed S --step N --only TEXT`: every fault at every Nth operation of the log's story, or those whose name has the text. */
import { parseArgs } from 'node:util'

import { allCases, faultProblem, nameOf, randomProblem } from './fault-matrix.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    step: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    stories: { type: 'string', default: '0' },
  },
})
const cases = (await allCases()).filter((one) => one.at % Number(values.step) === 0 && nameOf(one).includes(values.only))
let failed = 0
for (const one of cases) {
  const problem = await faultProblem(one, Number(values.seed))
  if (problem === undefined) continue
  failed += 1
  console.log(`FAIL ${nameOf(one)}, seed ${values.seed}: ${problem}`)
}
const stories = Number(values.stories)
for (let story = 0; story < stories; story += 1) {
  const problem = await randomProblem(Number(values.seed) * 1_000_000 + story)
  if (problem === undefined) continue
  failed += 1
  console.log(`FAIL story ${story} of seed ${values.seed}: ${problem}`)
}
console.log(`${cases.length + stories - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
