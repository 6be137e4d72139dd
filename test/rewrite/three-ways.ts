/**
 * One generated guest three ways: in fresh instances, in instances that are reset, and as it was before
 * the rewriter, instantiated by the engine with its own segments for each call. The same call must come to
 * the same end each way: result (which holds digests of memory and globals at the beginning and at the
 * end), trap, message, what it asked of its tables and what it logged; and the first two burn the same fuel.
 */
import { createHash } from 'node:crypto'

import { rewriteCore } from '../../host/module/rewrite/rewrite.ts'
import { DOOR } from '../../host/sandbox/door.ts'
import type { Door } from '../../host/sandbox/door.ts'
import { thrownEnd } from '../../host/sandbox/call-end.ts'
import { GuestMemory } from '../../host/sandbox/guest-memory.ts'
import { GuestModule } from '../../host/sandbox/guest-module.ts'
import type { GuestCall, GuestOutcome } from '../../host/sandbox/guest-module.ts'
import type { GuestTable } from '../../host/sandbox/handle-table.ts'
import { CALL_LIMITS, Meter } from '../../host/sandbox/meter.ts'
import type { CallLimits } from '../../host/sandbox/meter.ts'
import { RunningCall } from '../../host/sandbox/running-call.ts'
import { worldImports } from '../../host/sandbox/world-imports.ts'
import { Random } from '../fuzz/random.ts'
import { generateGuest } from './generate-guest.ts'
import type { GeneratedGuest } from './generate-guest.ts'

/** Calls that one module gets before the next; three modules take turns. */
const CALLS_PER_MODULE = 300
const MODULES_AT_ONCE = 3
/** One call in so many is made in an instance of the engine's own as well, whose memory is dear. */
const PLAIN_IN = 4

export interface Tally {
  calls: number
  /** Of those, the ones that were given an instance which had been used before. */
  resets: number
  modules: number
  readonly problems: string[]
  /** How many calls came to which end. */
  readonly ends: Map<string, number>
}

/** So many calls of generated guests. What seed and index name is the same each time. */
export async function compareInstances(seed: number, count: number, report: (tally: Tally) => void = () => undefined): Promise<Tally> {
  const tally: Tally = { calls: 0, resets: 0, modules: 0, problems: [], ends: new Map() }
  for (let batch = 0; tally.calls < count; batch += 1) {
    const indices = Array.from({ length: MODULES_AT_ONCE }, (_unused, place) => batch * MODULES_AT_ONCE + place)
    const guests = await Promise.all(indices.map((index) => ThreeWays.of(seed, index)))
    const random = new Random(seed, batch)
    const end = Math.min(count, tally.calls + CALLS_PER_MODULE * guests.length)
    for (; tally.calls < end; tally.calls += 1) {
      const place = random.below(guests.length)
      const seen = guests[place]?.call(random)
      if (seen?.problem !== undefined) tally.problems.push(`call ${tally.calls} (module ${indices[place]}) of seed ${seed}: ${seen.problem}`)
      const [kind = 'none'] = seen?.end.split(' ') ?? []
      tally.ends.set(kind, (tally.ends.get(kind) ?? 0) + 1)
    }
    for (const guest of guests) tally.resets += guest.close()
    tally.modules += guests.length
    report(tally)
  }
  return tally
}

/** What can be seen of a call from outside. */
interface Seen {
  readonly end: string
  readonly fuel: number
  readonly operations: readonly string[]
}

class ThreeWays {
  readonly #fresh: GuestModule
  readonly #reset: GuestModule
  readonly #plain: WebAssembly.Module
  readonly #guest: GeneratedGuest
  #calls = 0

  private constructor(fresh: GuestModule, reset: GuestModule, closed: GeneratedGuest) {
    this.#fresh = fresh
    this.#reset = reset
    this.#plain = new WebAssembly.Module(closed.core)
    this.#guest = closed
  }

  static async of(seed: number, index: number): Promise<ThreeWays> {
    const core = rewriteCore(generateGuest(new Random(seed, index), false).core)
    const modules = [await GuestModule.compile(core, 'fresh'), await GuestModule.compile(core, 'reset')] as const
    return new ThreeWays(...modules, generateGuest(new Random(seed, index), true))
  }

