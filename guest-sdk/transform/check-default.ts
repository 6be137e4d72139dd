/**
 * The value that rows stored before a column existed have: `@default(0)`, or the same as an
 * initializer, `score: u32 = 0`. It is a literal, because the host writes it without running code.
 */
import type { Node } from 'assemblyscript'

import type { DeclaredField, ModelColumn, WireType } from './model.ts'
import type { Problems } from './problems.ts'
import { literalOf, textOf } from './syntax.ts'
import type { Literal } from './syntax.ts'

const INTEGERS: ReadonlyMap<string, readonly [bigint, bigint]> = new Map(
  (
    [
      ['u8', 8n],
      ['u16', 16n],
      ['u32', 32n],
      ['i8', 8n],
      ['i16', 16n],
      ['i32', 32n],
      ['i64', 64n],
      ['u64', 63n],
    ] as const
  ).map(([name, bits]) => [name, name.startsWith('u') ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]]),
)

export function columnDefault(field: DeclaredField, where: string, type: WireType, problems: Problems): ModelColumn['default'] {
  const decorator = field.decorators.find((one) => one.name === 'default')
  const { initializer } = field.node
  if (decorator === undefined && initializer === null) return undefined
  const [value, second] = [...(decorator?.args ?? []), ...(initializer === null ? [] : [initializer])]
  if (value === undefined || second !== undefined) {
    problems.error(decorator?.node ?? field.node.name, `${where}: one default, as @default(value) or as an initializer`)
    return undefined
  }
  const json = defaultJson(literalOf(value), type.format)
  if (json === undefined) problems.error(value, `${where}: ${textOf(value)} cannot be the default of ${type.text}; allowed: ${allowed(type.format)}`)
  return json === undefined ? undefined : { json, text: expression(value, type) }
}

function defaultJson(value: Literal | undefined, format: string): string | undefined {
  const scalar = format.replace(/\?$/, '')
  if (value === undefined) return undefined
  if (value === null) return format.endsWith('?') ? 'null' : undefined
  const range = INTEGERS.get(scalar)
  if (range !== undefined) return typeof value === 'bigint' && value >= range[0] && value <= range[1] ? integerJson(value, scalar) : undefined
  switch (scalar) {
    case 'bool':
      return typeof value === 'boolean' ? String(value) : undefined
    case 'f32':
    case 'f64':
      return floatJson(value, scalar)
    case 'string':
      return typeof value === 'string' && value.isWellFormed() && !value.includes('\0') ? JSON.stringify(value) : undefined
    default:
      return undefined
  }
}

/** As every value of the host in JSON: a 64-bit integer is a string of digits. */
function integerJson(value: bigint, scalar: string): string {
  return scalar.endsWith('64') ? JSON.stringify(String(value)) : String(value)
}

function floatJson(value: Literal, scalar: 'f32' | 'f64'): string | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
  const number = Number(value)
  return Number.isFinite(scalar === 'f32' ? Math.fround(number) : number) ? JSON.stringify(number === 0 ? 0 : number) : undefined
}

function allowed(format: string): string {
  const scalar = format.replace(/\?$/, '')
  const range = INTEGERS.get(scalar)
  const nothing = format.endsWith('?') ? ', null' : ''
  if (range !== undefined) return `an integer from ${range[0]} to ${range[1]}${nothing}`
  if (scalar === 'bool') return `true, false${nothing}`
  if (scalar === 'string') return `a string literal${nothing}`
  if (scalar.startsWith('f')) return `a number${nothing}`
  return format.endsWith('?') ? 'null' : 'no default, make the column nullable'
}

/** What the constructor's parameter says: `Nullable<u32>` has no literals of its own. */
function expression(value: Node, type: WireType): string {
  const text = textOf(value)
  const inner = /^Nullable<(.*)>$/.exec(type.text)?.[1]
  if (inner === undefined) return text
  return text === 'null' ? `Nullable.none<${inner}>()` : `Nullable.of<${inner}>(${text})`
}
