/** The row format against docs/row-format.md: its byte examples, round trips of every type, and every refusal. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { timestampMax, timestampMin } from '../host/clock.ts'
import { HostError } from '../host/errors.ts'
import type { ErrorCode } from '../host/errors.ts'
import * as limits from '../host/limits.ts'
import { PackedReader, PackedWriter } from '../host/packed-bytes.ts'
import { packValue, u64Max, unpackValue } from '../host/row-codec.ts'
import type { Field, Layouts } from '../host/row-codec.ts'
import { parseValueType, SCALARS } from '../host/value-type.ts'
import type { Scalar, ValueType } from '../host/value-type.ts'

const sarah = '11'.repeat(32)

const turns: readonly Field[] = [field('id', 'u64'), field('caller', 'identity'), field('role', 'string'), field('content', 'string'), field('at', 'timestamp')]

/** `tree` holds a list of trees, `node` perhaps one more node. */
const layouts: Layouts = {
  rowFields: () => turns,
  recordFields: (record) => (record === 'tree' ? [field('children', 'record:tree[]')] : [field('next', 'record:node?')]),
}

function field(name: string, text: string): Field {
  return { name, type: type(text) }
}

function type(text: string): ValueType {
  const parsed = parseValueType(text)
  assert(parsed !== undefined, text)
  return parsed
}

function pack(text: string, value: unknown): Uint8Array {
  const writer = new PackedWriter()
  packValue(writer, type(text), value, layouts, 'value')
  writer.finish()
  return writer.toBytes()
}

function unpack(text: string, bytes: Uint8Array): unknown {
  const reader = new PackedReader(bytes, 'ERR_ROW_MALFORMED')
  const value = unpackValue(reader, type(text), layouts)
  reader.end()
  return value
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    assert(error instanceof HostError, String(error))
    return `${error.code} ${error.message}`
  }
  return assert.fail('it was not refused')
}

function refusesToPack(code: ErrorCode, text: string, value: unknown): void {
  assert.match(
    refusal(() => pack(text, value)),
    new RegExp(`^${code} `),
    `${text} ${String(value)}`,
  )
}

function refusesToUnpack(text: string, packed: string): void {
  assert.match(
    refusal(() => unpack(text, bytesOf(packed))),
    /^ERR_ROW_MALFORMED /,
    `${text} ${packed}`,
  )
}

// ---- the document's examples ---------------------------------------------------------------------

const exampleRow = { id: 7n, caller: sarah, role: 'caller', content: 'hi', at: 1n }
const exampleBytes = `07 00 00 00 00 00 00 00 ${sarah} 06 00 00 00 63 61 6c 6c 65 72 02 00 00 00 68 69 01 00 00 00 00 00 00 00`

test('the row of docs/row-format.md packs to the bytes it shows', () => {
  assert.equal(hex(pack('row:turns', exampleRow)), hex(bytesOf(exampleBytes)))
})

test('the bytes of docs/row-format.md unpack to the row it shows', () => {
  assert.deepEqual(unpack('row:turns', bytesOf(exampleBytes)), exampleRow)
})

test('every scalar has the bytes that the table of docs/row-format.md gives it', () => {
  const shown: readonly (readonly [string, unknown, string])[] = [
    ['bool', true, '01'],
    ['u8', 255, 'ff'],
    ['i8', -1, 'ff'],
    ['u16', 0x1234, '3412'],
    ['i16', -2, 'feff'],
    ['u32', 0x12345678, '78563412'],
    ['i32', -2, 'feffffff'],
    ['u64', 1n, '0100000000000000'],
    ['i64', -1n, 'ffffffffffffffff'],
    ['f32', 1.5, '0000c03f'],
    ['f64', 1.5, '000000000000f83f'],
    ['string', 'é', '02000000c3a9'],
    ['bytes', new Uint8Array([1, 2]), '020000000102'],
    ['identity', sarah, sarah],
    ['timestamp', -1n, 'ffffffffffffffff'],
    ['json', '{}', '020000007b7d'],
    ['u8?', null, '00'],
    ['u8?', 7, '0107'],
    ['u8[]', [1, 2], '020000000102'],
    ['void', undefined, ''],
  ]
  for (const [text, value, packed] of shown) assert.equal(hex(pack(text, value)), packed, text)
})

