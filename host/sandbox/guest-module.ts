/**
 * A compiled module and the adapter for the one world. Each call gets a fresh instance over a memory
 * of the host's, cleared; nothing of an instance outlives its call. This and describe.ts are the only
 * files that instantiate guest code, and they know nothing of SQL: a table is six functions on bytes.
 *
 *   lower    context, handles and arguments are written where the guest's own allocator says
 *   run      the guest's `call`; its imports find the running call in #running
 *   lift     the result is read where the guest says, every pointer checked, and copied out
 *
 * The module must have been through host/module/rewrite: fuel and depth end it, and the host can tell.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { DOOR_EXPORT, HOST_IMPORTS, MEMORY_IMPORT, readMeterFacts } from './door.ts'
import type { Door, MeterFacts } from './door.ts'
import { bytesPrice, changedRowPrice, countedRowPrice, rowPrice, tablePrice } from './fuel-schedule.ts'
import type { GuestTable } from './handle-table.ts'
import { MemoryPool } from './memory-pool.ts'
import type { MemoryShape } from './memory-pool.ts'
import { depthError, Meter } from './meter.ts'
import type { CallLimits } from './meter.ts'
import { RunningCall } from './running-call.ts'
import type { LiftedResult } from './running-call.ts'

export interface GuestCall {
  /** The reducer's number in the module description. */
  readonly reducer: number
  readonly context: Uint8Array
  readonly tables: readonly GuestTable[]
  /** Of the call's handles (handle-table.ts); drawn when left out. */
  readonly handleTag?: number
  readonly args: Uint8Array
  readonly limits: CallLimits
  /** `level` is the position in the WIT enum: debug, info, warn, error. */
  log(level: number, message: string): void
}

/**
 * `ok` carries the packed result, `failed` the module's own message for its caller, `trapped` what ended
 * the call against its will: a trap, a limit, or what a table refused.
 */
export type GuestOutcome = (LiftedResult | { readonly kind: 'trapped'; readonly error: HostError }) & {
  /** Units burnt. Only the sandbox counts them; another implementation of the world need not. */
  readonly fuel?: number
}

/** Ends the call from inside a host import, past every frame of the guest. */
class GuestFailure extends Error {}

/** One for a thread: calls run one after another, so that a memory or two serve all its modules. */
const memories = new MemoryPool()

export class GuestModule {
  readonly #module: WebAssembly.Module
  readonly #facts: MeterFacts
  readonly #meter = new Meter()
  readonly #hostImports: WebAssembly.ModuleImports = { ...this.#meter.imports }
  readonly #imports: WebAssembly.Imports
  #running: RunningCall | undefined

  private constructor(module: WebAssembly.Module) {
    this.#module = module
    this.#facts = readMeterFacts(module)
    this.#imports = this.#makeImports()
  }

  /** Compiles off the calling thread: calls of other modules go on meanwhile. */
  static async compile(rewritten: Uint8Array): Promise<GuestModule> {
    return new GuestModule(await WebAssembly.compile(new Uint8Array(rewritten)))
  }

  /** Which prices the module was built with. */
  get fuelSchedule(): number {
    return this.#facts.fuelSchedule
  }

