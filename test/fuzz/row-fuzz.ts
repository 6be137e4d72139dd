/**
 * Random bytes, and valid values with some bytes changed, against every reader of the row format. A
 * reader refuses with its code or gives a value; a value that it gave packs to bytes that read the same.
 */
import { isDeepStrictEqual } from 'node:util'

import { HostError } from '../../host/errors.ts'
import { PackedReader, PackedWriter } from '../../host/packed-bytes.ts'
import { packValue, unpackValue } from '../../host/row-codec.ts'
import type { Layouts } from '../../host/row-codec.ts'
import { packRow, unpackRow } from '../../host/storage/row-image.ts'
import { SCALARS } from '../../host/value-type.ts'
import type { ScalarType, ValueType } from '../../host/value-type.ts'
import type { Random } from './random.ts'

const layouts: Layouts = {
  rowFields: () => SCALARS.map((scalar) => ({ name: scalar, type: { kind: 'scalar', scalar, nullable: scalar.startsWith('i') } })),
  recordFields: (record) => [
    { name: 'label', type: { kind: 'scalar', scalar: 'string', nullable: false } },
    {
      name: 'inner',
      type: record === 'tree' ? { kind: 'array', element: { kind: 'record', record: 'tree', nullable: false } } : { kind: 'row', table: 't', nullable: true },
    },
  ],
}

/** What went wrong with one set of random bytes, or undefined. */
export function fuzzRow(random: Random): string | undefined {
  return random.chance(4) ? fuzzImage(random) : fuzzValue(random)
}

function fuzzValue(random: Random): string | undefined {
  const type = randomType(random)
  const bytes = random.chance(3) ? random.bytes(random.below(64)) : damaged(validValue(type, random), random)
  const read = attempt(() => unpackAll(bytes, type))
  if (read.kind === 'refused') return read.problem
  const packed = attempt(() => packAll(read.value, type))
  if (packed.kind === 'refused') return `what was read cannot be packed: ${packed.problem ?? packed.code}`
  const again = attempt(() => unpackAll(packed.value, type))
  if (again.kind === 'refused' || !isDeepStrictEqual(again.value, read.value)) return 'what was read does not read the same again'
  return undefined
}

/** A row as a table's handle reads it: another reader of the same bytes. */
function fuzzImage(random: Random): string | undefined {
  const columns = SCALARS.map((scalar, id) => ({
    id,
    name: scalar,
    type: { kind: 'scalar', scalar, nullable: random.chance(2) } satisfies ScalarType,
    default: undefined,
  }))
  const bytes = random.bytes(random.below(300))
  const read = attempt(() => unpackRow(new PackedReader(bytes, 'ERR_ROW_MALFORMED'), columns))
  if (read.kind === 'refused') return read.problem
  const writer = new PackedWriter()
  packRow(writer, columns, read.value)
  const again = unpackRow(new PackedReader(writer.view(), 'ERR_ROW_MALFORMED'), columns)
  return isDeepStrictEqual(again, read.value) ? undefined : 'a row does not read the same again'
}

type Attempt<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'refused'; readonly code: string; readonly problem: string | undefined }

function attempt<T>(work: () => T): Attempt<T> {
  try {
    return { kind: 'done', value: work() }
  } catch (error) {
    if (error instanceof HostError && error.message.length < 2_000) return { kind: 'refused', code: error.code, problem: undefined }
    return { kind: 'refused', code: '', problem: error instanceof Error ? error.stack : String(error) }
  }
}

function unpackAll(bytes: Uint8Array, type: ValueType): unknown {
  const reader = new PackedReader(bytes, 'ERR_RESULT_MALFORMED')
  const value = unpackValue(reader, type, layouts)
  reader.end()
  return value
}

function packAll(value: unknown, type: ValueType): Uint8Array {
  const writer = new PackedWriter()
  packValue(writer, type, value, layouts, 'value')
  return writer.toBytes()
}

function randomType(random: Random): ValueType {
  const nullable = random.chance(3)
  switch (random.below(6)) {
    case 0:
      return { kind: 'row', table: 't', nullable }
    case 1:
      return { kind: 'record', record: random.pick(['tree', 'leaf']), nullable }
    case 2:
      return { kind: 'array', element: randomType(random) }
    default:
      return { kind: 'scalar', scalar: random.pick(SCALARS), nullable }
  }
}

/** Bytes that mostly are a value of this type: sizes and counts are right, contents are anything. */
function validValue(type: ValueType, random: Random, depth = 0): Uint8Array {
  if (type.kind === 'void') return new Uint8Array(0)
  if (type.kind === 'array') {
    const count = depth > 3 ? 0 : random.below(4)
    return Buffer.concat([u32(count), ...Array.from({ length: count }, () => validValue(type.element, random, depth + 1))])
  }
  if (type.nullable && random.chance(2)) return Buffer.from([0])
  const present = type.nullable ? Buffer.from([1]) : new Uint8Array(0)
  if (type.kind === 'scalar') return Buffer.concat([present, validScalar(type.scalar, random)])
  const fields = type.kind === 'row' ? layouts.rowFields(type.table) : layouts.recordFields(type.record)
  return Buffer.concat([present, ...fields.map((field) => validValue(field.type, random, depth + 1))])
}

const TEXTS = ['', 'a', '{"a":[1,2]}', 'null', 'grüße', '\u{1f600}', '1', '"x"']
const SIZES: Readonly<Record<string, number>> = {
  bool: 1,
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f32: 4,
  f64: 8,
  timestamp: 8,
  identity: 32,
}

function validScalar(scalar: string, random: Random): Uint8Array {
  const size = SIZES[scalar]
  if (scalar === 'bool') return Buffer.from([random.below(2)])
  if (size !== undefined) return random.bytes(size)
  const text = Buffer.from(random.pick(TEXTS))
  return Buffer.concat([u32(text.length), text])
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const changed = Uint8Array.from(bytes)
  for (let left = random.below(3); left > 0 && changed.length > 0; left -= 1)
    changed[random.below(changed.length)] = random.chance(2) ? random.below(256) : random.pick([0, 1, 0x7f, 0x80, 0xff])
  return random.chance(8) ? changed.subarray(0, random.below(changed.length + 1)) : changed
}
