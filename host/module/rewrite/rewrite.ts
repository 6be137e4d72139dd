/**
 * A guest's core module made safe to run: metered, and with its memory in the host's hands.
 *
 *   roles.ts        how each function is metered, callees first
 *   structure.ts    what of a body is alive, how high its stack gets
 *   charges.ts      where fuel is taken
 *   nan-bits.ts     where a NaN's bits must be pinned
 *   emit-body.ts    the body again, with all that
 *   injected.ts     functions and types that come with it
 *   start.ts        globals and data as they are at first
 *   door.ts         the one export
 *
 * The result means what the module meant, as the WebAssembly testsuite shows (npm run spec), except that
 * it traps when fuel or depth are used up. All of it is a function of the bytes and of the schedule's
 * version: the same call burns the same fuel on every machine and with either of V8's compilers.
 */
import { DEPTH_IMPORT, encodeMeterFacts, FUEL_IMPORT, HOST_IMPORTS, MEMORY_IMPORT, METER_SECTION } from '../../sandbox/door.ts'
import type { MeterFacts } from '../../sandbox/door.ts'
import { assert } from '../../errors.ts'
import { memoryPagesMax } from '../../limits.ts'
import { bytesPrice, FUEL_SCHEDULE_VERSION, instancePagePrice, instancePartPrices, instancePrice } from '../../sandbox/fuel-schedule.ts'
import { BinaryReader } from '../binary-reader.ts'
import { CORE_HEADER, decodeCoreModule } from '../core-module.ts'
import type { CoreModule, ValueType } from '../core-module.ts'
import { BinaryWriter } from './binary-writer.ts'
import { dataRuns } from './data-runs.ts'
import type { DataRun } from './data-runs.ts'
import { addDoor, addWrappers } from './door.ts'
import type { RewrittenExport } from './door.ts'
import { emitBody } from './emit-body.ts'
import { Injected } from './injected.ts'
import { planNanBits } from './nan-bits.ts'
import { Roles } from './roles.ts'
import { addStart, dataSection } from './start.ts'

/**
 * @param exported `door` for a guest of the world. `each` keeps every export of any module and starts
 * it by itself, so that the testsuite and the fuzzer can drive modules that are no guests.
 * @throws HostError ERR_COMPONENT_CORE for a function that is too large.
 */
export function rewriteModule(module: CoreModule, exported: 'door' | 'each' = 'door'): Uint8Array<ArrayBuffer> {
  assert(
    module.imports.every((entry) => entry.kind === 'function'),
    'a guest imports functions only',
  )
  const injected = new Injected(module)
  const roles = new Roles(module)
  const bodies: Uint8Array[] = []
  roles.plan(({ index, role, body, structure, charges }) => {
    const slots = role.kind === 'counted' ? role.slots : undefined
    const context = { injected, isCounted: (callee: number) => roles.isCounted(callee), isStatic: (callee: number) => roles.isStatic(callee) }
    bodies[index - module.importedFunctions.length] = emitBody({ body, structure, charges, nanBits: planNanBits(body, structure), slots }, context)
  })
  const runs = dataRuns(module)
  const start = addStart(module, injected, runs)
  const parts = { module, injected, roles }
  const exports = exported === 'door' ? [addDoor(parts, start)] : addWrappers(parts)
  const elements = elementSection(module, injected)
  return assemble({ module, injected, roles, bodies, exports, elements, runs, ownStart: exported === 'each' ? start : undefined })
}

/** The same for bytes that have not been read yet. @throws HostError for bytes that are no allowed module. */
export function rewriteCore(core: Uint8Array, exported: 'door' | 'each' = 'door'): Uint8Array<ArrayBuffer> {
  return rewriteModule(decodeCoreModule(new BinaryReader(core)), exported)
}

interface Assembled {
  readonly module: CoreModule
  readonly injected: Injected
  readonly roles: Roles
  readonly bodies: readonly Uint8Array[]
  readonly exports: readonly RewrittenExport[]
  readonly elements: BinaryWriter
  readonly runs: readonly DataRun[]
  /** What the engine itself runs when it makes an instance: only where there is no door to do it. */
  readonly ownStart: number | undefined
}

