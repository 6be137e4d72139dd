/**
 * One reducer of a module without a database behind it: its tables accept everything and store
 * nothing, so that what is left is the instance, the crossing and the guest's own code.
 */
import { buildModule } from '../host/module/build.ts'
import { Gate } from '../host/module/gate.ts'
import { packContext } from '../host/reducer/call-context.ts'
import { PackedWriter } from '../host/packed-bytes.ts'
import { DOOR, DOOR_EXPORT, HOST_IMPORTS, MEMORY_IMPORT, readMeterFacts } from '../host/sandbox/door.ts'
import type { Door } from '../host/sandbox/door.ts'
import { GuestModule } from '../host/sandbox/guest-module.ts'
import type { GuestTable } from '../host/sandbox/handle-table.ts'
import { CALL_LIMITS, Meter } from '../host/sandbox/meter.ts'
import { parseDescription } from '../host/schema/description.ts'

export interface GuestBench {
  /** An instance over a memory that is there already, and nothing else. */
  instantiate(): unknown
  /** The adapter's way: an instance for this call alone, over a cleared memory. */
  fresh(): unknown
  /** The adapter's other way: the instance of the call before, made as new. */
  reset(): unknown
  /** The unsafe floor: the same instance again, with all that earlier calls left in it. */
  reused(): unknown
}

/** The bump allocator of a reused instance never frees: it is replaced before it has grown much. */
const callsPerReusedInstance = 2_000

export async function guestBench(folder: string, reducerName: string): Promise<GuestBench> {
  const { component } = await buildModule(folder, { optimize: true })
  await using gate = new Gate()
  const { core, description } = await gate.check(component)
  const [freshGuest, resetGuest] = [await GuestModule.compile(core, 'fresh'), await GuestModule.compile(core, 'reset')]
  const bare = new BareModule(await WebAssembly.compile(new Uint8Array(core)))
  const reducer = parseDescription(description).reducers.findIndex((one) => one.name === reducerName)
  const context = packedContext()
  const args = new PackedWriter()
  args.string('the water is in the basement')
  const call = { reducer, context, tables: [new AcceptingTable()], args: args.view(), limits: CALL_LIMITS, log: () => undefined }

  let callsLeft = 0
  return {
    instantiate: () => bare.instantiate(),
    fresh: () => freshGuest.run(call),
    reset: () => resetGuest.run(call),
    reused: () => {
      if (callsLeft-- === 0) {
        bare.replace()
        callsLeft = callsPerReusedInstance
      }
      return bare.call(reducer, context, args.view())
    },
  }
}

const ids = new Uint8Array(8)

/** The rewritten module without the adapter around it: nothing is checked and nothing is cleared. */
class BareModule {
  readonly #module: WebAssembly.Module
  readonly #meter = new Meter()
  readonly #imports: WebAssembly.Imports
  #memory: WebAssembly.Memory
  #door: Door

  constructor(module: WebAssembly.Module) {
    this.#module = module
    this.#memory = this.#newMemory()
    this.#imports = this.#makeImports()
    this.#door = this.#started()
  }

  instantiate(): Door {
    return new WebAssembly.Instance(this.#module, this.#imports).exports[DOOR_EXPORT] as Door
  }

  replace(): void {
    this.#memory = this.#newMemory()
    Object.assign(this.#imports[HOST_IMPORTS] ?? {}, { [MEMORY_IMPORT]: this.#memory })
    this.#door = this.#started()
  }

  #started(): Door {
    const door = this.instantiate()
    door(DOOR._initialize)
    return door
  }

  call(reducer: number, context: Uint8Array, args: Uint8Array): number {
    this.#meter.start(CALL_LIMITS, 0)
    const contextAt = this.#copyIn(context)
    const handlesAt = this.#copyIn(new Uint8Array(4))
    return this.#door(DOOR.call, reducer, contextAt, context.length, handlesAt, 1, this.#copyIn(args), args.length)
  }

  #newMemory(): WebAssembly.Memory {
    return new WebAssembly.Memory({ initial: readMeterFacts(this.#module).memoryPagesMin, maximum: CALL_LIMITS.memoryPages })
  }

  #copyIn(bytes: Uint8Array): number {
    const pointer = this.#door(DOOR.cabi_realloc, 0, 0, 4, bytes.length)
    new Uint8Array(this.#memory.buffer, pointer, bytes.length).set(bytes)
    return pointer
  }

  #makeImports(): WebAssembly.Imports {
    const answer = (_handle: number, _pointer: number, _size: number, area: number): void => {
      const pointer = this.#copyIn(ids)
      const words = new DataView(this.#memory.buffer)
      words.setUint32(area, pointer, true)
      words.setUint32(area + 4, ids.length, true)
    }
    const nothing = (): void => undefined
    return {
      [HOST_IMPORTS]: { ...this.#meter.imports, [MEMORY_IMPORT]: this.#memory },
      'remembrancer:module/tables@1.0.0': {
        '[method]table.get': answer,
        '[method]table.scan': answer,
        '[method]table.insert': answer,
        '[method]table.count': () => 0n,
        '[method]table.update': () => 0,
        '[method]table.delete': () => 0,
      },
      'remembrancer:module/log@1.0.0': { write: nothing },
      'remembrancer:module/outcome@1.0.0': { fail: nothing },
    }
  }
}

function packedContext(): Uint8Array {
  const writer = new PackedWriter()
  const sender = new Uint8Array(32).fill(1)
  packContext(writer, { sender, actor: sender, assurance: 'signed', channel: 'process', claims: {}, timestamp: 0n, seed: [1n, 2n] })
  return writer.toBytes()
}

class AcceptingTable implements GuestTable {
  get(): Uint8Array {
    return ids
  }
  scan(): Uint8Array {
    return ids
  }
  count(): bigint {
    return 0n
  }
  insert(): Uint8Array {
    return ids
  }
  update(): number {
    return 0
  }
  delete(): number {
    return 0
  }
}
