/** `90s`, `15m`, `1h`, `7d` as people write them. */
import { InvalidArgumentError } from 'commander'

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** @throws InvalidArgumentError, which commander tells with the option's name. */
export function parseSeconds(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const seconds = Number(digits) * (SECONDS[unit] ?? NaN)
  if (Number.isSafeInteger(seconds) && seconds > 0) return seconds
  throw new InvalidArgumentError('a time is a whole number and s, m, h or d, as in 15m or 1h')
}