// ---- round trips ---------------------------------------------------------------------------------

const wellFormedText = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))

const valuesOf: Record<Scalar, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  u8: fc.integer({ min: 0, max: 255 }),
  i8: fc.integer({ min: -128, max: 127 }),
  u16: fc.integer({ min: 0, max: 65_535 }),
  i16: fc.integer({ min: -32_768, max: 32_767 }),
  u32: fc.integer({ min: 0, max: 0xffff_ffff }),
  i32: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  u64: fc.bigInt({ min: 0n, max: u64Max }),
  i64: fc.bigInt({ min: -u64Max - 1n, max: u64Max }),
  f32: fc.float({ noNaN: true }).map((value) => (value === 0 ? 0 : value)),
  f64: fc.double({ noNaN: true }).map((value) => (value === 0 ? 0 : value)),
  string: wellFormedText,
  bytes: fc.uint8Array(),
  identity: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hex),
  timestamp: fc.bigInt({ min: timestampMin, max: timestampMax }),
  json: fc.json().filter((text) => text.isWellFormed()),
}

for (const scalar of SCALARS) {
  test(`a ${scalar} comes back as it was packed, alone, nullable and in a list`, () => {
    const values = valuesOf[scalar]
    fc.assert(
      fc.property(values, fc.option(values), fc.array(values, { maxLength: 5 }), (one, nullable, list) => {
        assert.deepEqual(unpack(scalar, pack(scalar, one)), one)
        assert.deepEqual(unpack(`${scalar}?`, pack(`${scalar}?`, nullable)), nullable)
        assert.deepEqual(unpack(`${scalar}[]`, pack(`${scalar}[]`, list)), list)
      }),
      { numRuns: 100 },
    )
  })
}

function treeOf(depth: number): fc.Arbitrary<unknown> {
  const children = depth === 0 ? fc.constant([]) : fc.array(treeOf(depth - 1), { maxLength: 2 })
  return children.map((found) => ({ children: found }))
}

test('rows and records come back as they were packed', () => {
  const row = fc.record(
    { id: valuesOf.u64, caller: valuesOf.identity, role: wellFormedText, content: wellFormedText, at: valuesOf.timestamp },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(row, { maxLength: 4 }), (rows) => assert.deepEqual(unpack('row:turns[]', pack('row:turns[]', rows)), rows)),
    { numRuns: 50 },
  )
  fc.assert(
    fc.property(treeOf(5), (value) => assert.deepEqual(unpack('record:tree', pack('record:tree', value)), value)),
    { numRuns: 30 },
  )
})

test('whatever bytes come, a reader gives a value of the type or refuses with its own code', () => {
  const types = [...SCALARS, ...SCALARS.map((one) => `${one}?`), ...SCALARS.map((one) => `${one}[]`), 'row:turns[]', 'record:tree', 'record:node']
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 80 }), (text, bytes) => {
      try {
        const value = unpack(text, bytes)
        assert.deepEqual(unpack(text, pack(text, value)), value)
      } catch (error) {
        assert(error instanceof HostError && error.code === 'ERR_ROW_MALFORMED', String(error))
      }
    }),
    { numRuns: 2_000 },
  )
})

// ---- refusals ------------------------------------------------------------------------------------

test('a text with a lone surrogate is refused, not repaired', () => {
  refusesToPack('ERR_ARGUMENT_RANGE', 'string', 'a\ud800b')
  refusesToPack('ERR_ARGUMENT_RANGE', 'json', '"\ud800"')
})

test('bytes that are not UTF-8 are no text', () => {
  for (const text of ['string', 'json']) {
    refusesToUnpack(text, '01000000 ff')
    refusesToUnpack(text, '03000000 eda080')
    refusesToUnpack(text, '02000000 c080')
  }
})

