/** How much of its history a host keeps in its log, as the operator wants it; what is older lives on in snapshots. */
import { HostError } from './errors.ts'
import * as limits from './limits.ts'

export interface LogLimits {
  /** Of all lanes together. */
  readonly sizeBytesMax: number
  readonly ageSecondsMax: number
  /** Of the access log, which is kept by a rule of its own; that of the limits when left out. */
  readonly accessAgeSecondsMax?: number
}

/** What a program or a command line may leave out. */
export interface LogLimitOptions {
  /** The log forgets its oldest records when it is larger; 1 GiB when left out. */
  readonly logSizeBytesMax?: number | undefined
  /** The log forgets records that are older; 30 days when left out. */
  readonly logAgeSecondsMax?: number | undefined
  /** The access log forgets records that are older; six years when left out. */
  readonly accessAgeSecondsMax?: number | undefined
}

/** @throws HostError ERR_ARGUMENT_RANGE for what is no whole number above 0. */
export function logLimits({ logSizeBytesMax, logAgeSecondsMax, accessAgeSecondsMax }: LogLimitOptions): LogLimits {
  return {
    sizeBytesMax: checked('logSizeBytesMax', logSizeBytesMax ?? limits.logSizeBytesMax),
    ageSecondsMax: checked('logAgeSecondsMax', logAgeSecondsMax ?? limits.logAgeSecondsMax),
    accessAgeSecondsMax: checked('accessAgeSecondsMax', accessAgeSecondsMax ?? limits.accessAgeSecondsMax),
  }
}

function checked(name: keyof LogLimitOptions, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new HostError('ERR_ARGUMENT_RANGE', `${name} is a whole number above 0, not ${String(value)}`)
}
