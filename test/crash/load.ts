/**
 * Many callers at once, each going on as soon as it is answered: calls with an id and without, such that fail, people
 * never seen before, links, and now and then a publish or a database that comes or goes.
 */
import type { Random } from '../fuzz/random.ts'
import { HostGone } from './requests.ts'
import type { Door, Entering, Reply, Request } from './requests.ts'
import { labelOf } from './tally.ts'
import { isDiskRefusal, settle } from './world.ts'
import type { Call, DatabaseModel, World } from './world.ts'

export interface LoadOptions {
  readonly callersPerDatabase: number
  /** How long a publisher waits at most before its next publish; none when left out. */
  readonly publishPauseMs?: number
  /** Databases come and go: only a host over HTTP drops any. */
  readonly drops: boolean
  /** Padding of a call at most, in characters. */
  readonly sizeMax: number
}

export class Load {
  readonly #door: Door
  readonly #world: World
  readonly #random: Random
  readonly #options: LoadOptions
  #isStopped = false
  /** How many publishes were answered. */
  publishes = 0
  #onPublish: () => void = () => undefined
  /** How many answers said that the disk fails. */
  diskRefusals = 0
  /** How many answers there were. */
  answers = 0

  constructor(door: Door, world: World, random: Random, options: LoadOptions) {
    this.#door = door
    this.#world = world
    this.#random = random
    this.#options = options
  }

  /** Resolves when everybody has stopped, or has nobody to ask any more. */
  async run(): Promise<void> {
    const { callersPerDatabase, publishPauseMs, drops } = this.#options
    const { databases, passing } = this.#world
    const lanes = Array.from({ length: callersPerDatabase }, (_unused, caller) => caller)
    const callers = databases.flatMap((model) => lanes.map((caller) => this.#on(() => this.#step(model, caller))))
    const publishers = publishPauseMs === undefined ? [] : databases.map((model) => this.#on(() => this.#publish(model, publishPauseMs)))
    const passers = drops ? passing.map((model) => this.#on(() => this.#passBy(model))) : []
    await Promise.all([...callers, ...publishers, ...passers])
  }

  stop(): void {
    this.#isStopped = true
  }

  /** Resolves when so many publishes were answered. */
  published(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onPublish = () => this.publishes >= count && resolve()
      this.#onPublish()
    })
  }

  async #on(step: () => Promise<void>): Promise<void> {
    try {
      while (!this.#isStopped) await step()
    } catch (error) {
      if (!(error instanceof HostGone)) throw error
    }
  }

  async #ask(request: Request): Promise<Reply> {
    const reply = await this.#door.send(request)
    this.answers += 1
    if ('refused' in reply && isDiskRefusal(reply.refused.code)) this.diskRefusals += 1
    return reply
  }

  async #step(model: DatabaseModel, caller: number): Promise<void> {
    const random = this.#random
    if (random.chance(60)) return this.#link(model, caller)
    if (random.chance(60)) return this.#meet(model)
    await this.enter(model, caller)
  }

  /** A call that runs in the module that was published last, when nobody publishes. True when it has happened. */
  async enterLatest(model: DatabaseModel): Promise<boolean> {
    const entering: Entering = { call: `${model.name}.${this.#world.nextNumber()}.`, thing: 'latest', takesAway: false, reads: false, size: 0, ending: '' }
    const call: Call = { entering, id: undefined, fate: { kind: 'pending' } }
    model.person('person-0').calls.set(entering.call, call)
    await this.send(model, 'person-0', call)
    if (call.fate.kind === 'done' && call.fate.label !== labelOf(model.latestNumber)) {
      this.#world.problem(`${model.name} runs ${call.fate.label}, and ${model.latestNumber} was published last`)
    }
    return call.fate.kind === 'done'
  }

