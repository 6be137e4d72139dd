/**
 * What a rewritten module imports from the host and the one function it exports. Each export of an
 * instance costs about a microsecond at every call, so the guest's functions stand behind one door
 * that takes the number of what is wanted and up to seven parameters.
 */
import { HostError } from '../errors.ts'

/** Module of the imports below; the world's interfaces have names with a colon. */
export const HOST_IMPORTS = 'host'
export const MEMORY_IMPORT = 'memory'
/** Mutable i32: what is left. Below zero, and the module has trapped for want of it. */
export const FUEL_IMPORT = 'fuel'
/** Mutable i32: how many stack slots a call may use. Below zero, and the module has trapped for want of them. */
export const DEPTH_IMPORT = 'depth'

export const DOOR_EXPORT = 'door'

/**
 * What stands behind the door, by the name of the guest's own export. An absent one does nothing, but
 * for `_initialize`: it first makes the instance new, and must be called over a memory of zeros before
 * anything else, in an instance that was just made and in one that is used again.
 */
export const DOOR = {
  cabi_realloc: 0,
  call: 1,
  cabi_post_call: 2,
  _initialize: 3,
  describe: 4,
  cabi_post_describe: 5,
} as const

export const DOOR_PARAMETERS = 7

export type Door = (what: number, ...parameters: readonly number[]) => number

/**
 * Stack slots that everything but `call` and `describe` gets: the allocator is called again from
 * inside a call, on top of what that call has used.
 */
export const allocatorDepth = 8_192

/** Custom section of a rewritten module with what the host must know before it instantiates it. */
export const METER_SECTION = 'remembrancer.meter'

export interface MeterFacts {
  readonly fuelSchedule: number
  /** `_initialize` makes an instance new that has been used. Modules stored before it did cannot be reset. */
  readonly startsAnew: boolean
  /** Of the imported memory, in pages of 64 KiB. */
  readonly memoryPagesMin: number
  readonly memoryPagesMax: number
  /** What an instance costs before any of its code runs. */
  readonly instanceFuel: number
}

/** Five words, little-endian. */
export function encodeMeterFacts(facts: MeterFacts): Uint8Array {
  const words = new DataView(new ArrayBuffer(20))
  const values = [facts.fuelSchedule, facts.memoryPagesMin, facts.memoryPagesMax, facts.instanceFuel, facts.startsAnew ? 1 : 0]
  for (const [index, value] of values.entries()) words.setUint32(index * 4, value, true)
  return new Uint8Array(words.buffer)
}

/** @throws HostError ERR_STORAGE for a module that no rewriter of ours has written. */
export function readMeterFacts(module: WebAssembly.Module): MeterFacts {
  const [section] = WebAssembly.Module.customSections(module, METER_SECTION)
  if (section === undefined || (section.byteLength !== 16 && section.byteLength !== 20)) {
    throw new HostError('ERR_STORAGE', 'the stored module is not metered: publish it again')
  }
  const words = new DataView(section)
  const [fuelSchedule, memoryPagesMin, memoryPagesMax, instanceFuel] = [0, 4, 8, 12].map((at) => words.getUint32(at, true)) as [number, number, number, number]
  const startsAnew = section.byteLength === 20 && words.getUint32(16, true) === 1
  return { fuelSchedule, memoryPagesMin, memoryPagesMax, instanceFuel, startsAnew }
}
