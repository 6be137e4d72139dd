/**
 * Time as a value. Nothing else in the host reads the clock, so a test, a replay or a frozen call
 * names the time it wants.
 */

/** Microseconds since 1970-01-01T00:00:00Z. */
export type Micros = bigint

export interface Clock {
  now(): Micros
}

/** The first and the last moment a Timestamp can hold: years 1 and 9999, what RFC 3339 can write. */
export const timestampMin: Micros = -62_135_596_800_000_000n
export const timestampMax: Micros = 253_402_300_799_999_999n

/** How far the monotonic clock may be from the wall clock before it is set again. */
const driftMsMax = 20

let originMs = performance.timeOrigin

/**
 * Microseconds come from the monotonic clock, which neither follows a clock that is set nor goes on
 * while the machine sleeps: the wall clock says when it must be set again.
 */
export const systemClock: Clock = {
  now: () => {
    const passedMs = performance.now()
    const wallMs = Date.now()
    if (Math.abs(originMs + passedMs - wallMs) > driftMsMax) originMs = wallMs - passedMs
    return BigInt(Math.round((originMs + passedMs) * 1_000))
  },
}

/** Seconds since 1970, as tokens count them. */
export function seconds(clock: Clock): number {
  return Number(clock.now() / 1_000_000n)
}

/** RFC 3339 with six digits, in UTC. */
export function formatTimestamp(micros: Micros): string {
  const millis = floorDivide(micros, 1_000n)
  const rest = micros - millis * 1_000n
  const text = new Date(Number(millis)).toISOString()
  return `${text.slice(0, -1)}${rest.toString().padStart(3, '0')}Z`
}

/** The moment of an RFC 3339 text, or undefined when it is none or lies outside the range. */
export function parseTimestamp(text: string): Micros | undefined {
  const match = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?([Zz]|[+-]\d\d:\d\d)$/.exec(text)
  if (match === null) return undefined
  const [, whole = '', fraction = '', zone = ''] = match
  const millis = Date.parse(`${whole.toUpperCase()}${zone.toUpperCase()}`)
  if (Number.isNaN(millis) || !isCalendarDay(whole)) return undefined
  const micros = BigInt(millis) * 1_000n + BigInt(fraction.padEnd(6, '0'))
  return micros < timestampMin || micros > timestampMax ? undefined : micros
}

/** Date.parse carries 30 February over to March; a timestamp does not. */
function isCalendarDay(whole: string): boolean {
  return new Date(`${whole.toUpperCase()}Z`).toISOString().startsWith(whole.toUpperCase())
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  return value % divisor < 0n ? quotient - 1n : quotient
}
