/** A folder whose hosts live through disks that fail for a while, one fault after the other. */
import { rmSync } from 'node:fs'

import { Random } from '../fuzz/random.ts'
import { diskFaults } from './disk-faults.ts'
import type { DiskFault } from './disk-faults.ts'
import { FolderLife } from './folder-life.ts'

/** Faults that can be had on this machine. */
export const possibleFaults: readonly DiskFault[] = diskFaults.filter((fault) => fault.missing() === undefined)

export class Endurance implements Disposable {
  readonly #life: FolderLife

  private constructor(life: FolderLife) {
    this.#life = life
  }

  static async begin(seed: number): Promise<Endurance> {
    const prepare = (folder: string): void => possibleFaults.forEach((fault) => fault.prepare(folder))
    return new Endurance(await FolderLife.begin(new Random(seed), { sizeMb: 0, hasSmallLimits: false, prepare }))
  }

  /** What is wrong with a host that has lived through the fault; nothing, when all is well. */
  async endure(fault: DiskFault): Promise<readonly string[]> {
    await this.#life.endure(fault)
    return this.#life.problems
  }

  /** What is wrong with the folder afterwards. */
  async end(): Promise<readonly string[]> {
    if (this.#life.problems.length === 0) await this.#life.end()
    return this.#life.problems
  }

  [Symbol.dispose](): void {
    for (const fault of possibleFaults) fault.clear(this.#life.host)
    rmSync(this.#life.data, { recursive: true })
  }
}
