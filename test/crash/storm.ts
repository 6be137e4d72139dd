/**
 * Publish storms: module after module is published under load, and the host killed on the way. Each call runs in
 * exactly one version, versions are counted without a gap, and after a restart the last one runs.
 */
import { rmSync } from 'node:fs'

import { Random } from '../fuzz/random.ts'
import { FolderLife } from './folder-life.ts'

export interface StormOptions {
  /** How many publishes are to be answered, over all databases. */
  readonly upgrades: number
  readonly seed: number
  readonly onProblem: (what: string) => void
  /** Called after each kill. */
  readonly onProgress?: (passed: number) => void
}

export interface StormResult {
  /** Publishes that were answered, and how many of these a folder had that turned out wrong. */
  readonly passed: number
  readonly failed: number
  readonly kills: number
  readonly acknowledged: number
}

/** The checks look at all versions each time. */
const upgradesPerFolder = 250

export async function runStorm({ upgrades, seed, onProblem, onProgress }: StormOptions): Promise<StormResult> {
  const result = { passed: 0, failed: 0, kills: 0, acknowledged: 0 }
  while (result.passed + result.failed < upgrades) {
    const random = new Random(seed, result.kills)
    const life = await FolderLife.begin(random, { sizeMb: 0, hasSmallLimits: random.chance(2) })
    const wanted = Math.min(upgradesPerFolder, upgrades - result.passed - result.failed)
    while (life.published < wanted && life.problems.length === 0) {
      await life.storm(5 + random.below(30))
      result.kills += 1
      onProgress?.(result.passed + life.published)
    }
    if (life.problems.length === 0) await life.end()
    for (const problem of life.problems) onProblem(`storm of seed ${seed}, after ${result.kills} kills: ${problem}`)
    if (life.problems.length > 0) onProblem(`its folder is kept: ${life.data}`)
    else rmSync(life.data, { recursive: true })
    result[life.problems.length > 0 ? 'failed' : 'passed'] += life.published
    result.acknowledged += life.acknowledged
    if (life.published === 0) break
  }
  return result
}
