/**
 * One reducer of a module without a database behind it: its tables accept everything and store
 * nothing, so that what is left is the instance, the crossing and the guest's own code.
 */
import { buildModule } from '../host/module/build.ts'
import { Gate } from '../host/module/gate.ts'
import { packContext } from '../host/reducer/call-context.ts'
import { PackedWriter } from '../host/row-codec.ts'
import { GuestModule } from '../host/sandbox/guest-module.ts'
import type { GuestTable } from '../host/sandbox/handle-table.ts'
import { CALL_LIMITS } from '../host/sandbox/meter.ts'
import { parseDescription } from '../host/schema/description.ts'

export interface GuestBench {
  /** An instance and nothing else. */
  instantiate(): unknown
  /** The adapter's way: an instance for this call alone. */
  fresh(): unknown
  /** The unsafe floor: the same instance again, with all that earlier calls left in it. */
  reused(): unknown
}

/** The bump allocator of a reused instance never frees: it is replaced before it has grown much. */
const callsPerReusedInstance = 2_000

export async function guestBench(folder: string, reducerName: string): Promise<GuestBench> {
  const { component } = await buildModule(folder, { optimize: true })
  await using gate = new Gate()
  const { core, source, description } = await gate.check(component)
  const guest = await GuestModule.compile(core)
  const module = await WebAssembly.compile(new Uint8Array(source))
  const reducer = parseDescription(description).reducers.findIndex((one) => one.name === reducerName)
  const context = packedContext()
  const args = new PackedWriter()
  args.string('the water is in the basement')
  const tables = [new AcceptingTable()]

  let instance = bareInstance(module)
  let callsLeft = callsPerReusedInstance
  return {
    instantiate: () => bareInstance(module),
    fresh: () => guest.run({ reducer, context, tables, args: args.view(), limits: CALL_LIMITS, log: () => undefined }),
    reused: () => {
      if (callsLeft-- === 0) {
        instance = bareInstance(module)
        callsLeft = callsPerReusedInstance
      }
      return callDirectly(instance, reducer, context, args.view())
    },
  }
}

interface BareExports {
  readonly memory: WebAssembly.Memory
  cabi_realloc(old: number, oldSize: number, align: number, size: number): number
  call(...parameters: number[]): number
}

const ids = new Uint8Array(8)

function bareInstance(module: WebAssembly.Module): BareExports {
  const holder: { exports?: BareExports } = {}
  const answer = (_handle: number, _pointer: number, _size: number, area: number): void => {
    const guest = holder.exports as BareExports
    const pointer = copyIn(guest, ids)
    const words = new DataView(guest.memory.buffer)
    words.setUint32(area, pointer, true)
    words.setUint32(area + 4, ids.length, true)
  }
  const tables = {
    '[method]table.get': answer,
    '[method]table.scan': answer,
    '[method]table.insert': answer,
    '[method]table.count': () => 0n,
    '[method]table.update': () => 0,
    '[method]table.delete': () => 0,
  }
  const nothing = (): void => undefined
  const imports = {
    'remembrancer:module/tables@1.0.0': tables,
    'remembrancer:module/log@1.0.0': { write: nothing },
    'remembrancer:module/outcome@1.0.0': { fail: nothing },
  }
  const exports = new WebAssembly.Instance(module, imports).exports as unknown as BareExports
  holder.exports = exports
  return exports
}

function callDirectly(guest: BareExports, reducer: number, context: Uint8Array, args: Uint8Array): number {
  const contextAt = copyIn(guest, context)
  const handlesAt = copyIn(guest, new Uint8Array(4))
  return guest.call(reducer, contextAt, context.length, handlesAt, 1, copyIn(guest, args), args.length)
}

function copyIn(guest: BareExports, bytes: Uint8Array): number {
  const pointer = guest.cabi_realloc(0, 0, 4, bytes.length)
  new Uint8Array(guest.memory.buffer, pointer, bytes.length).set(bytes)
  return pointer
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
