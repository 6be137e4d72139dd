/** docs/types.md, its order and its edges, against a host and its files. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after } from 'node:test'

import { buildModule } from '../../host/module/build.ts'
import { openHost } from '../../host/open-host.ts'
import { IMPORTS, ModuleFolder } from './module-fixture.ts'

const SOURCE = `${IMPORTS}
@table("samples")
class Sample {
  @autoIncrement id: u64;
  @owner owner: Identity;
  @index flag: Nullable<bool>;
  @index small: Nullable<i8>;
  @index whole: Nullable<i64>;
  @index big: Nullable<u64>;
  @index single: Nullable<f32>;
  @index double: Nullable<f64>;
  @index label: string | null;
  @index data: Uint8Array | null;
  @index person: Identity | null;
  @index at: Timestamp | null;
  extra: Json | null;
}

@reducer export function keep(ctx: Context, samples: Appender<Sample>, sample: Sample): u64 { return samples.insert(sample).id; }
@reducer export function forget(ctx: Context, samples: Writer<Sample>): void {
  const all = samples.all();
  for (let i = 0; i < all.length; i++) samples.delete(all[i].id);
}
@query export function count(ctx: Context, samples: Reader<Sample>): u64 { return samples.count(); }

function blank(): Sample {
  return new Sample(Nullable.none<bool>(), Nullable.none<i8>(), Nullable.none<i64>(), Nullable.none<u64>(), Nullable.none<f32>(), Nullable.none<f64>(), null, null, null, null, null);
}
@reducer export function keepLargeBig(ctx: Context, samples: Appender<Sample>): void { const s = blank(); s.big = Nullable.of<u64>(1 << 63); samples.insert(s); }
@reducer export function keepNaN(ctx: Context, samples: Appender<Sample>): void { const s = blank(); s.double = Nullable.of<f64>(NaN); samples.insert(s); }
@reducer export function keepMinusZero(ctx: Context, samples: Appender<Sample>): void { const s = blank(); s.double = Nullable.of<f64>(-0.0); s.single = Nullable.of<f32>(-0.0); samples.insert(s); }
@reducer export function keepSurrogate(ctx: Context, samples: Appender<Sample>): void { const s = blank(); s.label = "😀".charAt(0); samples.insert(s); }
@reducer export function keepNul(ctx: Context, samples: Appender<Sample>): void { const s = blank(); s.label = "a\\0b"; samples.insert(s); }
@reducer export function keepMoment(ctx: Context, samples: Appender<Sample>, micros: i64): void { const s = blank(); s.at = new Timestamp(micros); samples.insert(s); }
@reducer export function keepJson(ctx: Context, samples: Appender<Sample>, text: string): void { const s = blank(); s.extra = new Json(text); samples.insert(s); }

@query export function ordered(ctx: Context, samples: Reader<Sample>, by: string, isDescending: bool): u64[] {
  const where = samples.where;
  const selection = by == "flag" ? where.flag.any() : by == "small" ? where.small.any() : by == "whole" ? where.whole.any()
    : by == "big" ? where.big.any() : by == "single" ? where.single.any() : by == "double" ? where.double.any()
    : by == "label" ? where.label.any() : by == "data" ? where.data.any() : by == "person" ? where.person.any() : where.at.any();
  return (isDescending ? selection.newest(100) : selection.all()).map<u64>((sample) => sample.id);
}
@query export function withoutLabel(ctx: Context, samples: Reader<Sample>): u64[] {
  return [samples.where.label.isNull().count(), samples.where.label.is(null).count(), samples.where.label.from("").count(), samples.where.label.before("\\u{10FFFF}").count()];
}
@query export function wraps(ctx: Context, value: u8): u8 { return value + 1; }
`

const folder = new ModuleFolder({ 'index.ts': SOURCE })
const data = mkdtempSync(path.join(tmpdir(), 'remembrancer-'))
const host = await openHost({ data })
const { component } = await buildModule(folder.path, { optimize: false })
const database = await host.database('types', { create: true })
await database.publish(component)
const sarah = await database.as({ subject: 'sarah' })
after(async () => {
  await host.close()
  folder[Symbol.dispose]()
  rmSync(data, { recursive: true, force: true })
})

const NOTHING = { flag: null, small: null, whole: null, big: null, single: null, double: null, label: null, data: null, person: null, at: null, extra: null }
const INSERTED = { id: 0n, owner: sarah.identity }

async function keep(values: object): Promise<unknown> {
  return sarah.call('keep', [{ ...INSERTED, ...NOTHING, ...values }])
}

/** Keeps the values from the last to the first, and gives them as the host orders them. */
async function inOrder<T>(column: string, values: readonly T[], isDescending = false): Promise<T[]> {
  await sarah.call('forget')
  const ids = new Map<unknown, T>()
  for (const value of values.toReversed()) ids.set(await keep({ [column]: value }), value)
  const ordered = sarah.query('ordered', [column, isDescending])
  assert(Array.isArray(ordered))
  return ordered.map((id) => ids.get(id) as T)
}

