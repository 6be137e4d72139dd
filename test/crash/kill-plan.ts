/** When the host of a cycle is killed: at a moment that the seed chooses, or at the beginning of something delicate. */
import { readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import type { Random } from '../fuzz/random.ts'

export type Moment = 'start' | 'first look' | 'load' | 'checkpoint' | 'snapshot' | 'publish' | 'close'

export interface KillPlan {
  readonly at: Moment
  /** From that moment on. */
  readonly afterMs: number
  /** The load goes on at most so long. */
  readonly loadMs: number
  /** Before a kill at a publish so many are answered: the first one waits for the gate, the next ones are quick. */
  readonly publishes: number
}

const moments: readonly Moment[] = [
  'start',
  'first look',
  'load',
  'load',
  'load',
  'checkpoint',
  'checkpoint',
  'snapshot',
  'snapshot',
  'publish',
  'close',
  'close',
]

export function planKill(random: Random, at = random.pick(moments)): KillPlan {
  const within: Record<Moment, number> = { start: 60, 'first look': 60, load: 4, checkpoint: 8, snapshot: 8, publish: 60, close: 30 }
  return { at, afterMs: random.below(within[at] * 16) / 16, loadMs: 200 + random.below(600), publishes: 1 }
}

/** Parts of a millisecond too: what a kill is to hit is often shorter. */
export async function pause(timeMs: number): Promise<void> {
  const end = performance.now() + timeMs
  if (timeMs >= 2) await delay(timeMs - 1)
  while (performance.now() < end);
}

/** Tells of the first time that a database's folder shows it: pages on their way into the state file, or a copy of it. */
export class FolderWatch implements Disposable {
  readonly seen: Promise<void>
  readonly #watchers: readonly ReturnType<typeof watch>[]

  constructor(folders: readonly string[], moment: 'checkpoint' | 'snapshot') {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.seen = promise
    this.#watchers = folders.map((folder) =>
      moment === 'checkpoint'
        ? watch(folder, (_event, name) => name === 'state.json' && isMoving(folder) && resolve())
        : watch(join(folder, 'snapshots'), (_event, name) => name?.endsWith('.new') === true && resolve()),
    )
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers) watcher.close()
  }
}

function isMoving(folder: string): boolean {
  try {
    return readFileSync(join(folder, 'state.json'), 'utf8').includes('"checkpoint"')
  } catch {
    return false
  }
}
