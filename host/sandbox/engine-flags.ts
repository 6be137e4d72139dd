/**
 * V8's flags as a serving host wants them. They hold for the whole process, its workers included, and for
 * modules compiled after; so a library in somebody else's process leaves them alone.
 */
import { setFlagsFromString } from 'node:v8'

/**
 * Without dynamic tiering each function is optimised once, when its module is compiled. With it, V8 decides
 * while a call runs, and a loop that the baseline compiler made stays in its slow code until the call ends.
 */
const PINNED_FLAGS: readonly string[] = ['--no-wasm-dynamic-tiering']

export function pinEngineFlags(): void {
  for (const flag of PINNED_FLAGS) setFlagsFromString(flag)
}
