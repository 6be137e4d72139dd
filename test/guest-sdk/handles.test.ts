import assert from 'node:assert/strict'
import test from 'node:test'

import { BOB, Guest, SARAH, ScriptedTable, text, u32, u64 } from './guest-fixture.ts'
import { refusal } from './module-fixture.ts'

const TABLES = `
  @table("turns") @index("role", "at") class Turn {
    @autoIncrement id: u64;
    @owner caller: Identity;
    role: string;
    at: Timestamp;
    score: Nullable<u16>;
    note: string | null;
  }
  @table("prices") class Price { @primaryKey name: string; cents: u32; }
`
const guest = await Guest.of(`${TABLES}
  @query export function get(ctx: Context, turns: Reader<Turn>, id: u64): Turn | null { return turns.get(id); }
  @query export function getOf(ctx: Context, turns: Reader<Turn>, who: Identity, id: u64): Turn | null { return turns.getOf(who, id); }
  @query export function getPrice(ctx: Context, prices: Reader<Price>, name: string): Price | null { return prices.get(name); }

  @query export function reads(ctx: Context, turns: Reader<Turn>): u64[] {
    const n = turns.latest(3).length + turns.newest(4).length + turns.oldest(5).length + turns.all().length;
    return [n, turns.count()];
  }
  @query export function selects(ctx: Context, turns: Reader<Turn>, from: Timestamp, until: Timestamp): u64 {
    turns.where.role.is("agent").latest(20);
    turns.where.role.is("agent").and.at.from(from).newest(1);
    turns.where.role.is("agent").and.at.between(from, until).all();
    turns.where.at.after(from).and.at.before(until).oldest(2);
    turns.where.at.any().first();
    turns.where.score.is(Nullable.of<u16>(7)).last();
    turns.where.score.isNull().and.note.isNull().and.note.is("x").all();
    return turns.where.at.until(until).count();
  }
  @query export function keeps(ctx: Context, turns: Reader<Turn>): u64 {
    const agent = turns.where.role.is("agent");
    agent.and.note.is("x").latest(1);
    agent.latest(2);
    return agent.count();
  }

  @reducer export function add(ctx: Context, turns: Appender<Turn>, who: Turn): Turn { return turns.insert(who); }
  @reducer export function addAll(ctx: Context, turns: Appender<Turn>, all: Turn[]): u64[] {
    turns.insertAll(all);
    return all.map<u64>((turn) => turn.id);
  }
  @reducer export function addPrice(ctx: Context, prices: Appender<Price>, name: string): Price { return prices.insert(new Price(name, 5)); }
  @reducer export function change(ctx: Context, turns: Writer<Turn>, turn: Turn): bool[] {
    return [turns.update(turn), turns.delete(turn.id), turns.deleteOf(turn.caller, turn.id)];
  }
  @reducer export function mixed(ctx: Context, name: string, prices: Writer<Price>, cents: u32, turns: Reader<Turn>): u64 {
    if (prices.get(name) === null) prices.insert(new Price(name, cents));
    prices.delete(name);
    return turns.count();
  }
`)

const turn = { id: 9n, caller: BOB, role: 'agent', at: 5n, score: 7, note: null }
const packedTurn = (id: bigint, owner: string): string => `${u64(id)}${owner}${text('agent')}${u64(5n)}01070000`

test('a key is the owner and the id', () => {
  const turns = new ScriptedTable({ get: u32(1) + packedTurn(9n, BOB) })
  assert.deepEqual(guest.call('get', { args: [9n], tables: [turns] }), turn)
  assert.deepEqual(guest.call('get_of', { args: [BOB, 9n], tables: [turns] }), turn)
  assert.deepEqual(turns.asked, [`get ${SARAH}${u64(9n)}`, `get ${BOB}${u64(9n)}`])
})

test('a row that is hidden or absent is null', () => {
  assert.equal(guest.call('get', { args: [9n], tables: [new ScriptedTable()] }), null)
})

test('a table without an owner has keys without one', () => {
  const prices = new ScriptedTable({ get: `${u32(1)}${text('tea')}${u32(250)}` })
  assert.deepEqual(guest.call('get_price', { args: ['tea'], tables: [prices] }), { name: 'tea', cents: 250 })
  assert.deepEqual(prices.asked, [`get ${text('tea')}`])
})

