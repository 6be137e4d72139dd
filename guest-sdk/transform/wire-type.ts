/**
 * The author's types as the row format knows them. What a column can hold is a scalar or a scalar
 * that may be absent; parameters, results and records also take rows, records and arrays.
 */
import type { TypeNode } from 'assemblyscript'

import type { WireType } from './model.ts'
import { baseName, genericOf, plainName, textOf } from './syntax.ts'

/** The format's name of each scalar, by the name that authors write. */
const SCALARS: ReadonlyMap<string, string> = new Map([
  ...['bool', 'u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'f32', 'f64', 'string'].map((name): [string, string] => [name, name]),
  ['Uint8Array', 'bytes'],
  ['Identity', 'identity'],
  ['Timestamp', 'timestamp'],
  ['Json', 'json'],
])
/** Scalars that are no objects in AssemblyScript, so that `| null` is not possible for them. */
const VALUE_SCALARS: ReadonlySet<string> = new Set(['bool', 'u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'f32', 'f64'])

export const COLUMN_TYPES =
  'bool, u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, string, Uint8Array, Identity, Timestamp, Json, ' +
  '`| null` of the last five, Nullable<…> of the others'
export const VALUE_TYPES = `${COLUMN_TYPES}, a @table or @record class, \`| null\` of one, and T[] of what is not null`

/** The host's names of the classes that are tables and records, by class name. */
export interface KnownClasses {
  readonly tables: ReadonlyMap<string, string>
  readonly records: ReadonlyMap<string, string>
}

/** The type of a column, or undefined when it cannot be one. */
export function columnType(node: TypeNode): WireType | undefined {
  return toWire(node, scalarFormat(node))
}

/** The type of a parameter, a result or a record's field, or undefined when it cannot be one. */
export function valueType(node: TypeNode, known: KnownClasses): WireType | undefined {
  return toWire(node, elementFormat(node, known) ?? arrayFormat(node, known))
}

function toWire(node: TypeNode, format: string | undefined): WireType | undefined {
  return format === undefined ? undefined : { text: textOf(node), format }
}

function scalarFormat(node: TypeNode): string | undefined {
  const generic = genericOf(node)
  if (generic !== undefined) {
    const name = plainName(generic.argument)
    return generic.name === 'Nullable' && name !== undefined && VALUE_SCALARS.has(name) ? `${name}?` : undefined
  }
  const name = baseName(node)
  const scalar = name === undefined ? undefined : SCALARS.get(name)
  if (scalar === undefined || !node.isNullable) return scalar
  return VALUE_SCALARS.has(scalar) ? undefined : `${scalar}?`
}

function elementFormat(node: TypeNode, known: KnownClasses): string | undefined {
  const name = baseName(node) ?? ''
  const table = known.tables.get(name)
  const record = known.records.get(name)
  const format = table === undefined ? (record === undefined ? undefined : `record:${record}`) : `row:${table}`
  if (format === undefined) return scalarFormat(node)
  return node.isNullable ? `${format}?` : format
}

function arrayFormat(node: TypeNode, known: KnownClasses): string | undefined {
  const generic = genericOf(node)
  if (generic?.name !== 'Array') return undefined
  const element = elementFormat(generic.argument, known)
  return element === undefined || element.endsWith('?') ? undefined : `${element}[]`
}
