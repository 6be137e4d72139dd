/** How a call ends otherwise than by its result: what was thrown out of the guest, as an outcome. */
import { HostError } from '../errors.ts'
import { depthError } from './meter.ts'
import type { Meter } from './meter.ts'

/** Ends the call from inside a host import, past every frame of the guest. */
export class GuestFailure extends Error {}

export type ThrownEnd = { readonly kind: 'failed'; readonly message: string } | { readonly kind: 'trapped'; readonly error: HostError }

/** @throws what no guest can cause. */
export function thrownEnd(cause: unknown, meter: Meter): ThrownEnd {
  if (cause instanceof GuestFailure) return { kind: 'failed', message: cause.message }
  if (cause instanceof HostError) return { kind: 'trapped', error: cause }
  const error = meter.trapCause(cause) ?? trapError(cause)
  if (error === undefined) throw cause
  return { kind: 'trapped', error }
}

function trapError(cause: unknown): HostError | undefined {
  // The rewriter's own count ends a recursion long before V8 does: this is for a stack that was full already.
  if (cause instanceof RangeError && /call stack/i.test(cause.message)) return depthError(cause)
  if (cause instanceof RangeError) return new HostError('ERR_BUSY', 'no memory for another instance at the moment: try again', { cause })
  if (cause instanceof WebAssembly.RuntimeError) {
    return new HostError('ERR_CALL_TRAPPED', `the module trapped (${cause.message}): everything of the call was undone`, { cause })
  }
  return undefined
}
