/** One data folder over its cycles of start, look, load and kill. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import type { Random } from '../fuzz/random.ts'
import { ballast, Checker } from './check.ts'
import { doorOf } from './doors.ts'
import type { DiskFault } from './disk-faults.ts'
import { HostProcess } from './host-process.ts'
import { losePower, loseState } from './mishaps.ts'
import { FolderWatch, pause, planKill } from './kill-plan.ts'
import type { KillPlan, Moment } from './kill-plan.ts'
import { Load } from './load.ts'
import { HostGone } from './requests.ts'
import { settled } from './settled.ts'
import type { Door, Request } from './requests.ts'
import { tallyComponent } from './tally.ts'
import { World } from './world.ts'
import type { Call, DatabaseModel } from './world.ts'

const names = ['anna', 'bert', 'cora']
const passing = ['pia', 'paul']
/** On a full disk the log first uses up what it has ahead. */
const faultTimeMsMax = 30_000
const recoveryTimeMsMax = 10_000
/** Calls that were answered, and are sent again after a restart. */
const sentAgainMax = 10

export type Mishap = 'kill' | 'loss of power' | 'loss of a file'

/** To the first answer, which is one of the first database. */
export interface Restart {
  readonly after: Mishap
  readonly shape: 'local' | 'serving'
  /** From the start of the host, and of its process. */
  readonly hostMs: number
  readonly processMs: number
}

export interface FolderLifeOptions {
  /** Rows of no meaning in the first database, in megabytes. */
  readonly sizeMb: number
  /** Those of small-limits.ts, or of production. */
  readonly hasSmallLimits: boolean
  /** Called with the path of the data folder before it is there. */
  readonly prepare?: (folder: string) => void
}

export class FolderLife {
  readonly data = mkdtempSync(join(tmpdir(), 'remembrancer-crash-'))
  acknowledged = 0
  published = 0
  retried = 0
  readonly restarts: Restart[] = []
  /** What befell the folder since its last host. */
  #mishap: Mishap = 'kill'
  readonly #world = new World(names, passing)
  readonly #random: Random
  readonly #component: Uint8Array
  readonly #checker: Checker
  readonly #shards: number
  readonly #hasSmallLimits: boolean

  private constructor(random: Random, component: Uint8Array, hasSmallLimits: boolean) {
    this.#random = random
    this.#component = component
    this.#checker = new Checker(component)
    this.#shards = 1 + random.below(2)
    this.#hasSmallLimits = hasSmallLimits
    writeFileSync(this.#componentFile, component)
  }

  /** A folder with three databases, the first of them as large as is wanted. */
  static async begin(random: Random, { sizeMb, hasSmallLimits, prepare }: FolderLifeOptions): Promise<FolderLife> {
    const life = new FolderLife(random, await tallyComponent(), hasSmallLimits)
    prepare?.(life.host)
    await life.#prepare(sizeMb)
    return life
  }

  get problems(): readonly string[] {
    return this.#world.problems
  }

  /** The data folder of its hosts. */
  get host(): string {
    return join(this.data, 'host')
  }

  /** What is known of the folder now, for somebody who does with a copy of it what they like. */
  get world(): World {
    return this.#world
  }

  /** A host is started and killed at some moment; now and then that is not all. */
  async cycle(): Promise<Moment> {
    const moment = await this.#cycle(planKill(this.#random))
    this.#befall()
    return moment
  }

  /** A host is started, and killed at this moment. */
  async killAt(moment: Moment): Promise<void> {
    await this.#cycle(planKill(this.#random, moment))
  }

  /** A host is started, publishes one module after the other under load, and is killed after so many. */
  async storm(publishes: number): Promise<void> {
    await this.#cycle({ ...planKill(this.#random, 'publish'), publishes })
  }

  async #cycle(plan: KillPlan): Promise<Moment> {
    const host = this.#start()
    try {
      if (plan.at === 'start') {
        await Promise.race([host.booted, host.ended])
        await pause(plan.afterMs)
      } else {
        const door = await this.#opened(host)
        if (door !== undefined) await this.#lookAndLoad(door, host, plan)
      }
    } catch (error) {
      if (!(error instanceof HostGone)) throw error
    }
    if (host.hasDied) this.#world.problem('the host ended by itself')
    await host.kill()
    this.#noteFailures(host)
    return plan.at
  }