  /** @returns what disagrees, or undefined; and how the call ended. */
  call(random: Random): { readonly problem: string | undefined; readonly end: string } {
    this.#calls += 1
    const call = this.#randomCall(random)
    const answers = random.u32()
    const fresh = see(call, answers, (seen) => this.#fresh.run(seen))
    const reset = see(call, answers, (seen) => this.#reset.run(seen))
    if (!isSame(fresh, reset)) return { problem: `reset ${JSON.stringify(reset)} is not fresh ${JSON.stringify(fresh)}`, end: fresh.end }
    const isMeters = fresh.end.includes('ERR_CALL_FUEL') || fresh.end.includes('ERR_CALL_DEPTH')
    // The module's own maximum is all that bounds it where no host does.
    if (isMeters || call.limits.memoryPages < this.#guest.memory.max || !random.chance(PLAIN_IN)) return { problem: undefined, end: fresh.end }
    const plain = { ...see(call, answers, (seen) => runPlain(this.#plain, seen)), fuel: fresh.fuel }
    return { problem: isSame(fresh, plain) ? undefined : `fresh ${JSON.stringify(fresh)} is not plain ${JSON.stringify(plain)}`, end: fresh.end }
  }

  /** @returns how many calls were given an instance that had been used before. */
  close(): number {
    this.#reset.close()
    return this.#calls - this.#reset.instancesMade
  }

  #randomCall(random: Random): Omit<GuestCall, 'tables' | 'log'> & { readonly tableCount: number } {
    const { reducers } = this.#guest
    return {
      reducer: random.below(reducers.length + (random.chance(20) ? 1 : 0)),
      context: random.bytes(random.below(64)),
      args: Buffer.concat([randomParameters(random), random.chance(50) ? Buffer.alloc(70_000, random.below(256)) : random.bytes(random.below(40))]),
      tableCount: random.chance(10) ? random.below(3) : 2,
      limits: randomLimits(random, this.#guest),
    }
  }
}

/** Eight bytes for each of three: small numbers, any numbers, NaN of many kinds. */
function randomParameters(random: Random): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(24))
  for (const at of [0, 8, 16]) {
    bytes.setUint32(at, random.chance(2) ? random.below(8) : random.u32(), true)
    bytes.setUint32(at + 4, random.chance(2) ? random.u32() : 0x7ff0_0000 | random.below(0x10_0000), true)
    if (random.chance(4)) bytes.setUint32(at, 0x7f80_0000 | random.below(0x80_0000), true)
  }
  return new Uint8Array(bytes.buffer)
}

/** Now and then too little of something, so that calls end anywhere; always enough for an instance. */
function randomLimits(random: Random, { memory }: GeneratedGuest): CallLimits {
  return {
    fuel: random.chance(20) ? 60_000 + random.below(800_000) : 50_000_000,
    depth: random.chance(40) ? random.below(200) : CALL_LIMITS.depth,
    memoryPages: random.chance(30) ? memory.min + random.below(2) : memory.max,
  }
}

function see(call: Omit<GuestCall, 'tables' | 'log'> & { readonly tableCount: number }, answers: number, run: (call: GuestCall) => GuestOutcome): Seen {
  const operations: string[] = []
  const tables = Array.from({ length: call.tableCount }, (_unused, index) => new NotingTable(index, new Random(answers, index), operations))
  const outcome = run({ ...call, tables, log: (level, message) => void operations.push(`log ${level} ${message}`) })
  return { end: endOf(outcome), fuel: outcome.fuel ?? -1, operations }
}

function endOf(outcome: GuestOutcome): string {
  switch (outcome.kind) {
    case 'ok':
      return `ok ${Buffer.from(outcome.result).toString('hex')}`
    case 'failed':
      return `failed ${outcome.message}`
    case 'trapped':
      return `${outcome.error.code} ${outcome.error.message}`
  }
}

function isSame(one: Seen, other: Seen): boolean {
  const sameLength = one.operations.length === other.operations.length
  return one.end === other.end && one.fuel === other.fuel && sameLength && one.operations.every((operation, index) => operation === other.operations[index])
}

/** Notes what it is asked, gives rows of chance, and refuses now and then. */
class NotingTable implements GuestTable {
  readonly #index: number
  readonly #random: Random
  readonly #operations: string[]

  constructor(index: number, random: Random, operations: string[]) {
    this.#index = index
    this.#random = random
    this.#operations = operations
  }

  get(key: Uint8Array): Uint8Array {
    return this.#note('get', key, () => this.#rows())
  }

  scan(scan: Uint8Array): Uint8Array {
    return this.#note('scan', scan, () => this.#rows())
  }

  count(scan: Uint8Array): bigint {
    return this.#note('count', scan, () => BigInt(this.#random.below(1_000)))
  }

  insert(rows: Uint8Array): Uint8Array {
    return this.#note('insert', rows, () => this.#rows())
  }

  update(rows: Uint8Array): number {
    return this.#note('update', rows, () => this.#random.below(10))
  }

  delete(keys: Uint8Array): number {
    return this.#note('delete', keys, () => this.#random.below(10))
  }

  #note<T>(method: string, input: Uint8Array, answer: () => T): T {
    this.#operations.push(`${method} ${this.#index} ${digest(input)}`)
    return answer()
  }

  #rows(): Uint8Array {
    return this.#random.bytes(this.#random.below(this.#random.chance(20) ? 3_000 : 60))
  }
}

function digest(bytes: Uint8Array): string {
  return bytes.length <= 32 ? Buffer.from(bytes).toString('hex') : createHash('sha256').update(bytes).digest('hex')
}

/** The adapter's own lowering and lifting around an instance that nobody has rewritten. */
function runPlain(module: WebAssembly.Module, call: GuestCall): GuestOutcome {
  const meter = new Meter()
  meter.start({ ...CALL_LIMITS, fuel: 2_000_000_000 }, 0)
  let running: RunningCall | undefined
  const enterHost = (): RunningCall => {
    if (running === undefined) throw new Error('a generated guest calls the host before there is a call')
    return running.enterHost()
  }
  try {
    const exports = instantiatePlain(module, worldImports(enterHost, meter))
    const memory = exports['memory'] as WebAssembly.Memory
    running = new RunningCall(call, new GuestMemory(memory, { initial: 0, maximum: 0 }), meter)
    return running.run(doorOf(exports))
  } catch (error) {
    return thrownEnd(error, meter)
  }
}

function instantiatePlain(module: WebAssembly.Module, imports: WebAssembly.Imports): Readonly<Record<string, unknown>> {
  try {
    return new WebAssembly.Instance(module, imports).exports
  } catch (error) {
    // A segment that ends outside: the engine has another word for it where it copies it itself.
    throw error instanceof WebAssembly.RuntimeError ? new WebAssembly.RuntimeError('memory access out of bounds') : error
  }
}

function doorOf(exports: Readonly<Record<string, unknown>>): Door {
  const names = Object.keys(DOOR)
  return (what, ...parameters) => {
    const entry = exports[names[what] ?? ''] as ((...parameters: readonly number[]) => number | undefined) | undefined
    return entry?.(...parameters) ?? 0
  }
}
