/** `npm run reset -- --count N --seed S`: so many calls of generated guests in fresh and in reset instances, side by side. */
import { parseArgs } from 'node:util'

import { pinEngineFlags } from '../../host/sandbox/engine-flags.ts'
import { compareInstances } from './three-ways.ts'
import type { Tally } from './three-ways.ts'

const { values } = parseArgs({ options: { count: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } } })
const callsPerLine = 50_000

pinEngineFlags()
// A third of the calls traps, and nobody reads where.
Error.stackTraceLimit = 0

let printed = 0
let shown = 0
const tally = await compareInstances(Number(values.seed), Number(values.count), (soFar) => {
  for (; printed < soFar.problems.length; printed += 1) process.stdout.write(`FAIL ${soFar.problems[printed]}\n`)
  if (soFar.calls < shown + callsPerLine) return
  shown = soFar.calls
  process.stdout.write(`${linesOf(soFar)}\n`)
})
for (const [end, count] of [...tally.ends].sort(([, left], [, right]) => right - left)) process.stdout.write(`${String(count).padStart(10)} ${end}\n`)
process.stdout.write(`${linesOf(tally)}\n${tally.calls - tally.problems.length} passed, ${tally.problems.length} failed\n`)
process.exitCode = tally.problems.length === 0 ? 0 : 1

function linesOf({ calls, modules, resets }: Tally): string {
  return `${calls} calls of ${modules} modules, ${resets} of them in an instance that was used before`
}
