/**
 * Which start of the machine this is. What a killed process wrote is still there within the same start, since
 * the system has it; after a power loss only what was synced is.
 */
import { readFileSync } from 'node:fs'

/** Undefined where the system does not say: then every unclean end counts as a power loss. */
export function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return undefined
  }
}
