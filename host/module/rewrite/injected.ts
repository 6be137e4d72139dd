/**
 * What the rewriter adds to a module beside the functions it had: types with a depth, the functions that
 * do sized work against fuel, and stand-ins for host functions in the table. Each is made when it is
 * first asked for; indices follow those of the module's own.
 */
import { bytesPerUnit, growPagePrice } from '../../sandbox/fuel-schedule.ts'
import { functionTypeOf, typeAt } from '../core-module.ts'
import type { CoreModule, FunctionType, ValueType } from '../core-module.ts'
import { BinaryWriter } from './binary-writer.ts'

/** The host's globals come before the module's own. */
export const FUEL_GLOBAL = 0
export const DEPTH_GLOBAL = 1
export const HOST_GLOBALS = 2

export interface InjectedFunction {
  readonly type: number
  readonly body: Uint8Array
}

type SizedWork = 'grow' | 'copy' | 'fill'

export class Injected {
  readonly types: FunctionType[]
  readonly functions: InjectedFunction[] = []
  readonly #module: CoreModule
  readonly #countedTypes = new Map<number, number>()
  readonly #byName = new Map<string, number>()

  constructor(module: CoreModule) {
    this.#module = module
    this.types = [...module.types]
  }

  /** The type at `index` with a depth after its parameters. */
  countedType(index: number): number {
    const known = this.#countedTypes.get(index)
    if (known !== undefined) return known
    const { parameters, results } = typeAt(this.#module, index)
    const made = this.addType({ parameters: [...parameters, 'i32'], results })
    this.#countedTypes.set(index, made)
    return made
  }

  addType(type: FunctionType): number {
    return this.types.push(type) - 1
  }

  addFunction(type: number, body: Uint8Array): number {
    const { importedFunctions, functions } = this.#module
    return importedFunctions.length + functions.length + this.functions.push({ type, body }) - 1
  }

  /** The function that does the work of memory.grow, memory.copy or memory.fill. */
  functionIndex(name: SizedWork): number {
    return this.#once(name, () => (name === 'grow' ? this.#addGrow() : this.#addBulk(name)))
  }

  /** An imported function as the table holds functions: it takes a depth and does nothing with it. */
  standIn(imported: number): number {
    return this.#once(`import ${imported}`, () => {
      const typeIndex = this.#module.importedFunctions[imported] ?? 0
      const writer = new BinaryWriter().u8(0)
      for (const index of functionTypeOf(this.#module, imported).parameters.keys()) writer.u8(0x20).u32(index)
      return this.addFunction(this.countedType(typeIndex), writer.u8(0x10).u32(imported).u8(0x0b).toBytes())
    })
  }

  #once(name: string, make: () => number): number {
    const index = this.#byName.get(name) ?? make()
    this.#byName.set(name, index)
    return index
  }

  /** Pays for its bytes first, then does them. */
  #addBulk(name: 'copy' | 'fill'): number {
    const writer = noLocals().u8(0x23, FUEL_GLOBAL, 0x20, 2).u8(0x41).s32(Math.log2(bytesPerUnit)).u8(0x76)
    takeFuel(writer)
    writer.u8(0x20, 0, 0x20, 1, 0x20, 2)
    writer.u8(...(name === 'copy' ? [0xfc, 0x0a, 0, 0] : [0xfc, 0x0b, 0]), 0x0b)
    return this.addFunction(this.addType(functionType(['i32', 'i32', 'i32'], [])), writer.toBytes())
  }

  /** Pays for the pages that it got: a refused growth costs what asking costs. */
  #addGrow(): number {
    const writer = new BinaryWriter().u8(1, 1, 0x7f)
    writer.u8(0x20, 0, 0x40, 0, 0x22, 1, 0x41, 0x7f, 0x47, 0x04, 0x40)
    writer.u8(0x23, FUEL_GLOBAL, 0x20, 0, 0x41).s32(growPagePrice).u8(0x6c)
    takeFuel(writer)
    writer.u8(0x0b, 0x20, 1, 0x0b)
    return this.addFunction(this.addType(functionType(['i32'], ['i32'])), writer.toBytes())
  }
}

function noLocals(): BinaryWriter {
  return new BinaryWriter().u8(0)
}

/** Fuel and a price are on the stack. */
function takeFuel(writer: BinaryWriter): void {
  writer.u8(0x6b, 0x24, FUEL_GLOBAL, 0x23, FUEL_GLOBAL, 0x41, 0, 0x48, 0x04, 0x40, 0x00, 0x0b)
}

function functionType(parameters: readonly ValueType[], results: readonly ValueType[]): FunctionType {
  return { parameters, results }
}
