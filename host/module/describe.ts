/**
 * Runs a module's `describe` once, in the gate's child, and takes the bytes that it returns. The world
 * it sees refuses every call: a description may depend on nothing but the module. It burns fuel as a
 * call does, and no more than a call may.
 */
import { HostError } from '../errors.ts'
import { descriptionSizeBytesMax } from '../limits.ts'
import { DOOR, DOOR_EXPORT, HOST_IMPORTS, MEMORY_IMPORT, readMeterFacts } from '../sandbox/door.ts'
import type { Door } from '../sandbox/door.ts'
import { CALL_LIMITS, Meter } from '../sandbox/meter.ts'
import { TABLE_DROP, TABLES_INTERFACE, WORLD_IMPORTS } from './world.ts'

/**
 * The description's bytes, copied out of the module's memory.
 *
 * @param core a rewritten core module.
 * @throws HostError ERR_DESCRIPTION when `describe` traps, calls the host or returns no list in bounds.
 */
export async function readDescription(core: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const guest = new DescribingGuest(await WebAssembly.compile(core))
  guest.run('_initialize')
  const pointer = guest.run('describe') >>> 0
  const description = copyList(guest.memory, pointer)
  guest.run('cabi_post_describe', pointer)
  return description
}

class DescribingGuest {
  readonly memory: WebAssembly.Memory
  readonly #meter = new Meter()
  readonly #door: Door

  constructor(module: WebAssembly.Module) {
    const { memoryPagesMin, memoryPagesMax, instanceFuel } = readMeterFacts(module)
    const maximum = Math.max(memoryPagesMin, Math.min(memoryPagesMax, CALL_LIMITS.memoryPages))
    this.memory = new WebAssembly.Memory({ initial: memoryPagesMin, maximum })
    this.#meter.start(CALL_LIMITS, instanceFuel)
    const host = { ...this.#meter.imports, [MEMORY_IMPORT]: this.memory }
    const { exports } = this.#trapping('its start', () => new WebAssembly.Instance(module, { ...closedWorld(), [HOST_IMPORTS]: host }))
    this.#door = exports[DOOR_EXPORT] as Door
  }

  run(name: keyof typeof DOOR, ...parameters: readonly number[]): number {
    return this.#trapping(name, () => this.#door(DOOR[name], ...parameters))
  }

  #trapping<T>(name: string, work: () => T): T {
    try {
      return work()
    } catch (cause) {
      if (cause instanceof HostError) throw cause
      const reason = this.#meter.trapCause(cause)?.message ?? (cause instanceof Error ? cause.message : 'unknown')
      throw new HostError('ERR_DESCRIPTION', `${name} trapped (${reason}) when the module was asked for its description`, { cause })
    }
  }
}

/** Every import of the world as a function that refuses. */
function closedWorld(): WebAssembly.Imports {
  const world: WebAssembly.Imports = Object.create(null)
  for (const [interfaceName, items] of WORLD_IMPORTS) {
    const functions: WebAssembly.ModuleImports = Object.create(null)
    for (const name of [...items.keys(), ...(interfaceName === TABLES_INTERFACE ? [TABLE_DROP] : [])]) {
      functions[name] = () => {
        throw new HostError('ERR_DESCRIPTION', `describe called ${name}: it may call nothing of the host`)
      }
    }
    world[interfaceName] = functions
  }
  return world
}

/** The return area is a pointer and a length of four bytes each, aligned to four. */
function copyList(memory: WebAssembly.Memory, area: number): Uint8Array {
  const view = new DataView(memory.buffer)
  if (area % 4 !== 0 || area + 8 > view.byteLength) {
    throw new HostError('ERR_DESCRIPTION', `describe returned the address ${area}: it must be a multiple of 4 inside the memory of ${view.byteLength} bytes`)
  }
  const pointer = view.getUint32(area, true)
  const sizeBytes = view.getUint32(area + 4, true)
  if (sizeBytes > descriptionSizeBytesMax) {
    throw new HostError('ERR_DESCRIPTION', `the description has ${sizeBytes} bytes: at most ${descriptionSizeBytesMax}`)
  }
  if (pointer + sizeBytes > view.byteLength) {
    throw new HostError('ERR_DESCRIPTION', `describe returned ${sizeBytes} bytes at ${pointer}: they end outside the memory of ${view.byteLength} bytes`)
  }
  return new Uint8Array(memory.buffer, pointer, sizeBytes).slice()
}
