/** Parts of a Timestamp in UTC, as PostgreSQL's date_trunc and extract give them. */
import { assert, HostError } from '../errors.ts'

const microsOf: Readonly<Record<string, bigint>> = {
  microseconds: 1n,
  milliseconds: 1_000n,
  second: 1_000_000n,
  minute: 60_000_000n,
  hour: 3_600_000_000n,
  day: 86_400_000_000n,
}

const dayMicros = 86_400_000_000n

/** The start of the second, day, week (on a Monday), month and so on that `time` lies in. */
export function truncateTime(field: string, time: bigint): bigint {
  const micros = microsOf[field]
  if (micros !== undefined) return time - modulo(time, micros)
  const date = new Date(Number((time - modulo(time, 1_000n)) / 1_000n))
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  switch (field) {
    case 'week':
      return startOfDay(time) - BigInt((date.getUTCDay() + 6) % 7) * dayMicros
    case 'month':
      return startOf(year, month)
    case 'quarter':
      return startOf(year, month - (month % 3))
    default:
      assert(field === 'year', 'host/sql has checked the field')
      return startOf(year, 0)
  }
}

/** An integer; of seconds and of the epoch a float. */
export function extractField(field: string, time: bigint): bigint | number {
  const millis = Number((time - modulo(time, 1_000n)) / 1_000n)
  const date = new Date(millis)
  switch (field) {
    case 'year':
      return BigInt(date.getUTCFullYear())
    case 'quarter':
      return BigInt(Math.floor(date.getUTCMonth() / 3) + 1)
    case 'month':
      return BigInt(date.getUTCMonth() + 1)
    case 'week':
      return isoWeek(time)
    case 'day':
      return BigInt(date.getUTCDate())
    case 'dow':
      return BigInt(date.getUTCDay())
    case 'isodow':
      return BigInt(((date.getUTCDay() + 6) % 7) + 1)
    case 'doy':
      return (startOfDay(time) - startOf(date.getUTCFullYear(), 0)) / dayMicros + 1n
    case 'hour':
      return BigInt(date.getUTCHours())
    case 'minute':
      return BigInt(date.getUTCMinutes())
    case 'second':
      return Number(modulo(time, 60_000_000n)) / 1e6
    case 'epoch':
      return Number(time) / 1e6
    default:
      throw new HostError('ERR_SQL_VALUE', 'a time has no such part')
  }
}

/** The week with the year's first Thursday is its first. */
function isoWeek(time: bigint): bigint {
  const thursday = truncateTime('week', time) + 3n * dayMicros
  const year = Number(extractField('year', thursday))
  return (thursday - startOf(year, 0)) / (7n * dayMicros) + 1n
}

function startOfDay(time: bigint): bigint {
  return time - modulo(time, dayMicros)
}

/** Date.UTC takes the years 0 to 99 for those of the last century. */
function startOf(year: number, month: number): bigint {
  const date = new Date(Date.UTC(2_000, month))
  return BigInt(date.setUTCFullYear(year)) * 1_000n
}

/** Never negative. */
function modulo(value: bigint, divisor: bigint): bigint {
  return ((value % divisor) + divisor) % divisor
}
