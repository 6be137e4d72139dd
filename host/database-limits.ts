/**
 * What one call of a database may use, set by the host's operator. The defaults let any ordinary
 * reducer run a hundred times over; the ceilings are what the host's own safety rests on.
 */
import { HostError } from './errors.ts'
import * as limits from './limits.ts'

export interface DatabaseLimits {
  /** Units of docs/fuel.md, about a third of a nanosecond each. */
  readonly fuel: number
  /** Pages of 64 KiB that the guest's memory may grow to. */
  readonly memoryPages: number
  /** Stack slots of 8 bytes. */
  readonly depth: number
  readonly rowsRead: number
  readonly rowOperations: number
  /** Bytes of rows read and written. */
  readonly rowBytes: number
  readonly logBytes: number
}

export const defaultLimits: DatabaseLimits = {
  fuel: limits.fuelPerCallMax,
  memoryPages: limits.memoryPagesPerCallMax,
  depth: limits.stackSlotsPerCallMax,
  rowsRead: limits.rowsReadPerCallMax,
  rowOperations: limits.rowOperationsPerCallMax,
  rowBytes: limits.rowBytesPerCallMax,
  logBytes: limits.logBytesPerCallMax,
}

/** Fuel may be raised for work that is known to be long; everything else only lowered. */
export const limitCeilings: DatabaseLimits = { ...defaultLimits, fuel: limits.fuelPerCallCeiling }

export const limitNames = Object.keys(defaultLimits) as readonly (keyof DatabaseLimits)[]

/** New values by name; null takes a limit back to its default. */
export type LimitChange = Readonly<Record<string, number | null>>

/** @throws HostError ERR_LIMIT for a name that is none, or a number out of its range. */
export function changeLimits(current: DatabaseLimits, change: LimitChange): DatabaseLimits {
  const changed: Record<keyof DatabaseLimits, number> = { ...current }
  for (const [name, value] of Object.entries(change)) {
    const limit = checkName(name)
    changed[limit] = value === null ? defaultLimits[limit] : checkRange(limit, value)
  }
  return changed
}

function checkName(name: string): keyof DatabaseLimits {
  const found = limitNames.find((one) => one === name)
  if (found !== undefined) return found
  throw new HostError('ERR_LIMIT', `a database has no limit ${JSON.stringify(name.slice(0, 80))}; it has ${limitNames.join(', ')}`)
}

function checkRange(name: keyof DatabaseLimits, value: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= limitCeilings[name]) return value
  throw new HostError('ERR_LIMIT', `${name} is a whole number from 1 to ${limitCeilings[name]}, not ${value}`)
}
