/**
 * One call while it runs: what stands between the guest's numbers and the host's bytes. Every pointer,
 * length and text is checked here, never clamped or replaced, and everything that moves is paid for.
 */
import { isUtf8 } from 'node:buffer'

import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { DOOR } from './door.ts'
import type { Door } from './door.ts'
import { bytesPrice } from './fuel-schedule.ts'
import type { GuestMemory } from './guest-memory.ts'
import type { GuestCall } from './guest-module.ts'
import { HandleTable } from './handle-table.ts'
import type { Meter } from './meter.ts'

export type LiftedResult = { readonly kind: 'ok'; readonly result: Uint8Array } | { readonly kind: 'failed'; readonly message: string }

export class RunningCall {
  readonly call: GuestCall
  readonly handles: HandleTable
  readonly #memory: GuestMemory
  readonly #meter: Meter
  #door: Door | undefined
  /** Clear while the guest's start, allocator or post-return runs for us: they may call nothing. */
  #mayCall = false

  constructor(call: GuestCall, memory: GuestMemory, meter: Meter) {
    this.call = call
    this.handles = new HandleTable(call.tables, call.handleTag)
    this.#memory = memory
    this.#meter = meter
  }

  /** The whole of the call, once there is an instance. */
  run(door: Door): LiftedResult {
    this.#door = door
    door(DOOR._initialize)
    const { context, args, reducer } = this.call
    const contextAt = this.#lower(context, 1)
    const handlesAt = this.#lowerHandles()
    const argsAt = this.#lower(args, 1)
    this.#mayCall = true
    const area = door(DOOR.call, reducer, contextAt, context.length, handlesAt, this.handles.count, argsAt, args.length)
    this.#mayCall = false
    const lifted = this.#lift(area)
    door(DOOR.cabi_post_call, area)
    return lifted
  }

  /** @throws HostError ERR_CALL_TRAPPED where the guest may not call the host. */
  enterHost(): this {
    if (this.#mayCall) return this
    throw new HostError('ERR_CALL_TRAPPED', 'the module called the host from its start, its allocator or its post-return')
  }

  /** A view of guest memory, valid until the guest runs again. */
  view(pointer: number, size: number): Uint8Array {
    return new Uint8Array(this.#memory.bytes.buffer, this.#placeOf(pointer, size), size >>> 0)
  }

  /** A message that is too long is cut: it is for people, and refusing it would hide what it says. */
  message(pointer: number, size: number, sizeBytesMax: number): string {
    const bytes = this.view(pointer, size)
    return messageText(bytes.length <= sizeBytesMax ? bytes : withoutCutSequence(bytes.subarray(0, sizeBytesMax)))
  }

  /** Gives a list back to the guest: allocated by it, its pointer and length written to the return area. */
  returnList(area: number, bytes: Uint8Array): void {
    const pointer = this.#lower(bytes, 1)
    const place = this.#placeOf(area, 8)
    if (place % 4 !== 0) throw new HostError('ERR_CALL_TRAPPED', 'the return area is not aligned')
    const { words } = this.#memory
    words.setUint32(place, pointer, true)
    words.setUint32(place + 4, bytes.length, true)
  }

  /** Copies bytes to where the guest's allocator says; an empty list needs no memory. */
  #lower(bytes: Uint8Array, align: number): number {
    if (bytes.length === 0) return align
    const place = this.#allocate(bytes.length, align)
    this.#memory.bytes.set(bytes, place)
    return place
  }

  #lowerHandles(): number {
    const { count } = this.handles
    if (count === 0) return 4
    const place = this.#allocate(count * 4, 4)
    const { words } = this.#memory
    for (let index = 0; index < count; index += 1) words.setUint32(place + index * 4, this.handles.handle(index), true)
    return place
  }

  #allocate(size: number, align: number): number {
    if (this.#door === undefined) throw new HostError('ERR_CALL_TRAPPED', 'the module called the host before it was started')
    const mayCall = this.#mayCall
    this.#mayCall = false
    const pointer = this.#door(DOOR.cabi_realloc, 0, 0, align, size) >>> 0
    this.#mayCall = mayCall
    if (pointer % align !== 0) throw new HostError('ERR_CALL_TRAPPED', `the module's allocator gave ${pointer}, which is not aligned to ${align}`)
    return this.#placeOf(pointer, size)
  }

  /** Where so many bytes begin that are all inside the memory as it is now. */
  #placeOf(pointer: number, size: number): number {
    const place = pointer >>> 0
    const length = size >>> 0
    const { bytes } = this.#memory
    if (place + length > bytes.length) {
      throw new HostError('ERR_CALL_TRAPPED', `the module named ${length} bytes at ${place} of a memory of ${bytes.length}`)
    }
    return place
  }

  /** Reads result<list<u8>, list<u8>> out of the guest's return area. */
  #lift(area: number): LiftedResult {
    const place = this.#placeOf(area, 12)
    if (place % 4 !== 0) throw new HostError('ERR_RESULT_MALFORMED', 'the return area is not aligned')
    const { words } = this.#memory
    const kind = words.getUint8(place)
    const pointer = words.getUint32(place + 4, true)
    const size = words.getUint32(place + 8, true)
    if (kind > 1) throw new HostError('ERR_RESULT_MALFORMED', `a result is 0 or 1, not ${kind}`)
    if (kind === 1) return { kind: 'failed', message: this.message(pointer, size, limits.failMessageBytesMax) }
    if (size > limits.resultSizeBytesMax)
      throw new HostError('ERR_RESULT_TOO_LARGE', `the result is ${size} bytes, at most ${limits.resultSizeBytesMax}: return fewer rows`)
    const start = this.#placeOf(pointer, size)
    const result = this.#memory.bytes.slice(start, start + size)
    this.#meter.charge(bytesPrice(size))
    return { kind: 'ok', result }
  }
}

function messageText(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new HostError('ERR_CALL_TRAPPED', 'the module gave a message that is not UTF-8')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
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
