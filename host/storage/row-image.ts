/**
 * A row between its three forms: packed image (row format), values as SQLite stores them, and the
 * plain object a host-side reader gets. Column order is always the module's declaration.
 */
import { identityFromBytes, identitySizeBytes, identityToBytes, parseIdentity } from '../identity.ts'
import type { Identity } from '../identity.ts'
import type { SqlRow, SqlValue } from '../plan/plan.ts'
import { PackedReader, PackedWriter } from '../packed-bytes.ts'
import { packScalar, unpackScalar } from '../row-codec.ts'
import type { Column } from '../schema/schema.ts'
import type { Scalar, ScalarType } from '../value-type.ts'

/** A row as a host-side reader gets it: u64, i64 and timestamp are bigint, an identity is hex text. */
export type RowObject = Record<string, unknown>

export function packRow(writer: PackedWriter, columns: readonly Column[], row: SqlRow): void {
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]
    if (column !== undefined) packSqlValue(writer, column.type, row[index] ?? null)
  }
}

/** @throws HostError with the reader's code when the bytes are no row of these columns. */
export function unpackRow(reader: PackedReader, columns: readonly Column[]): SqlValue[] {
  return columns.map((column) => unpackSqlValue(reader, column.type))
}

export function packSqlValue(writer: PackedWriter, type: ScalarType, value: SqlValue): void {
  if (type.nullable) {
    writer.u8(value === null ? 0 : 1)
    if (value === null) return
  }
  if (typeof value === 'bigint') packInteger(writer, type.scalar, value)
  else if (typeof value === 'string') writer.string(value)
  else if (value instanceof Uint8Array && type.scalar === 'identity') writer.raw(value)
  else if (value instanceof Uint8Array) writer.bytes(value)
  else if (typeof value === 'number' && type.scalar === 'f32') writer.f32(value)
  else if (typeof value === 'number') writer.f64(value)
}

function packInteger(writer: PackedWriter, scalar: Scalar, value: bigint): void {
  switch (scalar) {
    case 'u64':
    case 'i64':
    case 'timestamp':
      return writer.i64(value)
    case 'u32':
    case 'i32':
      return writer.u32(Number(value) >>> 0)
    case 'u16':
    case 'i16':
      return writer.u16(Number(value) & 0xffff)
    default:
      return writer.u8(Number(value) & 0xff)
  }
}

export function unpackSqlValue(reader: PackedReader, type: ScalarType): SqlValue {
  if (type.nullable && !reader.bool()) return null
  switch (type.scalar) {
    case 'bool':
      return reader.bool() ? 1n : 0n
    case 'u8':
    case 'i8':
    case 'u16':
    case 'i16':
    case 'u32':
    case 'i32':
      return BigInt(unpackScalar(reader, type.scalar) as number)
    case 'identity':
      return Buffer.from(reader.raw(identitySizeBytes))
    case 'bytes':
      return Buffer.from(reader.bytes())
    default:
      return unpackScalar(reader, type.scalar) as bigint | number | string
  }
}

/** The SQLite form of a host-side value, checked like any caller's. */
export function toSqlValue(type: ScalarType, value: unknown, path: string): SqlValue {
  if (type.nullable && (value === null || value === undefined)) return null
  if (type.scalar === 'identity' && typeof value === 'string') return identityToBytes(parseIdentity(value))
  const writer = new PackedWriter()
  packScalar(writer, type.scalar, value, path)
  return unpackSqlValue(new PackedReader(writer.view(), 'ERR_ARGUMENT_TYPE'), { ...type, nullable: false })
}

export function toObject(columns: readonly Column[], row: SqlRow, own: { readonly bytes: Uint8Array; readonly text: Identity }): RowObject {
  const object: RowObject = {}
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]
    if (column !== undefined) object[column.name] = toValue(column.type.scalar, row[index] ?? null, own)
  }
  return object
}

/** `own` is the reader's identity: nearly every identity it sees, so its text is made once. */
export function toValue(scalar: Scalar, value: SqlValue, own: { readonly bytes: Uint8Array; readonly text: Identity }): unknown {
  switch (scalar) {
    case 'bool':
      return value === null ? null : value === 1n
    case 'u8':
    case 'i8':
    case 'u16':
    case 'i16':
    case 'u32':
    case 'i32':
      return value === null ? null : Number(value)
    case 'identity':
      if (!(value instanceof Uint8Array)) return null
      return Buffer.compare(value, own.bytes) === 0 ? own.text : identityFromBytes(value)
    default:
      return value
  }
}