  /**
   * A host whose disk fails for a while under load: reads go on where they can be recorded, whoever writes is told so,
   * and afterwards everything goes on without a restart.
   */
  async endure(fault: DiskFault): Promise<void> {
    const host = this.#start()
    const door = await this.#opened(host)
    if (door === undefined) return
    try {
      await this.#look(door, host)
      const load = new Load(door, this.#world, this.#random, { callersPerDatabase: 4, drops: false, sizeMax: 20_000 })
      const running = load.run()
      await this.#fail(fault, host, load, door)
      for (const model of this.#world.databases) await this.#recover(model, load)
      load.stop()
      await running
      this.#world.diskFails = false
      this.acknowledged += load.answers
      await this.#check()
      await this.#askAgain(door)
      await this.#check()
    } catch (error) {
      if (!(error instanceof HostGone)) throw error
      this.#world.problem(`the host ended under ${fault.name}`)
    }
    await host.kill()
    this.#noteFailures(host)
  }

  /** Until the disk has refused often enough, and everything can be read meanwhile. */
  async #fail(fault: DiskFault, host: HostProcess, load: Load, door: Door): Promise<void> {
    this.#world.diskFails = true
    await fault.begin(host.processId, this.host)
    const end = performance.now() + faultTimeMsMax
    while (load.diskRefusals < 200 && performance.now() < end) {
      for (const { name } of this.#world.databases) await this.#read(door, name)
      await delay(20)
    }
    if (load.diskRefusals === 0) this.#world.problem(`${fault.name} was not felt`)
    await fault.end()
  }

  /** A file that has lost rows gets them from the log first: until then whoever cannot wait is told to come again. */
  async #read(door: Door, database: string): Promise<void> {
    const end = performance.now() + recoveryTimeMsMax
    for (;;) {
      const reply = await door.send({ kind: 'turns', database, subject: 'person-0' })
      if ('value' in reply) return
      // Of what a disk does not let be recorded nobody is told.
      if (reply.refused.code === 'ERR_STORAGE' && /access log could not be written/.test(reply.refused.message)) return
      if (reply.refused.code !== 'ERR_BUSY' || performance.now() > end) {
        return this.#world.problem(`${database} is not read while the disk fails: ${reply.refused.code}: ${reply.refused.message}`)
      }
      await delay(20)
    }
  }

  /** A database takes calls again, after one or two that find the disk as it was. */
  async #recover(model: DatabaseModel, load: Load): Promise<void> {
    const end = performance.now() + recoveryTimeMsMax
    while (performance.now() < end) if (await load.enterLatest(model)) return
    this.#world.problem(`${model.name} takes no calls though its disk works again`)
  }

