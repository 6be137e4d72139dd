/**
 * A compiled module and the adapter for the one world. Each call gets a fresh instance; nothing of
 * an instance outlives its call. This is the only file that instantiates guest code, and it knows
 * nothing of SQL: a table is six functions on bytes.
 *
 *   lower    context, handles and arguments are written where the guest's own allocator says
 *   run      the core export `call`; its imports find the running call in #running
 *   lift     the result is read where the guest says, every pointer checked, and copied out
 */
import { isUtf8 } from 'node:buffer'

import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { HandleTable } from './handle-table.ts'
import type { GuestTable } from './handle-table.ts'

export interface GuestCall {
  /** The reducer's number in the module description. */
  readonly reducer: number
  readonly context: Uint8Array
  readonly tables: readonly GuestTable[]
  readonly args: Uint8Array
  /** `level` is the position in the WIT enum: debug, info, warn, error. */
  log(level: number, message: string): void
}

/** `ok` carries the packed result, `failed` the module's own message for its caller. */
export type GuestOutcome =
  | { readonly kind: 'ok'; readonly result: Uint8Array }
  | { readonly kind: 'failed'; readonly message: string }

interface GuestExports {
  readonly memory: WebAssembly.Memory
  readonly cabi_realloc: (old: number, oldSize: number, align: number, size: number) => number
  readonly call: (reducer: number, context: number, contextSize: number, tables: number, tableCount: number, args: number, argsSize: number) => number
  readonly cabi_post_call?: (area: number) => void
  readonly _initialize?: () => void
}

/** Ends the call from inside a host import, past every frame of the guest. */
class GuestFailure extends Error {}

interface RunningCall {
  readonly call: GuestCall
  readonly handles: HandleTable
  exports: GuestExports | undefined
  /** Clear while the guest's start, allocator or post-return runs for us: they may call nothing. */
  mayCall: boolean
}

export class GuestModule {
  readonly #module: WebAssembly.Module
  readonly #imports: WebAssembly.Imports
  #running: RunningCall | undefined

  private constructor(module: WebAssembly.Module) {
    this.#module = module
    this.#imports = this.#makeImports()
  }

  /** Compiles off the calling thread: calls of other modules go on meanwhile. The gate has checked `core`. */
  static async compile(core: Uint8Array): Promise<GuestModule> {
    return new GuestModule(await WebAssembly.compile(new Uint8Array(core)))
  }

  /**
   * Runs one reducer in a fresh instance.
   *
   * @throws HostError what a host import refused, ERR_CALL_TRAPPED, ERR_CALL_DEPTH, ERR_RESULT_*.
   */
  run(call: GuestCall): GuestOutcome {
    if (this.#running !== undefined) throw new HostError('ERR_CALL_TRAPPED', 'a module cannot be called from inside its own call')
    const running: RunningCall = { call, handles: new HandleTable(call.tables), exports: undefined, mayCall: false }
    this.#running = running
    try {
      return this.#enter(running)
    } catch (error) {
      if (error instanceof GuestFailure) return { kind: 'failed', message: error.message }
      throw trapError(error)
    } finally {
      this.#running = undefined
    }
  }

  #enter(running: RunningCall): GuestOutcome {
    const instance = new WebAssembly.Instance(this.#module, this.#imports)
    // The gate compared every export with the world's signatures.
    const guest = instance.exports as unknown as GuestExports
    running.exports = guest
    guest._initialize?.()
    const { context, args, reducer } = running.call
    const handles = running.handles.handles()
    const contextAt = lower(running, context, 1)
    const handlesAt = lower(running, new Uint8Array(handles.buffer), 4)
    const argsAt = lower(running, args, 1)
    running.mayCall = true
    const area = guest.call(reducer, contextAt, context.length, handlesAt, handles.length, argsAt, args.length)
    running.mayCall = false
    const outcome = lift(guest, area)
    guest.cabi_post_call?.(area)
    return outcome
  }

  #makeImports(): WebAssembly.Imports {
    const imports: WebAssembly.Imports = Object.create(null)
    imports['remembrancer:module/tables@1.0.0'] = this.#tableImports()
    imports['remembrancer:module/log@1.0.0'] = {
      write: (level: number, pointer: number, size: number): void => {
        const running = this.#enterHost()
        if (level >>> 0 > 3) throw new HostError('ERR_CALL_TRAPPED', 'the module used a log level that is none')
        running.call.log(level, liftMessage(running, pointer, size, limits.logMessageBytesMax))
      },
    }
    imports['remembrancer:module/outcome@1.0.0'] = {
      fail: (pointer: number, size: number): void => {
        throw new GuestFailure(liftMessage(this.#enterHost(), pointer, size, limits.failMessageBytesMax))
      },
    }
    return imports
  }

  #tableImports(): WebAssembly.ModuleImports {
    const bytes = (method: (table: GuestTable, input: Uint8Array) => Uint8Array) =>
      (handle: number, pointer: number, size: number, area: number): void => {
        const running = this.#enterHost()
        const answer = method(running.handles.table(handle), view(running, pointer, size))
        returnList(running, area, answer)
      }
    const number = <N extends number | bigint>(method: (table: GuestTable, input: Uint8Array) => N) =>
      (handle: number, pointer: number, size: number): N => {
        const running = this.#enterHost()
        return method(running.handles.table(handle), view(running, pointer, size))
      }
    return {
      '[method]table.get': bytes((table, key) => table.get(key)),
      '[method]table.scan': bytes((table, scan) => table.scan(scan)),
      '[method]table.count': number((table, scan) => table.count(scan)),
      '[method]table.insert': bytes((table, rows) => table.insert(rows)),
      '[method]table.update': number((table, rows) => table.update(rows)),
      '[method]table.delete': number((table, keys) => table.delete(keys)),
      '[resource-drop]table': (handle: number): void => this.#enterHost().handles.drop(handle),
    }
  }

  /** The call that an import belongs to: none outside `call`, and none inside the allocator. */
  #enterHost(): RunningCall {
    const running = this.#running
    if (running === undefined) throw new HostError('ERR_CALL_TRAPPED', 'the module called the host outside a call')
    if (!running.mayCall) throw new HostError('ERR_CALL_TRAPPED', 'the module called the host from its start, its allocator or its post-return')
    return running
  }
}

