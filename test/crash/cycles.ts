/**
 * Kill cycles: a host under load is killed, the next one on the same folder is looked at, asked again what was not
 * answered, put under load and killed in turn. A folder grows over some cycles, is closed, looked at, and left.
 */
import { rmSync } from 'node:fs'

import { Random } from '../fuzz/random.ts'
import { FolderLife } from './folder-life.ts'
import type { Restart } from './folder-life.ts'
import type { Moment } from './kill-plan.ts'

export interface CyclesOptions {
  readonly cycles: number
  readonly seed: number
  /** Rows of no meaning in one of the databases, in megabytes. */
  readonly sizeMb: number
  readonly onProblem: (what: string) => void
  /** Called after each folder. */
  readonly onProgress?: (passed: number) => void
}

export interface CyclesResult {
  readonly passed: number
  readonly failed: number
  /** How many hosts were killed at each moment. */
  readonly kills: ReadonlyMap<Moment, number>
  readonly acknowledged: number
  readonly retried: number
  readonly restarts: readonly Restart[]
}

/** Enough for its log to have many segments, and few enough that all of it can be looked at each time. */
const cyclesPerFolder = 25

export async function runCycles({ cycles, seed, sizeMb, onProblem, onProgress }: CyclesOptions): Promise<CyclesResult> {
  const result = { passed: 0, failed: 0, kills: new Map<Moment, number>(), acknowledged: 0, retried: 0, restarts: [] as Restart[] }
  for (let first = 0; first < cycles; first += cyclesPerFolder) {
    const random = new Random(seed, first)
    // One folder in four lives with the bounds of production.
    const life = await FolderLife.begin(random, { sizeMb, hasSmallLimits: !random.chance(4) })
    const last = Math.min(first + cyclesPerFolder, cycles)
    let cycle = first
    for (; cycle < last && life.problems.length === 0; cycle++) {
      const moment = await life.cycle()
      result.kills.set(moment, (result.kills.get(moment) ?? 0) + 1)
    }
    if (life.problems.length === 0) await life.end()
    const hasFailed = life.problems.length > 0
    for (const problem of life.problems) onProblem(`cycle ${cycle} of seed ${seed}: ${problem}`)
    if (hasFailed) onProblem(`its folder is kept: ${life.data}`)
    else rmSync(life.data, { recursive: true })
    result.passed += cycle - first - (hasFailed ? 1 : 0)
    result.failed += hasFailed ? 1 : 0
    result.acknowledged += life.acknowledged
    result.retried += life.retried
    result.restarts.push(...life.restarts)
    onProgress?.(result.passed)
    // What comes after a failure in a folder says nothing: its cycles are left out.
  }
  return result
}
