/** Guests in wat, rewritten and run through the adapter, with what a test wants to vary. */
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'

import { rewriteCore } from '../../host/module/rewrite/rewrite.ts'
import { GuestModule } from '../../host/sandbox/guest-module.ts'
import type { GuestCall, GuestOutcome } from '../../host/sandbox/guest-module.ts'
import type { InstanceMode } from '../../host/sandbox/instance-mode.ts'
import { CALL_LIMITS } from '../../host/sandbox/meter.ts'
import type { CallLimits } from '../../host/sandbox/meter.ts'

export interface GuestParts {
  /** Instructions of `call`: $reducer is its first parameter. They may leave nothing; the area 64 is returned. */
  readonly call: string
  readonly memory?: string
  readonly realloc?: string
  readonly locals?: string
  readonly more?: string
  readonly imports?: string
}

/** The area at 64 says ok, with the four bytes at 80. */
export async function guestOf(parts: GuestParts, mode: InstanceMode = 'fresh'): Promise<GuestModule> {
  return GuestModule.compile(rewriteCore(await parse(textOf(parts))), mode)
}

export function textOf({ call, memory = '1', realloc = '(i32.const 1024)', locals = '', more = '', imports = '' }: GuestParts): string {
  return `(module ${imports}
    (memory (export "memory") ${memory})
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) ${realloc})
    (func (export "call") (param $reducer i32) (param i32 i32 i32 i32 i32 i32) (result i32) ${locals} ${call} (i32.const 64))
    (data (i32.const 68) "\\50\\00\\00\\00\\04\\00\\00\\00")
    ${more})`
}

export function run(guest: GuestModule, limits: Partial<CallLimits> = {}, call: Partial<GuestCall> = {}): GuestOutcome {
  return guest.run({
    reducer: 0,
    context: new Uint8Array(0),
    tables: [],
    args: new Uint8Array(0),
    log: () => undefined,
    ...call,
    limits: { ...CALL_LIMITS, ...limits },
  })
}

/** The number that the guest left at 80, or the code of what ended the call. */
export function answerOf(outcome: GuestOutcome): number | string {
  if (outcome.kind === 'trapped') return outcome.error.code
  return outcome.kind === 'failed' ? outcome.message : new DataView(outcome.result.buffer).getInt32(0, true)
}
