/**
 * `npm run crash -- --cycles N --seed S [--size-mb M]`: N hosts are killed at moments that the seed chooses.
 * `npm run crash -- --flips N --seed S`: N data folders, each with one file that is not what was written.
 * `npm run crash -- --upgrades N --seed S`: N modules are published under load, and the host is killed on the way.
 * `npm run crash -- --faults N --seed S`: disks that fail in each of the ways there are, N times.
 * All end with `N passed, N failed`.
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'

import { runCycles } from './cycles.ts'
import { diskFaults } from './disk-faults.ts'
import { Endurance, possibleFaults } from './faults.ts'
import { runFlips } from './flips.ts'
import { runStorm } from './storm.ts'

const { values } = parseArgs({
  options: {
    cycles: { type: 'string' },
    flips: { type: 'string' },
    upgrades: { type: 'string' },
    faults: { type: 'string' },
    seed: { type: 'string', default: '1' },
    'size-mb': { type: 'string', default: '0' },
  },
})
const seed = Number(values.seed)
const onProblem = (what: string): void => console.log(`FAIL ${what}`)

const results = [
  ...(values.cycles === undefined ? [] : [await cycles(Number(values.cycles))]),
  ...(values.flips === undefined ? [] : [await flips(Number(values.flips))]),
  ...(values.upgrades === undefined ? [] : [await storm(Number(values.upgrades))]),
  ...(values.faults === undefined ? [] : [await faults(Number(values.faults))]),
]
const failed = results.reduce((sum, result) => sum + result.failed, 0)
console.log(`load average ${load()}`)
console.log(`${results.reduce((sum, result) => sum + result.passed, 0)} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

interface Counts {
  readonly passed: number
  readonly failed: number
}

async function cycles(count: number): Promise<Counts> {
  const result = await runCycles({ cycles: count, seed, sizeMb: Number(values['size-mb']), onProblem, onProgress: progressOf(count) })
  console.log(`killed: ${[...result.kills].map(([moment, kills]) => `${kills} at ${moment}`).join(', ')}`)
  console.log(`${result.acknowledged} answers, ${result.retried} calls sent again`)
  for (const [what, restarts] of Map.groupBy(result.restarts, ({ after, shape }) => `after a ${after} (${shape})`)) {
    const host = quantiles(restarts.map(({ hostMs }) => hostMs))
    const whole = quantiles(restarts.map(({ processMs }) => processMs))
    console.log(`first answer, ${restarts.length} times ${what}: ${host} from the start of the host, ${whole} from that of its process`)
  }
  return result
}

async function flips(count: number): Promise<Counts> {
  const result = await runFlips({ flips: count, seed, onProblem, onProgress: progressOf(count) })
  for (const [kind, { whole, refused }] of result.fates) console.log(`${kind}: ${whole} whole, ${refused} refused by name`)
  return result
}

async function storm(upgrades: number): Promise<Counts> {
  const result = await runStorm({ upgrades, seed, onProblem, onProgress: progressOf(upgrades) })
  console.log(`${result.kills} hosts killed, ${result.acknowledged} answers beside ${result.passed + result.failed} publishes`)
  return result
}

async function faults(times: number): Promise<Counts> {
  for (const fault of diskFaults) if (!possibleFaults.includes(fault)) console.log(`left out: ${fault.name}: ${fault.missing()}`)
  const counts = { passed: 0, failed: 0 }
  for (let time = 0; time < times; time++) {
    using endurance = await Endurance.begin(seed + time)
    for (const fault of possibleFaults) {
      const problems = await endurance.endure(fault)
      for (const problem of problems) onProblem(`${fault.name}, seed ${seed + time}: ${problem}`)
      counts[problems.length === 0 ? 'passed' : 'failed'] += 1
      if (problems.length > 0) break
    }
    if (counts.failed > 0) break
    const problems = await endurance.end()
    for (const problem of problems) onProblem(`after all faults, seed ${seed + time}: ${problem}`)
    counts[problems.length === 0 ? 'passed' : 'failed'] += 1
  }
  return counts
}

function progressOf(count: number): (passed: number) => void {
  return (passed) => console.log(`${passed} of ${count} passed; load average ${load()}`)
}

/** Of the last minute, five and fifteen: what a time says depends on it. */
function load(): string {
  return loadavg()
    .map((average) => average.toFixed(1))
    .join(' ')
}

function quantiles(times: readonly number[]): string {
  const sorted = times.toSorted((left, right) => left - right)
  const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
}
