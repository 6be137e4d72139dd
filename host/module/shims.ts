/**
 * The core modules that a toolchain puts around a guest, known by their shape to the last instruction.
 * A guest's imports need its memory and its memory needs the guest, so wit-component ties the knot with
 *
 *   shim     functions "0", "1", …, each only calling its own entry of the table "$imports";
 *   fixup    fills that table with the lowered imports; newer ones call `_initialize` as their start;
 *   starter  (older wit-component) calls `_initialize` as its start and does nothing else.
 *
 * Because these modules can do nothing else, a host may leave them out and give the guest its imports.
 */
import { HostError } from '../errors.ts'
import { functionTypeOf, signatureText, typeAt } from './core-module.ts'
import type { CoreImport, CoreModule, Limits } from './core-module.ts'
import { BinaryReader } from './binary-reader.ts'
import { OPCODE, readInstruction } from './instructions.ts'

export interface ShimFunction {
  /** Its place in the table. */
  readonly slot: number
  readonly signature: string
}

export interface NamedImport {
  readonly module: string
  readonly name: string
}

export type Shim =
  | { readonly kind: 'shim'; readonly slotCount: number; readonly functions: ReadonlyMap<string, ShimFunction> }
  | {
      readonly kind: 'fixup'
      readonly table: NamedImport
      /** What fills each slot of the table. */
      readonly slots: readonly (NamedImport & { readonly signature: string })[]
      readonly start: NamedImport | undefined
    }
  | { readonly kind: 'starter'; readonly start: NamedImport }

export const SHIM_TABLE = '$imports'

/** @throws HostError ERR_COMPONENT_WIRING for a module that is none of the three. */
export function recognizeShim(module: CoreModule): Shim {
  if (module.imports.length === 0) return recognizeShimModule(module)
  return recognizeConnector(module)
}

function recognizeShimModule(module: CoreModule): Shim {
  const [table, ...others] = module.tables
  expectShape(module, hasOnlySections(module, [1, 3, 4, 7, 10]) && table !== undefined && others.length === 0)
  expectShape(module, module.exports.get(SHIM_TABLE)?.kind === 'table')
  const functions = new Map<string, ShimFunction>()
  for (const [name, { kind, index }] of module.exports) {
    if (kind === 'table') {
      expectShape(module, name === SHIM_TABLE && index === 0)
      continue
    }
    expectShape(module, kind === 'function' && index < module.functions.length)
    functions.set(name, { slot: readForwarder(module, index), signature: signatureText(functionTypeOf(module, index)) })
  }
  return { kind: 'shim', slotCount: fixedSize(module, table), functions }
}

/** The table entry that a function passes all its parameters on to; that must be all it does. */
function readForwarder(module: CoreModule, index: number): number {
  const body = module.bodies[index]
  const typeIndex = module.functions[index]
  expectShape(module, body !== undefined && body.locals.length === 0)
  const reader = new BinaryReader(module.bytes, body.codeStart, body.end)
  const parameters = typeAt(module, typeIndex).parameters
  for (let parameter = 0; parameter < parameters.length; parameter += 1) {
    const get = readInstruction(reader)
    expectShape(module, get.opcode === OPCODE.localGet && get.immediates[0] === parameter)
  }
  expectShape(module, reader.u8('a table entry') === OPCODE.i32Const)
  const slot = reader.signed(32, 'a table entry')
  const call = readInstruction(reader)
  expectShape(module, call.opcode === OPCODE.callIndirect && call.immediates[0] === typeIndex && call.immediates[1] === 0)
  expectShape(module, readInstruction(reader).opcode === OPCODE.end)
  return slot
}

function recognizeConnector(module: CoreModule): Shim {
  expectShape(module, hasOnlySections(module, [1, 2, 8, 9]))
  const functions = module.imports.filter((entry) => entry.kind === 'function')
  const tables = module.imports.filter((entry) => entry.kind === 'table')
  const start = readStart(module, functions)
  const table = tables[0]
  if (table === undefined) {
    expectShape(module, start !== undefined && functions.length === 1 && module.elements.length === 0)
    return { kind: 'starter', start }
  }
  const [segment, ...others] = module.elements
  expectShape(module, tables.length === 1 && segment !== undefined && others.length === 0 && segment.offset === 0)
  expectShape(module, segment.functions.length === fixedSize(module, table.limits))
  const slots = segment.functions.map((index) => {
    const entry = functions[index]
    expectShape(module, entry !== undefined)
    return { module: entry.module, name: entry.name, signature: signatureText(typeAt(module, entry.type)) }
  })
  return { kind: 'fixup', table, slots, start }
}

function readStart(module: CoreModule, functions: readonly (CoreImport & { kind: 'function' })[]): NamedImport | undefined {
  if (module.start === undefined) return undefined
  const start = functions[module.start]
  expectShape(module, start !== undefined && signatureText(typeAt(module, start.type)) === '() -> ()')
  return start
}

/** A table that cannot grow. */
function fixedSize(module: CoreModule, limits: Limits): number {
  expectShape(module, limits.max === limits.min)
  return limits.min
}

function hasOnlySections(module: CoreModule, ids: readonly number[]): boolean {
  return module.sections.every((section) => section.id === 0 || ids.includes(section.id))
}

function expectShape(module: CoreModule, holds: boolean): asserts holds {
  if (holds) return
  throw new HostError(
    'ERR_COMPONENT_WIRING',
    `byte ${module.span.start} of the upload: this core module is none that "wasm-tools component new" puts around a guest`,
    { detail: { offset: module.span.start } },
  )
}