function assemble({ module, injected, roles, bodies, exports, elements, runs, ownStart }: Assembled): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter(module.span.end - module.span.start + 4_096).u8(...CORE_HEADER)
  // Made first: it may ask for types that nobody has needed before.
  const functions = functionSection(module, injected, roles)
  writer.section(1, typeSection(injected))
  writer.section(2, importSection(module))
  writer.section(3, functions)
  copySection(writer, module, 4)
  copySection(writer, module, 6)
  writer.section(7, exportSection(exports))
  if (ownStart !== undefined) writer.section(8, new BinaryWriter().u32(ownStart))
  if (module.elements.length > 0) writer.section(9, elements)
  if (runs.length > 0) writer.section(12, new BinaryWriter().u32(runs.length))
  writer.section(10, codeSection(bodies, injected))
  if (runs.length > 0) writer.section(11, dataSection(runs))
  writer.section(0, new BinaryWriter().name(METER_SECTION).bytes(encodeMeterFacts(meterFacts(module))))
  return writer.toBytes()
}

const TYPE_CODES: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c }

function typeSection({ types }: Injected): BinaryWriter {
  const writer = new BinaryWriter().u32(types.length)
  for (const { parameters, results } of types) {
    writer.u8(0x60).u32(parameters.length)
    for (const type of parameters) writer.u8(TYPE_CODES[type])
    writer.u32(results.length)
    for (const type of results) writer.u8(TYPE_CODES[type])
  }
  return writer
}

/** The guest's own first, so that its function indices stay; then the memory and the host's globals. */
function importSection(module: CoreModule): BinaryWriter {
  const [memory] = module.memories
  const writer = new BinaryWriter().u32(module.imports.length + (memory === undefined ? 2 : 3))
  for (const entry of module.imports) if (entry.kind === 'function') writer.name(entry.module).name(entry.name).u8(0).u32(entry.type)
  if (memory !== undefined)
    writer
      .name(HOST_IMPORTS)
      .name(MEMORY_IMPORT)
      .u8(2, 1)
      .u32(memory.min)
      .u32(memory.max ?? memoryPagesMax)
  for (const name of [FUEL_IMPORT, DEPTH_IMPORT]) writer.name(HOST_IMPORTS).name(name).u8(3, 0x7f, 1)
  return writer
}

function functionSection(module: CoreModule, injected: Injected, roles: Roles): BinaryWriter {
  const writer = new BinaryWriter().u32(module.functions.length + injected.functions.length)
  for (const [place, type] of module.functions.entries()) {
    writer.u32(roles.isCounted(module.importedFunctions.length + place) ? injected.countedType(type) : type)
  }
  for (const { type } of injected.functions) writer.u32(type)
  return writer
}

function exportSection(exports: readonly RewrittenExport[]): BinaryWriter {
  const writer = new BinaryWriter().u32(exports.length)
  for (const { name, kind, index } of exports) writer.name(name).u8(kind).u32(index)
  return writer
}

/** Functions keep their places in the table; those of the host are stood in for. */
function elementSection(module: CoreModule, injected: Injected): BinaryWriter {
  const writer = new BinaryWriter().u32(module.elements.length)
  for (const { offset, functions } of module.elements) {
    writer.u8(0, 0x41).s32(offset).u8(0x0b).u32(functions.length)
    for (const index of functions) writer.u32(index < module.importedFunctions.length ? injected.standIn(index) : index)
  }
  return writer
}

function codeSection(bodies: readonly Uint8Array[], { functions }: Injected): BinaryWriter {
  const sizeBytes = bodies.reduce((sum, body) => sum + body.length + 5, 64)
  const writer = new BinaryWriter(sizeBytes).u32(bodies.length + functions.length)
  for (const body of bodies) writer.sized(body)
  for (const { body } of functions) writer.sized(body)
  return writer
}

function copySection(writer: BinaryWriter, module: CoreModule, id: number): void {
  const section = module.sections.find((one) => one.id === id)
  if (section !== undefined) writer.bytes(module.bytes, section.start, section.end)
}

/** What every call pays first: an instance of all this, its memory cleared and its data copied. */
function meterFacts(module: CoreModule): MeterFacts {
  const { memories, data } = module
  const [memory] = memories
  const memoryPagesMin = memory?.min ?? 0
  const dataBytes = data.reduce((sum, { bytes }) => sum + bytes.end - bytes.start, 0)
  return {
    fuelSchedule: FUEL_SCHEDULE_VERSION,
    startsAnew: true,
    memoryPagesMin,
    memoryPagesMax: memory?.max ?? memoryPagesMax,
    instanceFuel: instancePrice + memoryPagesMin * instancePagePrice + bytesPrice(dataBytes) + partsPrice(module),
  }
}

function partsPrice({ functions, globals, tables, elements, data }: CoreModule): number {
  const prices = instancePartPrices
  const entries = tables.reduce((sum, { min }) => sum + min, 0)
  const elementCount = elements.reduce((sum, segment) => sum + segment.functions.length, 0)
  const parts = functions.length * prices.function + globals.length * prices.global + data.length * prices.dataSegment
  return parts + entries * prices.tableEntry + elementCount * prices.element
}
