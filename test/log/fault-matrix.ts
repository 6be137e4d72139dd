/**
 * Every fault at every operation of a long story, and short stories with faults anywhere. `npm run faults` runs all
 * of them, the tests a share.
 */
import { Random } from '../fuzz/random.ts'
import { problemOf, runStory } from './fault-run.ts'
import type { Story } from './fault-run.ts'
import { SimDisk } from './sim-disk.ts'
import type { DiskFault } from './sim-disk.ts'

const appends = 200

export interface FaultCase {
  readonly fault: DiskFault | 'full'
  /** The operation that it begins with. */
  readonly at: number
  /** Operations that it lasts; for `full`, appends. */
  readonly lasts: number
  /** So many operations after it all ends. */
  readonly crashAfter?: number
}

const kinds: readonly (readonly [FaultCase['fault'], number])[] = [
  ['error', 1],
  ['error', 3],
  ['error', 15],
  ['late-error', 1],
  ['late-error', 4],
  ['short', 1],
  ['short-error', 1],
  ['full', 1],
  ['full', 30],
]

/** How many operations the story has when nothing fails. */
export async function countOperations(): Promise<number> {
  const disk = new SimDisk()
  await runStory(disk, { appends })
  return disk.operations
}

/** Each kind at each operation, alone and with a crash among the operations that then set it right. */
export async function allCases(): Promise<readonly FaultCase[]> {
  const operations = await countOperations()
  return Array.from({ length: operations }, (_operation, at): readonly FaultCase[] => [
    { fault: 'crash', at, lasts: 1 },
    ...kinds.map(([fault, lasts]) => ({ fault, at, lasts })),
    ...kinds.map(([fault, lasts], index) => ({ fault, at, lasts, crashAfter: lasts + ((at + index) % 9) })),
  ]).flat()
}

export function nameOf({ fault, lasts, at, crashAfter }: FaultCase): string {
  return `${fault} for ${lasts} at operation ${at}${crashAfter === undefined ? '' : `, crash ${crashAfter} later`}`
}

/** What is wrong after this fault, once the process is killed and once the power is lost; undefined when nothing is. */
export async function faultProblem(one: FaultCase, seed: number): Promise<string | undefined> {
  const disk = new SimDisk()
  let fullUntil: number | undefined
  let append = 0
  disk.plan = (_operation, index) => {
    if (one.crashAfter !== undefined && index === one.at + one.crashAfter) return 'crash'
    if (one.fault === 'full') {
      if (index === one.at) {
        disk.capacityBytes = disk.usedBytes + (one.at % 700)
        fullUntil = append + one.lasts
      }
      return undefined
    }
    return index >= one.at && index < one.at + one.lasts ? one.fault : undefined
  }
  const atAppend = (index: number): void => {
    append = index
    if (fullUntil !== undefined && index >= fullUntil) disk.capacityBytes = Number.POSITIVE_INFINITY
  }
  const story = await runStory(disk, { appends, atAppend })
  if (!disk.isCrashed) {
    const refused = story.batches.filter(({ outcome }) => outcome !== 'acknowledged').length
    if (story.batches.length !== appends || refused > one.lasts + 1) return `${refused} appends were refused`
  }
  return endProblem(disk, story, new Random(seed, one.at))
}

/** A story of a few appends on a disk that fails at random; undefined when nothing is wrong afterwards. */
export async function randomProblem(seed: number): Promise<string | undefined> {
  const random = new Random(seed)
  const disk = new SimDisk()
  const one = 1 + random.below(60)
  disk.plan = () => (random.chance(one) ? random.pick(randomFaults) : undefined)
  const story = await runStory(disk, { appends: random.below(40) })
  return endProblem(disk, story, random)
}

const randomFaults: readonly DiskFault[] = ['error', 'error', 'late-error', 'late-error', 'short', 'short-error', 'crash']

async function endProblem(disk: SimDisk, story: Story, random: Random): Promise<string | undefined> {
  const afterKill = await problemOf(disk.afterKill(), story)
  if (afterKill !== undefined) return `after a kill: ${afterKill}`
  for (let losses = 0; losses < 3; losses += 1) {
    const afterPowerLoss = await problemOf(disk.afterPowerLoss(random), story)
    if (afterPowerLoss !== undefined) return `after a power loss: ${afterPowerLoss}`
  }
  return undefined
}
