/**
 * The types of the row format: what a column, a parameter, a result or a record's field can be
 * (docs/row-format.md). A type is written as a short text in a module description and is frozen data
 * everywhere else.
 */

export const SCALARS = ['bool', 'u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'u64', 'i64', 'f32', 'f64', 'string', 'bytes', 'identity', 'timestamp', 'json'] as const
export type Scalar = (typeof SCALARS)[number]

/** What can be compared with what. */
export type ScalarKind = 'bool' | 'integer' | 'float' | 'text' | 'bytes' | 'identity' | 'timestamp' | 'json'

export const kindOf: Readonly<Record<Scalar, ScalarKind>> = {
  bool: 'bool',
  u8: 'integer',
  i8: 'integer',
  u16: 'integer',
  i16: 'integer',
  u32: 'integer',
  i32: 'integer',
  u64: 'integer',
  i64: 'integer',
  f32: 'float',
  f64: 'float',
  string: 'text',
  bytes: 'bytes',
  identity: 'identity',
  timestamp: 'timestamp',
  json: 'json',
}

/** A column's type. */
export interface ScalarType {
  readonly kind: 'scalar'
  readonly scalar: Scalar
  readonly nullable: boolean
}

export type ValueType =
  | ScalarType
  | { readonly kind: 'row'; readonly table: string; readonly nullable: boolean }
  | { readonly kind: 'record'; readonly record: string; readonly nullable: boolean }
  | { readonly kind: 'array'; readonly element: ValueType }
  | { readonly kind: 'void' }

const scalarNames: ReadonlySet<string> = new Set(SCALARS)

/** The type that a text of a module description names, or undefined. */
export function parseValueType(text: string): ValueType | undefined {
  if (text === 'void') return { kind: 'void' }
  const match = /^(?:(row|record):)?([a-z][a-z0-9_]*)(\?|\[\])?$/.exec(text)
  if (match === null) return undefined
  const [, prefix, name = '', suffix] = match
  const base = baseType(prefix, name, suffix === '?')
  if (base === undefined) return undefined
  return suffix === '[]' ? { kind: 'array', element: base } : base
}

function baseType(prefix: string | undefined, name: string, nullable: boolean): ValueType | undefined {
  if (prefix === 'row') return { kind: 'row', table: name, nullable }
  if (prefix === 'record') return { kind: 'record', record: name, nullable }
  return isScalar(name) ? { kind: 'scalar', scalar: name, nullable } : undefined
}

export function isScalar(name: string): name is Scalar {
  return scalarNames.has(name)
}

export function formatValueType(type: ValueType): string {
  switch (type.kind) {
    case 'void':
      return 'void'
    case 'scalar':
      return type.nullable ? `${type.scalar}?` : type.scalar
    case 'row':
      return `row:${type.table}${type.nullable ? '?' : ''}`
    case 'record':
      return `record:${type.record}${type.nullable ? '?' : ''}`
    case 'array':
      return `${formatValueType(type.element)}[]`
  }
}