  #befall(): void {
    const folders = this.#world.databases.map(({ name }) => this.#folderOf(name))
    const random = this.#random
    if (random.chance(4)) {
      losePower(folders, random)
      this.#mishap = 'loss of power'
    } else if (random.chance(6)) {
      loseState(random.pick(folders), random)
      this.#mishap = 'loss of a file'
    }
  }

  /** The last host of the folder is closed, and what it leaves is looked at. */
  async end(): Promise<void> {
    const host = this.#start()
    const door = await this.#opened(host)
    if (door === undefined) return
    await this.#look(door, host)
    await this.#expect(door, { kind: 'close' })
    await host.leave()
    // To look is to leave files beside it: what was closed stays as it was closed.
    const copy = join(this.data, 'copy')
    cpSync(this.host, copy, { recursive: true })
    this.#checkFiles(copy)
    rmSync(copy, { recursive: true })
    this.#noteFailures(host)
  }

  get #componentFile(): string {
    return join(this.data, 'tally.wasm')
  }

  #start(): HostProcess {
    const shape = this.#random.chance(3) ? 'serving' : 'local'
    const options = { data: this.host, componentFile: this.#componentFile, shards: this.#shards, hasSmallLimits: this.#hasSmallLimits }
    return new HostProcess({ shape, ...options })
  }

  async #opened(host: HostProcess): Promise<Door | undefined> {
    const started = await Promise.race([host.opened, host.ended])
    if (started === undefined) return undefined
    if (!('refused' in started)) return doorOf(host, started, this.#component)
    this.#world.problem(`the host did not start: ${started.refused.code} ${started.refused.message}`)
    return undefined
  }

  async #prepare(sizeMb: number): Promise<void> {
    const host = this.#start()
    const door = await this.#opened(host)
    if (door === undefined) throw new Error(`a new folder cannot be used: ${[...this.problems, ...host.failures].join('\n')}`)
    for (const model of this.#world.databases) {
      await this.#expect(door, { kind: 'create', database: model.name })
      const number = this.#world.nextNumber()
      model.published(Number(await this.#expect(door, { kind: 'publish', database: model.name, number })), number)
      model.presence = 'there'
    }
    for (let mb = 0; mb < sizeMb; mb += 4) await this.#expect(door, { kind: 'fill', database: 'anna', subject: ballast, rows: 200, size: 20_000 })
    await this.#expect(door, { kind: 'close' })
    await host.leave()
    for (const { name } of this.#world.databases) mkdirSync(join(this.#folderOf(name), 'snapshots'), { recursive: true })
  }

  async #lookAndLoad(door: Door, host: HostProcess, plan: KillPlan): Promise<void> {
    const killing = plan.at === 'first look' ? pause(plan.afterMs).then(() => host.kill()) : undefined
    try {
      await this.#look(door, host)
    } finally {
      await killing
    }
    if (killing !== undefined || this.problems.length > 0) return
    const random = this.#random
    const load = new Load(door, this.#world, random, {
      callersPerDatabase: random.pick([1, 4, 12]),
      ...(plan.at === 'publish' ? { publishPauseMs: plan.publishes === 1 ? 60 : 0 } : random.chance(6) ? { publishPauseMs: 60 } : {}),
      drops: host.options.shape === 'serving',
      sizeMax: random.pick([100, 2_000, 60_000]),
    })
    const running = load.run()
    await Promise.race([this.#moment(plan, load, door), host.ended])
    await pause(plan.afterMs)
    if (!host.hasDied) await host.kill()
    load.stop()
    await running
    this.acknowledged += load.answers
    this.published += load.publishes
  }

  async #moment(plan: KillPlan, load: Load, door: Door): Promise<void> {
    switch (plan.at) {
      case 'checkpoint':
      case 'snapshot': {
        using watch = new FolderWatch(
          this.#world.databases.map(({ name }) => this.#folderOf(name)),
          plan.at,
        )
        return await Promise.race([watch.seen, delay(4 * plan.loadMs, undefined, { ref: false })])
      }
      case 'publish':
        return Promise.race([load.published(plan.publishes), delay(60_000, undefined, { ref: false })])
      case 'close':
        await delay(plan.loadMs)
        // Whether it ends before it is killed is open.
        door.send({ kind: 'close' }).catch(() => undefined)
        return
      case 'start':
      case 'first look':
      case 'load':
        await delay(plan.loadMs)
    }
  }

  /** What was acknowledged is there, and what was not answered is asked again. */
  async #look(door: Door, host: HostProcess): Promise<void> {
    const turns: number[] = []
    for (const { name } of this.#world.databases) {
      turns.push(Number(await this.#expect(door, { kind: 'turns', database: name, subject: 'person-0' })))
      if (turns.length > 1) continue
      const now = performance.now()
      this.restarts.push({ after: this.#mishap, shape: host.options.shape, hostMs: now - (await host.booted), processMs: now - host.spawnedAt })
      this.#mishap = 'kill'
    }
    for (const model of this.#world.passing) await this.#find(model, door)
    await this.#check()
    for (const [index, model] of this.#world.databases.entries()) {
      const known = [...model.person('person-0').calls.values()].filter(({ fate }) => fate.kind === 'done').length
      if (turns[index] !== known) this.#world.problem(`${model.name}: the host says ${turns[index]} calls of person-0, its file ${known}`)
    }
    if (this.problems.length > 0) return
    await this.#askAgain(door)
    await this.#check()
  }

  /** Whether a database is there that was being made or dropped: all of it, or nothing. */
  async #find(model: DatabaseModel, door: Door): Promise<void> {
    const exists = await this.#expect(door, { kind: 'exists', database: model.name })
    if (model.presence !== 'unknown' && exists !== (model.presence === 'there')) {
      return this.#world.problem(`${model.name} should be ${model.presence}, and the host ${exists === true ? 'has' : 'does not have'} it`)
    }
    if (exists === true) {
      // Its folder is opened, and at the end of its history.
      await this.#expect(door, { kind: 'identify', database: model.name, subject: 'person-0' })
      model.presence = 'there'
    } else if (model.presence === 'unknown') {
      model.presence = 'absent'
      this.#world.forgotten.push(...[...model.people.values()].flatMap(({ calls }) => [...calls.keys()]))
    }
  }

  async #askAgain(door: Door): Promise<void> {
    const again = new Load(door, this.#world, this.#random, { callersPerDatabase: 0, drops: false, sizeMax: 0 })
    const calls: { readonly model: DatabaseModel; readonly subject: string; readonly call: Call }[] = []
    for (const model of this.#world.databases) {
      for (const person of model.people.values()) {
        const done = [...person.calls.values()].filter(({ fate, id }) => fate.kind === 'done' && id !== undefined)
        for (const call of [...person.pending, ...done.slice(-sentAgainMax)]) calls.push({ model, subject: person.subject, call })
      }
    }
    this.retried += calls.length
    await Promise.all(calls.map(({ model, subject, call }) => again.send(model, subject, call)))
    for (const model of this.#world.databases) await again.enterLatest(model)
  }

  async #check(): Promise<void> {
    const names = this.#world.databases.filter(({ presence }) => presence === 'there').map(({ name }) => name)
    for (const problem of await settled(this.host, names)) this.#world.problem(problem)
    this.#checkFiles(this.host)
  }

  #checkFiles(data: string): void {
    for (const model of [...this.#world.databases, ...this.#world.passing]) {
      if (model.presence !== 'there') continue
      for (const problem of this.#checker.problems(model, join(data, 'databases', model.name, 'state.sqlite'))) this.#world.problem(problem)
    }
    for (const file of this.#world.forgotten.length === 0 ? [] : filesIn(data)) {
      const bytes = readFileSync(file)
      const left = this.#world.forgotten.find((text) => bytes.includes(text))
      if (left !== undefined) this.#world.problem(`${left} was of a database that is dropped, and stands in ${file}`)
    }
    this.#world.forgotten.length = 0
  }

  async #expect(door: Door, request: Request): Promise<unknown> {
    const reply = await door.send(request)
    if ('value' in reply) return reply.value
    this.#world.problem(`${JSON.stringify(request)} was refused with ${reply.refused.code}: ${reply.refused.message}`)
    return undefined
  }

  #folderOf(database: string): string {
    return join(this.host, 'databases', database)
  }

  #noteFailures({ failures }: HostProcess): void {
    if (failures.length > 0) this.#world.problem(`the host said: ${failures.join('')}`)
  }
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