test('U+0000 in a text is refused in both directions', () => {
  refusesToPack('ERR_ARGUMENT_RANGE', 'string', 'a\0b')
  refusesToPack('ERR_ARGUMENT_RANGE', 'json', '"\0"')
  refusesToUnpack('string', '03000000 610062')
})

test('NaN is refused in both directions, whatever its bits', () => {
  refusesToPack('ERR_ARGUMENT_RANGE', 'f32', Number.NaN)
  refusesToPack('ERR_ARGUMENT_RANGE', 'f64', Number.NaN)
  refusesToUnpack('f32', '0000c07f')
  refusesToUnpack('f32', '0100807f')
  refusesToUnpack('f64', '010000000000f0ff')
})

test('−0 is stored as 0', () => {
  assert.equal(hex(pack('f32', -0)), '00000000')
  assert.equal(hex(pack('f64', -0)), '0000000000000000')
  assert.ok(Object.is(unpack('f32', bytesOf('00000080')), 0))
  assert.ok(Object.is(unpack('f64', bytesOf('0000000000000080')), 0))
})

test('an f32 takes no number that would become infinite', () => {
  refusesToPack('ERR_ARGUMENT_RANGE', 'f32', 3.5e38)
  assert.equal(unpack('f32', pack('f32', Number.POSITIVE_INFINITY)), Number.POSITIVE_INFINITY)
})

test('a u64 above 2^63 − 1 is refused in both directions', () => {
  refusesToPack('ERR_ARGUMENT_RANGE', 'u64', 2n ** 63n)
  refusesToUnpack('u64', '0000000000000080')
})

test('every integer is refused one below and one above its range', () => {
  const ranges: readonly (readonly [string, bigint, bigint])[] = [
    ['u8', 0n, 255n],
    ['i8', -128n, 127n],
    ['u16', 0n, 65_535n],
    ['i16', -32_768n, 32_767n],
    ['u32', 0n, 2n ** 32n - 1n],
    ['i32', -(2n ** 31n), 2n ** 31n - 1n],
    ['u64', 0n, 2n ** 63n - 1n],
    ['i64', -(2n ** 63n), 2n ** 63n - 1n],
  ]
  for (const [text, least, most] of ranges) {
    const asGiven = (value: bigint): unknown => (text.endsWith('64') ? value : Number(value))
    for (const inside of [least, most]) assert.equal(unpack(text, pack(text, asGiven(inside))), asGiven(inside))
    for (const outside of [least - 1n, most + 1n]) refusesToPack('ERR_ARGUMENT_RANGE', text, asGiven(outside))
  }
})

test('a number is refused where it has a fraction or is too large to be exact', () => {
  refusesToPack('ERR_ARGUMENT_RANGE', 'u32', 1.5)
  refusesToPack('ERR_ARGUMENT_TYPE', 'u64', 2 ** 53)
})

test('a timestamp before year 1 or after year 9999 is refused in both directions', () => {
  for (const outside of [timestampMin - 1n, timestampMax + 1n]) {
    refusesToPack('ERR_ARGUMENT_RANGE', 'timestamp', outside)
    refusesToUnpack('timestamp', hex(pack('i64', outside)))
  }
})

test('a bool and the first byte of a nullable are 0 or 1', () => {
  refusesToUnpack('bool', '02')
  refusesToUnpack('u8?', '0207')
})

test('a json that is not one JSON value is refused', () => {
  for (const text of ['', '{', '1 2', "{'a':1}", 'NaN']) {
    refusesToPack('ERR_ARGUMENT_TYPE', 'json', text)
    refusesToUnpack('json', hex(pack('string', text)))
  }
})

test('a json nests 64 deep and not 65', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  assert.equal(unpack('json', pack('json', nested(64))), nested(64))
  refusesToPack('ERR_ARGUMENT_TYPE', 'json', nested(65))
  refusesToUnpack('json', hex(pack('string', nested(65))))
})

