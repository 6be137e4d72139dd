/**
 * A compiled module and the adapter for the one world. Each call gets an instance over a memory of the
 * host's, cleared: a fresh one, or, where the operator chose so, the one of the call before, made as new
 * by the module's own start (docs/decisions/0003-reset-instances.md). This and describe.ts are the only
 * files that instantiate guest code, and they know nothing of SQL: a table is six functions on bytes.
 *
 *   lower    context, handles and arguments are written where the guest's own allocator says
 *   run      the guest's `call`; its imports find the running call in #running
 *   lift     the result is read where the guest says, every pointer checked, and copied out
 *
 * The module must have been through host/module/rewrite: fuel and depth end it, and the host can tell.
 */
import { HostError } from '../errors.ts'
import { thrownEnd } from './call-end.ts'
import type { ThrownEnd } from './call-end.ts'
import { DOOR_EXPORT, HOST_IMPORTS, MEMORY_IMPORT, readMeterFacts } from './door.ts'
import type { Door, MeterFacts } from './door.ts'
import { bytesPrice } from './fuel-schedule.ts'
import type { GuestMemory, MemoryShape } from './guest-memory.ts'
import type { GuestTable } from './handle-table.ts'
import type { InstanceMode } from './instance-mode.ts'
import { InstancePool } from './instance-pool.ts'
import type { GuestInstance } from './instance-pool.ts'
import { MemoryPool } from './memory-pool.ts'
import { Meter } from './meter.ts'
import type { CallLimits } from './meter.ts'
import { RunningCall } from './running-call.ts'
import type { LiftedResult } from './running-call.ts'
import { worldImports } from './world-imports.ts'

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
export type GuestOutcome = (LiftedResult | ThrownEnd) & {
  /** Units burnt. Only the sandbox counts them; another implementation of the world need not. */
  readonly fuel?: number
}

/** For a thread: calls run one after another, so that a memory or two serve all its fresh instances. */
const memories = new MemoryPool()
const instances = new InstancePool(memories)

export class GuestModule {
  readonly #module: WebAssembly.Module
  readonly #facts: MeterFacts
  readonly #isReset: boolean
  readonly #meter = new Meter()
  readonly #hostImports: WebAssembly.ModuleImports = { ...this.#meter.imports }
  readonly #imports: WebAssembly.Imports
  #running: RunningCall | undefined
  #instancesMade = 0

  private constructor(module: WebAssembly.Module, mode: InstanceMode) {
    this.#module = module
    this.#facts = readMeterFacts(module)
    this.#isReset = mode === 'reset' && this.#facts.startsAnew
    this.#imports = Object.assign(
      Object.create(null),
      worldImports(() => this.#enterHost(), this.#meter),
      { [HOST_IMPORTS]: this.#hostImports },
    )
  }

  /** Compiles off the calling thread: calls of other modules go on meanwhile. */
  static async compile(rewritten: Uint8Array, mode: InstanceMode = 'fresh'): Promise<GuestModule> {
    return new GuestModule(await WebAssembly.compile(new Uint8Array(rewritten)), mode)
  }

  /** Which prices the module was built with. */
  get fuelSchedule(): number {
    return this.#facts.fuelSchedule
  }

  /** One for each call so far, or fewer where they are reset. */
  get instancesMade(): number {
    return this.#instancesMade
  }

  /**
   * Runs one reducer. What the guest, its tables or its limits refused is an outcome.
   *
   * @throws HostError ERR_BUSY without a memory for it, ERR_CALL_TRAPPED from inside a call of the same module.
   */
  run(call: GuestCall): GuestOutcome {
    if (this.#running !== undefined) throw new HostError('ERR_CALL_TRAPPED', 'a module cannot be called from inside its own call')
    const instance = this.#takeInstance(this.#memoryShape(call.limits))
    this.#running = new RunningCall(call, instance.memory, this.#meter)
    let isGood = false
    try {
      const lifted = this.#enter(this.#running, instance)
      isGood = lifted.kind === 'ok'
      return { ...lifted, fuel: this.#meter.burnt }
    } catch (error) {
      return { ...thrownEnd(error, this.#meter), fuel: this.#meter.burnt }
    } finally {
      this.#running = undefined
      this.#giveBack(instance, isGood)
    }
  }

  /** Nothing of it is kept for a next call. */
  close(): void {
    instances.giveUp(this)
  }

  #memoryShape({ memoryPages }: CallLimits): MemoryShape {
    const { memoryPagesMin, memoryPagesMax } = this.#facts
    if (memoryPagesMin > memoryPages) {
      throw new HostError('ERR_CALL_LIMIT', `the module starts with ${memoryPagesMin} pages of memory, a call may have ${memoryPages}`)
    }
    return { initial: memoryPagesMin, maximum: Math.min(memoryPagesMax, memoryPages) }
  }

  #takeInstance(shape: MemoryShape): GuestInstance {
    const kept = this.#isReset ? instances.take(this, shape) : undefined
    return kept ?? { memory: memories.acquire(shape), door: undefined }
  }

  /** After anything but a good end the instance is thrown away, and so is one whose memory grew. */
  #giveBack(instance: GuestInstance, isGood: boolean): void {
    if (this.#isReset && isGood && !instance.memory.hasGrown) instances.keep(this, instance)
    else memories.release(instance.memory)
  }

  #enter(running: RunningCall, instance: GuestInstance): LiftedResult {
    const { context, args, tables, limits } = running.call
    this.#meter.start(limits, this.#facts.instanceFuel + bytesPrice(context.length + args.length + tables.length * 4))
    instance.door ??= this.#instantiate(instance.memory)
    return running.run(instance.door)
  }

  #instantiate({ memory }: GuestMemory): Door {
    this.#instancesMade += 1
    this.#hostImports[MEMORY_IMPORT] = memory
    const { exports } = new WebAssembly.Instance(this.#module, this.#imports)
    // The rewriter wrote this export and its type.
    return exports[DOOR_EXPORT] as Door
  }

  /** The call that an import belongs to: none outside `call`, and none inside the allocator. */
  #enterHost(): RunningCall {
    if (this.#running === undefined) throw new HostError('ERR_CALL_TRAPPED', 'the module called the host outside a call')
    return this.#running.enterHost()
  }
}