/** A view of guest memory, valid until the guest runs again. Checked, never clamped. */
function view(running: RunningCall, pointer: number, size: number): Uint8Array {
  if (running.exports === undefined) throw new HostError('ERR_CALL_TRAPPED', 'the module called the host before it was started')
  return memoryView(running.exports, pointer, size)
}

function memoryView(guest: GuestExports, pointer: number, size: number): Uint8Array {
  const start = pointer >>> 0
  const length = size >>> 0
  const buffer = guest.memory.buffer
  if (start + length > buffer.byteLength) {
    throw new HostError('ERR_CALL_TRAPPED', `the module named ${length} bytes at ${start} of a memory of ${buffer.byteLength}`)
  }
  return new Uint8Array(buffer, start, length)
}

/** Copies bytes to where the guest's allocator says; an empty list needs no memory. */
function lower(running: RunningCall, bytes: Uint8Array, align: number): number {
  if (bytes.length === 0) return align
  const guest = running.exports
  if (guest === undefined) throw new HostError('ERR_CALL_TRAPPED', 'the module has no memory yet')
  const { mayCall } = running
  running.mayCall = false
  const pointer = guest.cabi_realloc(0, 0, align, bytes.length) >>> 0
  running.mayCall = mayCall
  if (pointer % align !== 0) throw new HostError('ERR_CALL_TRAPPED', `the module's allocator gave ${pointer}, which is not aligned to ${align}`)
  memoryView(guest, pointer, bytes.length).set(bytes)
  return pointer
}

/** Gives a list back to the guest: allocated by it, its pointer and length written to the return area. */
function returnList(running: RunningCall, area: number, bytes: Uint8Array): void {
  const pointer = lower(running, bytes, 1)
  const target = view(running, area, 8)
  if (area % 4 !== 0) throw new HostError('ERR_CALL_TRAPPED', 'the return area is not aligned')
  const words = new DataView(target.buffer, target.byteOffset, 8)
  words.setUint32(0, pointer, true)
  words.setUint32(4, bytes.length, true)
}

/** Reads result<list<u8>, list<u8>> out of the guest's return area. */
function lift(guest: GuestExports, area: number): GuestOutcome {
  const head = memoryView(guest, area, 12)
  if (area % 4 !== 0) throw new HostError('ERR_RESULT_MALFORMED', 'the return area is not aligned')
  const words = new DataView(head.buffer, head.byteOffset, 12)
  const kind = words.getUint8(0)
  const pointer = words.getUint32(4, true)
  const size = words.getUint32(8, true)
  if (kind > 1) throw new HostError('ERR_RESULT_MALFORMED', `a result is 0 or 1, not ${kind}`)
  if (kind === 1) return { kind: 'failed', message: messageText(memoryView(guest, pointer, size).subarray(0, limits.failMessageBytesMax)) }
  if (size > limits.resultSizeBytesMax) throw new HostError('ERR_RESULT_TOO_LARGE', `the result is ${size} bytes, at most ${limits.resultSizeBytesMax}: return fewer rows`)
  return { kind: 'ok', result: new Uint8Array(memoryView(guest, pointer, size)) }
}

/** A message that is too long is cut: it is for people, and refusing it would hide what it says. */
function liftMessage(running: RunningCall, pointer: number, size: number, sizeBytesMax: number): string {
  return messageText(view(running, pointer, size).subarray(0, sizeBytesMax))
}

function messageText(bytes: Uint8Array): string {
  const whole = withoutCutSequence(bytes)
  if (!isUtf8(whole)) throw new HostError('ERR_CALL_TRAPPED', 'the module gave a message that is not UTF-8')
  return Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).toString('utf8')
}

/** Takes back the beginning of a UTF-8 sequence that a cut went through. */
function withoutCutSequence(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return bytes
    if (byte >= 0xc0) {
      const expected = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return expected > back ? bytes.subarray(0, bytes.length - back) : bytes
    }
  }
  return bytes
}

function trapError(error: unknown): unknown {
  if (error instanceof HostError) return error
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    return new HostError('ERR_CALL_DEPTH', 'the module recursed too deep: everything of the call was undone', { cause: error })
  }
  if (error instanceof WebAssembly.RuntimeError) {
    return new HostError('ERR_CALL_TRAPPED', `the module trapped (${error.message}): everything of the call was undone`, { cause: error })
  }
  if (error instanceof RangeError && /memory/i.test(error.message)) {
    return new HostError('ERR_BUSY', 'no memory for another instance at the moment: try again', { cause: error })
  }
  return error
}