test('brackets inside a JSON string do not nest', () => {
  const text = JSON.stringify(`${'['.repeat(100)}"\\`)
  assert.equal(unpack('json', pack('json', text)), text)
})

test('bytes left over at the end are refused', () => {
  refusesToUnpack('u8', '0700')
  refusesToUnpack('void', '00')
})

test('a value cut short is refused at every length', () => {
  const whole = bytesOf(exampleBytes)
  for (let length = 0; length < whole.length; length++) refusesToUnpack('row:turns', hex(whole.subarray(0, length)))
})

test('a count or length that promises more than there is costs nothing and is refused', () => {
  for (const text of ['u8[]', 'string', 'bytes', 'row:turns[]']) refusesToUnpack(text, 'ffffffff')
})

test('a recursive value nests as deep as its JSON may, and no deeper', () => {
  const nested = (trees: number): unknown => ({ children: trees === 1 ? [] : [nested(trees - 1)] })
  assert.deepEqual(unpack('record:tree', pack('record:tree', nested(32))), nested(32))
  refusesToPack('ERR_ARGUMENT_RANGE', 'record:tree', nested(33))
  refusesToUnpack('record:tree', `${'01000000'.repeat(32)} 00000000`)
})

test('a million levels of nesting are refused before the stack ends', () => {
  refusesToUnpack('record:tree', '01000000'.repeat(1_000_000))
  refusesToUnpack('record:node', '01'.repeat(1_000_000))
})

test('a value of more parts than a reader may make objects of is refused', () => {
  const bytes = Buffer.alloc(4 + limits.valuesUnpackedMax)
  bytes.writeUInt32LE(limits.valuesUnpackedMax)
  refusesToUnpack('u8[]', hex(bytes))
})

test('a value of another type is refused and named', () => {
  assert.equal(
    refusal(() => pack('row:turns', { ...exampleRow, role: 7 })),
    'ERR_ARGUMENT_TYPE value.role: expected string, got number 7',
  )
  assert.equal(
    refusal(() => pack('u8[]', 7)),
    'ERR_ARGUMENT_TYPE value: expected u8[], got number 7',
  )
  assert.equal(
    refusal(() => pack('u8', null)),
    'ERR_ARGUMENT_TYPE value: expected u8, got null',
  )
  assert.equal(
    refusal(() => pack('row:turns', { ...exampleRow, role: undefined })),
    'ERR_ARGUMENT_TYPE value.role: expected string, got nothing',
  )
})

test('a row with a field that its table has not is refused', () => {
  assert.match(
    refusal(() => pack('row:turns', { ...exampleRow, owner: sarah })),
    /^ERR_ARGUMENT_TYPE value has no "owner"; it has id, caller, /,
  )
})

test('a writer refuses more bytes than its bound and says the bound', () => {
  const writer = new PackedWriter('ERR_CALL_LIMIT', 100)
  const tooMuch = (): void => {
    writer.bytes(new Uint8Array(100))
    writer.finish()
  }
  assert.match(refusal(tooMuch), /^ERR_CALL_LIMIT .*100/)
  assert.match(
    refusal(() => new PackedWriter('ERR_CALL_LIMIT', 100).string('x'.repeat(97))),
    /^ERR_CALL_LIMIT .*100/,
  )
})

test('a text may fill a bound exactly', () => {
  const writer = new PackedWriter('ERR_CALL_LIMIT', 100)
  writer.string('x'.repeat(96))
  writer.finish()
  assert.equal(writer.length, 100)
})

test('a writer that was reset keeps no large buffer', () => {
  const writer = new PackedWriter('ERR_CALL_LIMIT', 16 * 1024 * 1024)
  writer.bytes(new Uint8Array(8 * 1024 * 1024))
  writer.reset()
  writer.u8(1)
  assert.ok(writer.view().buffer.byteLength <= limits.packedBytesKept)
})