  /** One call of somebody, which may be sent twice at once. */
  async enter(model: DatabaseModel, caller: number): Promise<void> {
    const random = this.#random
    const person = model.person(`person-${random.below(3)}`)
    const entering: Entering = {
      call: `${model.name}.${this.#world.nextNumber()}.`,
      thing: `thing-${caller}-${random.below(3)}`,
      takesAway: random.chance(4),
      reads: random.chance(2),
      size: random.chance(8) ? random.below(this.#options.sizeMax) : random.below(40),
      ending: random.chance(12) ? random.pick(['fail', 'trap'] as const) : '',
    }
    const call: Call = { entering, id: random.chance(3) ? undefined : `id-${entering.call}`, fate: { kind: 'pending' } }
    person.calls.set(entering.call, call)
    const times = call.id !== undefined && random.chance(15) ? 2 : 1
    await Promise.all(Array.from({ length: times }, () => this.send(model, person.subject, call)))
  }

  /** Sends a call, for the first time or again, and notes what became of it. */
  async send(model: DatabaseModel, subject: string, call: Call): Promise<void> {
    // A call that has happened gives what it gave in the module of then.
    const latestNumber = call.fate.kind === 'done' ? 0 : model.latestNumber
    const reply = await this.#ask({ kind: 'enter', database: model.name, subject, entering: call.entering, ...(call.id === undefined ? {} : { id: call.id }) })
    const problem = settle(call, reply, { latestNumber, diskFails: this.#world.diskFails })
    if (problem !== undefined) this.#world.problem(problem)
  }

  /** Somebody new, or somebody known: whoever it is stays the same. */
  async #meet(model: DatabaseModel): Promise<void> {
    const person = model.person(this.#random.chance(3) ? `person-new-${this.#world.nextNumber()}` : `person-${this.#random.below(3)}`)
    const reply = await this.#ask({ kind: 'identify', database: model.name, subject: person.subject })
    if (!('value' in reply)) return this.#refused('identify', reply)
    if (person.identity !== undefined && person.identity !== reply.value) this.#world.problem(`${person.subject} is somebody else than before`)
    person.identity = String(reply.value)
  }

  /** Each caller has a login of its own for this. */
  async #link(model: DatabaseModel, caller: number): Promise<void> {
    const subject = `login-${caller}`
    const known = model.links.get(subject)
    const link = known ?? { to: undefined, wanted: undefined }
    if (link.wanted !== undefined) return
    model.links.set(subject, link)
    const to = link.to === undefined ? `person-${this.#random.below(3)}` : undefined
    link.wanted = { to }
    const request = { database: model.name, subject }
    const reply = await this.#ask(to === undefined ? { kind: 'unlink', ...request } : { kind: 'link', ...request, to })
    if ('refused' in reply && reply.refused.code === 'ERR_COMMIT_UNKNOWN') return this.#refused('link', reply)
    link.wanted = undefined
    if ('value' in reply) link.to = to
    else this.#refused('link', reply)
  }

  async #publish(model: DatabaseModel, pauseMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#random.below(pauseMs)))
    if (this.#isStopped) return
    const number = this.#world.nextNumber()
    model.publishing.add(number)
    const reply = await this.#ask({ kind: 'publish', database: model.name, number })
    this.publishes += 1
    this.#onPublish()
    if ('value' in reply) model.published(Number(reply.value), number)
    else {
      model.publishing.delete(number)
      this.#refused('publish', reply)
    }
  }

  /** A database is made, used, and dropped. */
  async #passBy(model: DatabaseModel): Promise<void> {
    const database = model.name
    if (model.presence === 'absent') {
      model.forget()
      model.presence = 'unknown'
      const reply = await this.#ask({ kind: 'create', database })
      model.presence = 'value' in reply ? 'there' : 'absent'
      if (!('value' in reply)) return this.#refused('create', reply)
      await this.#publish(model, 0)
    }
    if (model.presence === 'there') {
      const count = this.#random.below(30)
      for (let call = 0; call < count && model.versions.size > 0; call++) await this.enter(model, call)
    }
    const kept = [...model.people.values()].flatMap(({ calls }) => [...calls.keys()])
    model.presence = 'unknown'
    const reply = await this.#ask({ kind: 'drop', database })
    model.presence = 'value' in reply ? 'absent' : 'unknown'
    if ('value' in reply) this.#world.forgotten.push(...kept)
    else this.#refused('drop', reply)
  }

  #refused(what: string, reply: Reply): void {
    if ('value' in reply) return
    const { code, message } = reply.refused
    if (this.#world.diskFails && isDiskRefusal(code)) return
    if (code !== 'ERR_BUSY' && code !== 'ERR_HOST_CLOSED') this.#world.problem(`${what} was refused with ${code}: ${message}`)
  }
}
