/**
 * A generated module as it is against the same one rewritten: results, traps, memory and globals must
 * agree to the last bit, the fuel must be the same each time, and no less than the price of every
 * instruction that ran.
 */
import { createHash } from 'node:crypto'

import { BinaryReader } from '../../host/module/binary-reader.ts'
import { decodeCoreModule, functionTypeOf } from '../../host/module/core-module.ts'
import type { CoreModule, FunctionType } from '../../host/module/core-module.ts'
import { Random } from '../fuzz/random.ts'
import { callWithBits } from '../spec/bit-caller.ts'
import { MeteredInstance } from '../spec/metered-instance.ts'
import type { Bits } from '../spec/values.ts'
import { ExactInstance } from './exact-meter.ts'
import { generateModule } from './generate-module.ts'

/** What can be seen of a module after its functions were called one after another. */
export interface Observation {
  readonly results: readonly string[]
  readonly memory: string
  readonly globals: string
  readonly fuel: readonly number[]
}

/** @returns what disagrees, or undefined. */
export function compare(seed: number, index: number): string | undefined {
  const raw = generateModule(new Random(seed, index), false)
  const closed = generateModule(new Random(seed, index), true)
  if (!WebAssembly.validate(raw)) return 'the generator made an invalid module'
  const plain = observe(closed, new PlainInstance(closed), seed)
  const metered = observeMetered(seed, index)
  for (const what of ['results', 'memory', 'globals'] as const) {
    if (JSON.stringify(plain[what]) !== JSON.stringify(metered[what])) return `${what}: ${JSON.stringify(plain[what])} became ${JSON.stringify(metered[what])}`
  }
  const again = observeMetered(seed, index)
  if (JSON.stringify(again) !== JSON.stringify(metered)) return `another ${JSON.stringify(again)} the second time, ${JSON.stringify(metered)} the first`
  const exact = observe(closed, new ExactInstance(closed), seed)
  const short = exact.fuel.findIndex((fuel, call) => fuel > (metered.fuel[call] ?? 0))
  return short < 0 ? undefined : `call ${short} was charged ${metered.fuel[short]}, its instructions cost ${exact.fuel[short]}`
}

export function observeMetered(seed: number, index: number): Observation {
  const raw = generateModule(new Random(seed, index), false)
  return observe(raw, new MeteredInstance(raw, {}), seed)
}

/** How much was charged for how much work: what merging and taking the dearest way costs. */
export function surcharge(seed: number, index: number): { charged: number; exact: number } {
  const closed = generateModule(new Random(seed, index), true)
  const sum = ({ fuel }: Observation): number => fuel.reduce((total, one) => total + one, 0)
  return { charged: sum(observeMetered(seed, index)), exact: sum(observe(closed, new ExactInstance(closed), seed)) }
}

export interface Observed {
  readonly exports: Readonly<Record<string, unknown>>
  readonly burnt: number
  refill(): void
}

class PlainInstance implements Observed {
  readonly exports: Readonly<Record<string, unknown>>
  readonly burnt = 0

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.exports = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports
  }

  refill(): void {
    // It has no fuel.
  }
}

function observe(bytes: Uint8Array, instance: Observed, seed: number): Observation {
  const module = decodeCoreModule(new BinaryReader(bytes))
  const random = new Random(seed, 99)
  const results: string[] = []
  const fuel: number[] = []
  for (let round = 0; round < 2; round += 1) {
    for (const index of module.functions.keys()) {
      const type = functionTypeOf(module, index)
      instance.refill()
      results.push(outcome(instance.exports[String(index)], type, argumentsOf(type, random)))
      fuel.push(instance.burnt)
    }
  }
  return { results, memory: hash(instance.exports['memory'] as WebAssembly.Memory), globals: globalsOf(module, instance), fuel }
}

function argumentsOf({ parameters }: FunctionType, random: Random): readonly Bits[] {
  return parameters.map((type) => {
    const low = BigInt(random.chance(2) ? random.below(8) : random.u32())
    const high = type === 'i64' || type === 'f64' ? BigInt(random.u32()) << 32n : 0n
    return { type, bits: high | low }
  })
}

function outcome(target: unknown, type: FunctionType, parameters: readonly Bits[]): string {
  try {
    return callWithBits(target, type, parameters)
      .map(({ bits }) => bits.toString(16))
      .join(' ')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function hash({ buffer }: WebAssembly.Memory): string {
  return `${buffer.byteLength} ${createHash('sha256').update(new Uint8Array(buffer)).digest('hex').slice(0, 16)}`
}

/** A NaN in a global comes through JavaScript without its payload; the functions show those. */
function globalsOf({ exports }: CoreModule, instance: Observed): string {
  const names = [...exports].filter(([, { kind }]) => kind === 'global').map(([name]) => name)
  return names.map((name) => String((instance.exports[name] as { value: unknown }).value)).join(' ')
}
