/**
 * Damaged data folders: of hosts that were closed or killed, each time a copy with one file that is not what was
 * written. A host that starts on it gives every database back whole, or refuses it by name; and no other one.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { HostError } from '../../host/errors.ts'
import { openHost } from '../../host/open-host.ts'
import { Random } from '../fuzz/random.ts'
import { Checker } from './check.ts'
import { damageOne, filesOf } from './damage.ts'
import type { Damage, FileKind } from './damage.ts'
import { FolderLife } from './folder-life.ts'
import type { Moment } from './kill-plan.ts'
import { LocalAnswers } from './local-answers.ts'
import type { Entered, Request } from './requests.ts'
import { tallyComponent } from './tally.ts'
import { settle } from './world.ts'
import type { Call, DatabaseModel, World } from './world.ts'

export interface FlipsOptions {
  readonly flips: number
  readonly seed: number
  readonly onProblem: (what: string) => void
  /** Called after each folder. */
  readonly onProgress?: (passed: number) => void
}

export interface FlipsResult {
  readonly passed: number
  readonly failed: number
  /** By kind of file: how often everything was there, and how often a database, or the host, was refused. */
  readonly fates: ReadonlyMap<FileKind, { whole: number; refused: number }>
}

/** How a folder may have been left. */
const endings: readonly (Moment | 'closed')[] = ['closed', 'load', 'checkpoint', 'snapshot', 'publish']
const flipsPerFolder = 100

export async function runFlips({ flips, seed, onProblem, onProgress }: FlipsOptions): Promise<FlipsResult> {
  const result = { passed: 0, failed: 0, fates: new Map<FileKind, { whole: number; refused: number }>() }
  for (let first = 0; first < flips; first += flipsPerFolder) {
    const random = new Random(seed, first)
    const ending = endings[(seed + first / flipsPerFolder) % endings.length] ?? 'closed'
    const life = await leftFolder(random, ending)
    const component = await tallyComponent()
    for (let flip = first; flip < Math.min(first + flipsPerFolder, flips); flip++) {
      const trial = new Trial(life.host, life.world, component)
      const damage = damageOne(trial.data, trial.names, new Random(seed, flip))
      await trial.run(damage)
      const fate = result.fates.get(damage.kind) ?? { whole: 0, refused: 0 }
      fate[trial.refused.length === 0 ? 'whole' : 'refused'] += 1
      result.fates.set(damage.kind, fate)
      if (trial.problems.length === 0) result.passed += 1
      else result.failed += 1
      for (const problem of trial.problems) onProblem(`flip ${flip} of seed ${seed}, left by ${ending}: ${damage.path}, ${damage.what}: ${problem}`)
      if (trial.problems.length === 0) rmSync(trial.data, { recursive: true })
      else onProblem(`its folder is kept: ${trial.data}`)
    }
    rmSync(life.data, { recursive: true })
    onProgress?.(result.passed)
  }
  return result
}

/** A folder with everything that a folder can have: many segments, snapshots, and an end of its own. */
async function leftFolder(random: Random, ending: Moment | 'closed'): Promise<FolderLife> {
  const life = await FolderLife.begin(random, { sizeMb: 0, hasSmallLimits: true })
  const has = (kind: FileKind): boolean => filesOf(life.host).some((file) => file.kind === kind)
  for (let cycle = 0; cycle < 3 || (cycle < 20 && !has('snapshot note')); cycle++) await life.killAt('snapshot')
  await (ending === 'closed' ? life.end() : life.killAt(ending))
  if (life.problems.length > 0) throw new Error(`the folder was not sound before: ${life.problems.join('\n')}`)
  return life
}

class Trial {
  readonly data = mkdtempSync(join(tmpdir(), 'remembrancer-flip-'))
  readonly problems: string[] = []
  /** Databases that were refused by name. */
  readonly refused: string[] = []
  readonly #models: readonly DatabaseModel[]
  readonly #component: Uint8Array
  readonly #checker: Checker

  constructor(left: string, world: World, component: Uint8Array) {
    cpSync(left, this.data, { recursive: true })
    this.#models = world.databases.map((model) => model.copy())
    this.#component = component
    this.#checker = new Checker(component)
  }

  get names(): readonly string[] {
    return this.#models.map(({ name }) => name)
  }

  /** Twice: what a repair left must last. */
  async run(damage: Damage): Promise<void> {
    await this.#start(damage, 1)
    if (this.problems.length === 0) await this.#start(damage, 2)
  }

  async #start(damage: Damage, time: number): Promise<void> {
    try {
      await using host = await openHost({ data: this.data })
      const answers = new LocalAnswers(host, this.#component)
      for (const model of this.#models) await this.#look(model, answers, damage, time)
    } catch (error) {
      this.#refuse('host', error, damage)
    }
  }

  async #look(model: DatabaseModel, answers: LocalAnswers, damage: Damage, time: number): Promise<void> {
    try {
      await answers.to({ kind: 'turns', database: model.name, subject: 'person-0' })
    } catch (error) {
      return this.#refuse(model.name, error, damage)
    }
    this.problems.push(...this.#checker.problems(model, join(this.data, 'databases', model.name, 'state.sqlite')))
    if (this.problems.length > 0) return
    for (const person of model.people.values()) {
      const calls = [...person.calls.values()].filter(({ id }) => id !== undefined)
      const again = [...calls.filter(({ fate }) => fate.kind === 'pending'), ...calls.filter(({ fate }) => fate.kind === 'done').slice(-3)]
      for (const call of again) await this.#enter(answers, model, person.subject, call)
    }
    const entering = { call: `after-${time}`, thing: 'thing', takesAway: false, reads: true, size: 10, ending: '' } as const
    const call: Call = { entering, id: `after-${time}`, fate: { kind: 'pending' } }
    model.person('person-0').calls.set(entering.call, call)
    await this.#enter(answers, model, 'person-0', call)
  }

  async #enter(answers: LocalAnswers, { name, latestNumber }: DatabaseModel, subject: string, call: Call): Promise<void> {
    const settling = { latestNumber: call.fate.kind === 'done' ? 0 : latestNumber, diskFails: false }
    const request: Request = { kind: 'enter', database: name, subject, entering: call.entering, ...(call.id === undefined ? {} : { id: call.id }) }
    try {
      const problem = settle(call, { value: (await answers.to(request)) as Entered }, settling)
      if (problem !== undefined) this.problems.push(problem)
    } catch (error) {
      const { code, message } = error instanceof HostError ? error : { code: 'no HostError', message: String(error) }
      const problem = settle(call, { refused: { code, message } }, settling)
      if (problem !== undefined) this.problems.push(problem)
    }
  }

  /** Only who has the damage may be refused, and by name. */
  #refuse(who: string, error: unknown, { kind, database }: Damage): void {
    if (!(error instanceof HostError)) {
      this.problems.push(`${who} is refused with ${error instanceof Error ? error.stack : String(error)}`)
      return
    }
    const { code, message } = error
    this.refused.push(who)
    // What the log has lost may be of any database that was not closed.
    const isLost = kind === 'log segment' && code === 'ERR_LOG_DAMAGED'
    if (kind !== 'host file' && who !== database && !isLost) this.problems.push(`${who} is refused for it: ${code} ${message}`)
    if (!message.includes(who) && !message.includes(this.data)) this.problems.push(`${who} is refused without a name: ${code} ${message}`)
  }
}