const ORDERED: Readonly<Record<string, readonly unknown[]>> = {
  flag: [false, true],
  small: [-128, -1, 0, 127],
  whole: [-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n],
  big: [0n, 2n ** 32n, 2n ** 63n - 1n],
  single: [-Infinity, -1.5, 0, Math.fround(0.1), Infinity],
  double: [-Infinity, -Number.MAX_VALUE, -5e-324, 0, 5e-324, 0.1, Infinity],
  // "\uFFFD" is below "😀" by code point and above it by UTF-16 unit.
  label: ['', 'B', 'a', 'a ', 'aa', 'e\u0301', '\u00e9', '\uFFFD', '😀'],
  data: ['', '00', '0000', '01', 'ff'].map((hex) => new Uint8Array(Buffer.from(hex, 'hex'))),
  person: ['00'.repeat(32), `${'00'.repeat(31)}01`, 'ff'.repeat(32)],
  at: [-62_135_596_800_000_000n, -1n, 0n, 253_402_300_799_999_999n],
}

for (const [column, values] of Object.entries(ORDERED)) {
  test(`values of the column ${column} have one order, null last`, async () => {
    assert.deepEqual(await inOrder(column, [...values, null]), [...values, null])
  })
}

test('null is first when the order is descending', async () => {
  assert.deepEqual(await inOrder('label', ['b', 'a', null], true), [null, 'b', 'a'])
})

test('a row comes back as it was kept', async () => {
  await sarah.call('forget')
  const values = {
    flag: true,
    small: -128,
    whole: -(2n ** 63n),
    big: 2n ** 63n - 1n,
    single: Math.fround(0.1),
    double: 0.1,
    label: 'ä€😀',
    data: new Uint8Array([0, 255]),
    person: 'ab'.repeat(32),
    at: -1n,
    extra: '{ "a": 1, "a": [2] }',
  }
  const id = await keep(values)
  assert.deepEqual(sarah.rows('samples'), [{ id, owner: sarah.identity, ...values, data: Buffer.from([0, 255]) }])
})

test('nothing and absent are different', async () => {
  await sarah.call('forget')
  await keep({ label: '', data: new Uint8Array(0) })
  await keep({})
  assert.deepEqual(
    sarah.rows('samples').map(({ label, data: bytes }) => [label, bytes]),
    [
      ['', Buffer.alloc(0)],
      [null, null],
    ],
  )
})

test('null is found by equality and by no range', async () => {
  await sarah.call('forget')
  for (const label of ['', 'a', null]) await keep({ label })
  assert.deepEqual(sarah.query('without_label'), [1n, 1n, 2n, 2n])
})

test('minus zero is kept as zero', async () => {
  await sarah.call('forget')
  await sarah.call('keep_minus_zero')
  const [row] = sarah.rows('samples')
  assert.deepEqual([Object.is(row?.['double'], 0), Object.is(row?.['single'], 0)], [true, true])
})

const REFUSED: readonly (readonly [what: string, reducer: string, args: readonly unknown[]])[] = [
  ['u64 above 2^63 − 1', 'keep_large_big', []],
  ['NaN', 'keep_na_n', []],
  ['a lone surrogate', 'keep_surrogate', []],
  ['U+0000 in a text', 'keep_nul', []],
  ['a time before year 1', 'keep_moment', [-62_135_596_800_000_001n]],
  ['a time after year 9999', 'keep_moment', [253_402_300_800_000_000n]],
  ['Json that is none', 'keep_json', ['{"a":']],
  ['two JSON values', 'keep_json', ['1 2']],
  ['Json nested too deep', 'keep_json', [`${'['.repeat(65)}${']'.repeat(65)}`]],
]

for (const [what, reducer, args] of REFUSED) {
  test(`a row with ${what} is refused and not kept`, async () => {
    await sarah.call('forget')
    await assert.rejects(sarah.call(reducer, args), { code: 'ERR_ROW_MALFORMED' })
    assert.equal(sarah.query('count'), 0n)
  })
}

test('integers wrap in the module', () => {
  assert.equal(sarah.query('wraps', [255]), 0)
})
