/** `64MiB`, `1GiB` as people write them. */
import { InvalidArgumentError } from 'commander'

const BYTES: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }

/** @throws InvalidArgumentError, which commander tells with the option's name. */
export function parseBytes(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,6})(KiB|MiB|GiB|TiB)$/.exec(text) ?? []
  const bytes = Number(digits) * (BYTES[unit] ?? NaN)
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes
  throw new InvalidArgumentError('a size is a whole number and KiB, MiB, GiB or TiB, as in 512MiB')
}