test('another’s row of a table without an owner cannot even be asked for', async () => {
  const [line] = await refusal(
    `${TABLES} @query export function read(ctx: Context, prices: Reader<Price>): Price | null { return prices.getOf(ctx.sender, "tea"); }`,
  )
  assert.match(line ?? '', /getOf: this table has no @owner, use get/)
})

test('reads without conditions walk the table', () => {
  const turns = new ScriptedTable({ count: 2n ** 20n, scan: u32(1) + packedTurn(9n, BOB) })
  assert.deepEqual(guest.call('reads', { tables: [turns] }), [4n, 2n ** 20n])
  assert.deepEqual(turns.asked, [`scan 02${u32(3)}00`, `scan 01${u32(4)}00`, `scan 00${u32(5)}00`, 'scan 00ffffffff00', 'count 00ffffffff00'])
})

test('conditions become terms in the order in which they are written', () => {
  const turns = new ScriptedTable({ count: 3n })
  assert.equal(guest.call('selects', { args: [1n, 2n], tables: [turns] }), 3n)
  const agent = `020001${text('agent')}`
  assert.deepEqual(turns.asked, [
    `scan 02${u32(20)}01${agent}`,
    `scan 01${u32(1)}02${agent}030005${u64(1n)}`,
    `scan 00ffffffff03${agent}030005${u64(1n)}030003${u64(2n)}`,
    `scan 00${u32(2)}02030004${u64(1n)}030002${u64(2n)}`,
    `scan 00${u32(1)}01030000`,
    `scan 01${u32(1)}01040001010700`,
    `scan 00ffffffff0304000100050001000500010178`.replace(/0178$/, `01${text('x')}`),
    `count 00ffffffff01030003${u64(2n)}`,
  ])
})

test('a selection that was narrowed is itself as it was', () => {
  const turns = new ScriptedTable({ count: 3n })
  guest.call('keeps', { tables: [turns] })
  const agent = `020001${text('agent')}`
  assert.deepEqual(turns.asked, [`scan 02${u32(1)}02${agent}05000101${text('x')}`, `scan 02${u32(2)}01${agent}`, `count 00ffffffff01${agent}`])
})

test('isNull of a column that is never null is an error', async () => {
  const [line] = await refusal(`${TABLES} @query export function read(ctx: Context, turns: Reader<Turn>): u64 { return turns.where.role.isNull().count(); }`)
  assert.match(line ?? '', /isNull: this column is never null/)
})

test('an inserted row is the sender’s, whatever it said before, and gets its id', () => {
  const turns = new ScriptedTable({ insert: u64(1n) })
  assert.deepEqual(guest.call('add', { args: [turn], tables: [turns] }), { ...turn, id: 1n, caller: SARAH })
  assert.deepEqual(turns.asked, [`insert ${u32(1)}${packedTurn(0n, SARAH)}`])
})

test('many rows are inserted in one crossing', () => {
  const turns = new ScriptedTable({ insert: u64(4n) + u64(5n) })
  assert.deepEqual(guest.call('add_all', { args: [[turn, turn]], tables: [turns] }), [4n, 5n])
  assert.deepEqual(turns.asked, [`insert ${u32(2)}${packedTurn(0n, SARAH)}${packedTurn(0n, SARAH)}`])
})

test('a key that the author fills stays as it is', () => {
  const prices = new ScriptedTable()
  assert.deepEqual(guest.call('add_price', { args: ['tea'], tables: [prices] }), { name: 'tea', cents: 5 })
  assert.deepEqual(prices.asked, [`insert ${u32(1)}${text('tea')}${u32(5)}`])
})

test('updates and deletes say whether there was a row', () => {
  const turns = new ScriptedTable({ update: 1, delete: 0 })
  assert.deepEqual(guest.call('change', { args: [turn], tables: [turns] }), [true, false, false])
  assert.deepEqual(turns.asked, [`update ${u32(1)}${packedTurn(9n, BOB)}`, `delete ${u32(1)}${SARAH}${u64(9n)}`, `delete ${u32(1)}${BOB}${u64(9n)}`])
})

test('handles and values may be mixed in a signature', () => {
  const prices = new ScriptedTable()
  const turns = new ScriptedTable({ count: 8n })
  assert.equal(guest.call('mixed', { args: ['tea', 250], tables: [prices, turns] }), 8n)
  assert.deepEqual(prices.asked, [`get ${text('tea')}`, `insert ${u32(1)}${text('tea')}${u32(250)}`, `delete ${u32(1)}${text('tea')}`])
})
