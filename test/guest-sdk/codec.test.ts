import assert from 'node:assert/strict'
import test from 'node:test'

import fc from 'fast-check'

import { Guest, ScriptedTable, SARAH, text, u32, u64 } from './guest-fixture.ts'

const SOURCE = `
  @table("things") class Thing {
    @autoIncrement id: u64;
    @owner owner: Identity;
    label: string;
    weight: Nullable<f32>;
  }
  @record class Everything {
    flag: bool; a: u8; b: u16; c: u32; d: u64; e: i8; f: i16; g: i32; h: i64; i: f32; j: f64;
    text: string; data: Uint8Array; who: Identity; at: Timestamp; json: Json;
    maybeFlag: Nullable<bool>; maybeLong: Nullable<i64>; maybeFloat: Nullable<f64>;
    maybeText: string | null; maybeData: Uint8Array | null; maybeWho: Identity | null; maybeAt: Timestamp | null; maybeJson: Json | null;
    texts: string[]; longs: u64[]; flags: bool[]; people: Identity[]; blobs: Uint8Array[];
    thing: Thing | null; things: Thing[];
  }
  @query export function echo(ctx: Context, everything: Everything): Everything { return everything; }
  @query export function half(ctx: Context, value: f64): f64 { return value / 2; }
  @query export function lengthOf(ctx: Context, value: string): u32 { return value.length; }
  @query export function many(ctx: Context, count: u32): string[] {
    const texts: string[] = [];
    for (let i: u32 = 0; i < count; i++) texts.push("ä€😀" + i.toString());
    return texts;
  }
  @query export function orElse(ctx: Context, value: Nullable<u32>): u32 { return value.isNull ? value.or(7) : value.value; }
  @query export function needs(ctx: Context, value: Nullable<u32>): u32 { return value.value; }
  @query export function isLater(ctx: Context, a: Timestamp, b: Timestamp): string {
    return [a == b, a != b, a < b, a <= b, a > b, a >= b].map<string>((one) => one ? "1" : "0").join("") + a.plus(Timestamp.second).since(b).toString();
  }
`

const word = fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => !value.includes('\0'))
const signed = (bits: number): fc.Arbitrary<number> => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
const unsigned = (bits: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 })
const positive = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
const data = fc.uint8Array({ maxLength: 40 })
const identity = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((value) => Buffer.from(value).toString('hex'))
const at = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n })
const json = fc.json({ maxDepth: 3 }).filter((value) => value.isWellFormed() && !value.includes('\0'))
const float = fc.float({ noNaN: true }).map((value) => value + 0)
const double = fc.double({ noNaN: true }).map((value) => value + 0)
const thing = fc.record({ id: positive, owner: identity, label: word, weight: fc.option(float) })
const everything = fc.record({
  flag: fc.boolean(),
  a: unsigned(8),
  b: unsigned(16),
  c: unsigned(32),
  d: positive,
  e: signed(8),
  f: signed(16),
  g: signed(32),
  h: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  i: float,
  j: double,
  text: word,
  data,
  who: identity,
  at,
  json,
  maybe_flag: fc.option(fc.boolean()),
  maybe_long: fc.option(positive),
  maybe_float: fc.option(double),
  maybe_text: fc.option(word),
  maybe_data: fc.option(data),
  maybe_who: fc.option(identity),
  maybe_at: fc.option(at),
  maybe_json: fc.option(json),
  texts: fc.array(word, { maxLength: 5 }),
  longs: fc.array(positive, { maxLength: 5 }),
  flags: fc.array(fc.boolean(), { maxLength: 5 }),
  people: fc.array(identity, { maxLength: 3 }),
  blobs: fc.array(data, { maxLength: 3 }),
  thing: fc.option(thing),
  things: fc.array(thing, { maxLength: 3 }),
})

test('every type comes back from a guest as it went in', async () => {
  for (const optimize of [false, true]) {
    const guest = await Guest.of(SOURCE, optimize)
    fc.assert(
      fc.property(everything, (value) => {
        assert.deepEqual(normal(guest.call('echo', { args: [value] })), normal(value))
      }),
      { numRuns: 150 },
    )
  }
})

/** fast-check's records have no prototype, and bytes come as Buffer or Uint8Array. */
function normal(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, normal(one)]))
}

test('a text is UTF-16 in the guest and UTF-8 outside', async () => {
  const guest = await Guest.of(SOURCE)
  assert.equal(guest.call('length_of', { args: ['ä€😀'] }), 4)
  assert.deepEqual(guest.call('many', { args: [3] }), ['ä€😀0', 'ä€😀1', 'ä€😀2'])
})

test('a result larger than the first block of the packer is whole', async () => {
  const guest = await Guest.of(SOURCE)
  const texts = guest.call('many', { args: [5_000] }) as string[]
  assert.deepEqual([texts.length, texts[4_999]], [5_000, 'ä€😀4999'])
})

test('a Nullable gives its value, another one, or ends the call', async () => {
  const guest = await Guest.of(SOURCE)
  assert.equal(guest.call('or_else', { args: [3] }), 3)
  assert.equal(guest.call('or_else', { args: [null] }), 7)
  assert.throws(() => guest.run('needs', { args: [null] }), { code: 'ERR_CALL_TRAPPED' })
  assert.match(guest.log.join(), /^3 the value of a Nullable that is null at /)
})

test('timestamps compare and add', async () => {
  const guest = await Guest.of(SOURCE)
  assert.equal(guest.call('is_later', { args: [1n, 2n] }), '011100999999')
  assert.equal(guest.call('is_later', { args: [2n, 2n] }), '1001011000000')
  assert.equal(guest.call('is_later', { args: [3n, 2n] }), '0100111000001')
})

test('a row is packed as row-format.md shows', async () => {
  const guest = await Guest.of(`
    @table("turns") class Turn { @autoIncrement id: u64; @owner caller: Identity; role: string; content: string; at: Timestamp; }
    @reducer export function add(ctx: Context, turns: Appender<Turn>): Turn { return turns.insert(new Turn("caller", "hi", new Timestamp(1))); }
  `)
  const turns = new ScriptedTable({ insert: u64(7n) })
  assert.deepEqual(guest.call('add', { tables: [turns] }), { id: 7n, caller: SARAH, role: 'caller', content: 'hi', at: 1n })
  assert.deepEqual(turns.asked, [`insert ${u32(1)}${u64(0n)}${SARAH}${text('caller')}${text('hi')}${u64(1n)}`])
})
