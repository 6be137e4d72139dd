/**
 * Runs a module's `describe` once, in the gate's child, and takes the bytes that it returns. The world
 * it sees refuses every call: a description may depend on nothing but the module.
 */
import { HostError } from '../errors.ts'
import { descriptionSizeBytesMax } from '../limits.ts'
import { INITIALIZE, postReturnOf } from './guest-rules.ts'
import { TABLE_DROP, TABLES_INTERFACE, WORLD_IMPORTS } from './world.ts'

/**
 * The description's bytes, copied out of the module's memory.
 *
 * @param core a core module that guest-rules.ts has accepted: names and signatures are known.
 * @throws HostError ERR_DESCRIPTION when `describe` traps, calls the host or returns no list in bounds.
 */
export async function readDescription(core: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const instance = new WebAssembly.Instance(await WebAssembly.compile(core), closedWorld())
  const exports: ReadonlyMap<string, unknown> = new Map(Object.entries(instance.exports))
  const memory = exports.get('memory')
  if (!(memory instanceof WebAssembly.Memory)) throw new HostError('ERR_COMPONENT_CORE', 'a module must export its memory')
  if (exports.has(INITIALIZE)) run(exports, INITIALIZE)
  const pointer = Number(run(exports, 'describe')) >>> 0
  const description = copyList(memory, pointer)
  if (exports.has(postReturnOf('describe'))) run(exports, postReturnOf('describe'), pointer)
  return description
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

function run(exports: ReadonlyMap<string, unknown>, name: string, ...args: number[]): unknown {
  const exported = exports.get(name)
  if (typeof exported !== 'function') throw new HostError('ERR_COMPONENT_CORE', `a module must export ${name}`)
  try {
    return exported(...args)
  } catch (cause) {
    if (cause instanceof HostError) throw cause
    const reason = cause instanceof Error ? cause.message : 'unknown'
    throw new HostError('ERR_DESCRIPTION', `${name} trapped (${reason}) when the module was asked for its description`, { cause })
  }
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