  /**
   * Runs one reducer in a fresh instance. What the guest, its tables or its limits refused is an outcome.
   *
   * @throws HostError ERR_BUSY without a memory for it, ERR_CALL_TRAPPED from inside a call of the same module.
   */
  run(call: GuestCall): GuestOutcome {
    if (this.#running !== undefined) throw new HostError('ERR_CALL_TRAPPED', 'a module cannot be called from inside its own call')
    const shape = this.#memoryShape(call.limits)
    const memory = memories.acquire(shape)
    this.#running = new RunningCall(call, memory, this.#meter)
    try {
      return { ...this.#enter(this.#running, memory), fuel: this.#meter.burnt }
    } catch (error) {
      return { ...this.#outcome(error), fuel: this.#meter.burnt }
    } finally {
      this.#running = undefined
      memories.release(memory, shape)
    }
  }

  #memoryShape({ memoryPages }: CallLimits): MemoryShape {
    const { memoryPagesMin, memoryPagesMax } = this.#facts
    if (memoryPagesMin > memoryPages) {
      throw new HostError('ERR_CALL_LIMIT', `the module starts with ${memoryPagesMin} pages of memory, a call may have ${memoryPages}`)
    }
    return { initial: memoryPagesMin, maximum: Math.min(memoryPagesMax, memoryPages) }
  }

  #enter(running: RunningCall, memory: WebAssembly.Memory): LiftedResult {
    const { context, args, tables } = running.call
    this.#meter.start(running.call.limits, this.#facts.instanceFuel + bytesPrice(context.length + args.length + tables.length * 4))
    this.#hostImports[MEMORY_IMPORT] = memory
    const { exports } = new WebAssembly.Instance(this.#module, this.#imports)
    // The rewriter wrote this export and its type.
    return running.run(exports[DOOR_EXPORT] as Door)
  }

  #outcome(error: unknown): Exclude<GuestOutcome, { kind: 'ok' }> {
    if (error instanceof GuestFailure) return { kind: 'failed', message: error.message }
    if (error instanceof HostError) return { kind: 'trapped', error }
    const trap = this.#meter.trapCause(error) ?? trapError(error)
    if (trap === undefined) throw error
    return { kind: 'trapped', error: trap }
  }

  #makeImports(): WebAssembly.Imports {
    const imports: WebAssembly.Imports = Object.create(null)
    imports[HOST_IMPORTS] = this.#hostImports
    imports['remembrancer:module/tables@1.0.0'] = this.#tableImports()
    imports['remembrancer:module/log@1.0.0'] = {
      write: (level: number, pointer: number, size: number): void => {
        const running = this.#enterHost()
        if (level >>> 0 > 3) throw new HostError('ERR_CALL_TRAPPED', 'the module used a log level that is none')
        const message = running.message(pointer, size, limits.logMessageBytesMax)
        this.#meter.charge(bytesPrice(size >>> 0))
        running.call.log(level, message)
      },
    }
    imports['remembrancer:module/outcome@1.0.0'] = {
      fail: (pointer: number, size: number): void => {
        throw new GuestFailure(this.#enterHost().message(pointer, size, limits.failMessageBytesMax))
      },
    }
    return imports
  }

  /** The rewriter charges for calling the host; what went in, came out and was touched is charged here. */
  #tableImports(): WebAssembly.ModuleImports {
    const rows =
      (method: (table: GuestTable, input: Uint8Array) => Uint8Array, rowsPrice: (input: Uint8Array, answer: Uint8Array) => number) =>
      (handle: number, pointer: number, size: number, area: number): void => {
        const running = this.#enterHost()
        const input = running.view(pointer, size)
        const answer = method(running.handles.table(handle), input)
        this.#meter.charge(tablePrice + bytesPrice(input.length + answer.length) + rowsPrice(input, answer))
        running.returnList(area, answer)
      }
    const changes =
      (method: (table: GuestTable, input: Uint8Array) => number) =>
      (handle: number, pointer: number, size: number): number => {
        const running = this.#enterHost()
        const input = running.view(pointer, size)
        const changed = method(running.handles.table(handle), input)
        this.#meter.charge(tablePrice + bytesPrice(input.length) + changedRowPrice * rowCount(input))
        return changed
      }
    return {
      '[method]table.get': rows(
        (table, key) => table.get(key),
        (_key, answer) => rowPrice * rowCount(answer),
      ),
      '[method]table.scan': rows(
        (table, scan) => table.scan(scan),
        (_scan, answer) => rowPrice * rowCount(answer),
      ),
      '[method]table.count': (handle: number, pointer: number, size: number): bigint => {
        const running = this.#enterHost()
        const count = running.handles.table(handle).count(running.view(pointer, size))
        this.#meter.charge(tablePrice + bytesPrice(size) + countedRowPrice * Number(count))
        return count
      },
      '[method]table.insert': rows(
        (table, input) => table.insert(input),
        (input) => changedRowPrice * rowCount(input),
      ),
      '[method]table.update': changes((table, input) => table.update(input)),
      '[method]table.delete': changes((table, keys) => table.delete(keys)),
      '[resource-drop]table': (handle: number): void => this.#enterHost().handles.drop(handle),
    }
  }

  /** The call that an import belongs to: none outside `call`, and none inside the allocator. */
  #enterHost(): RunningCall {
    if (this.#running === undefined) throw new HostError('ERR_CALL_TRAPPED', 'the module called the host outside a call')
    return this.#running.enterHost()
  }
}

/** A batch, and a list of keys, begins with the number of its rows. */
function rowCount(batch: Uint8Array): number {
  return batch.length < 4 ? 0 : new DataView(batch.buffer, batch.byteOffset, 4).getUint32(0, true)
}

/** Undefined for what no guest can cause. */
function trapError(cause: unknown): HostError | undefined {
  // The rewriter's own count ends a recursion long before V8 does: this is for a stack that was full already.
  if (cause instanceof RangeError && /call stack/i.test(cause.message)) return depthError(cause)
  if (cause instanceof RangeError) return new HostError('ERR_BUSY', 'no memory for another instance at the moment: try again', { cause })
  if (cause instanceof WebAssembly.RuntimeError) {
    return new HostError('ERR_CALL_TRAPPED', `the module trapped (${cause.message}): everything of the call was undone`, { cause })
  }
  return undefined
}
