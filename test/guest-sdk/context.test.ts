import assert from 'node:assert/strict'
import test from 'node:test'

import { BOB, Guest, SARAH } from './guest-fixture.ts'

const guest = await Guest.of(`
  import { Assurance, Level } from "remembrancer/guest-sdk";

  @query export function who(ctx: Context): string { return ctx.sender.toString() + " " + ctx.actor.toString(); }
  @query export function isSelf(ctx: Context): bool[] {
    return [ctx.actor == ctx.sender, ctx.actor != ctx.sender, ctx.sender == ctx.sender];
  }
  @query export function isNobody(ctx: Context, who: Identity | null): bool[] { return [who == null, ctx.sender == who, ctx.sender != who]; }
  @query export function moment(ctx: Context): Timestamp { return ctx.timestamp; }
  @query export function how(ctx: Context): string {
    return (ctx.assurance == Assurance.Provider ? "provider" : "other") + " " + (ctx.assurance >= Assurance.Claimed).toString() + " " + ctx.channel;
  }
  @query export function claim(ctx: Context, name: string): string | null { return ctx.claim(name); }
  @query export function claimAfterwards(ctx: Context, name: string): string {
    const role = ctx.claim(name);
    return (role === null ? "" : role) + ctx.channel + ctx.sender.toString();
  }
  @query export function draws(ctx: Context, count: u32): u64[] {
    const drawn: u64[] = [];
    for (let i: u32 = 0; i < count; i++) drawn.push(ctx.randomU64() >> 1);
    return drawn;
  }
  @query export function fractions(ctx: Context, count: u32): f64[] {
    const drawn: f64[] = [];
    for (let i: u32 = 0; i < count; i++) drawn.push(ctx.random());
    return drawn;
  }
  @reducer export function logs(ctx: Context): void { ctx.log("hällo"); ctx.log("careful", Level.Warn); ctx.log("", Level.Debug); ctx.log("bad", Level.Error); }
  @reducer export function fails(ctx: Context, message: string): void { return ctx.fail(message); }
  @reducer export function failsWithValue(ctx: Context): string[] { return ctx.fail<string[]>("no list"); }
  @reducer export function failsWithNumber(ctx: Context): u64 { return ctx.fail<u64>("no number"); }
  @reducer export function throws(ctx: Context): void { throw new Error("what happened"); }
  @reducer export function reaches(ctx: Context, index: u32): u8 { const bytes: u8[] = [1]; return bytes[index]; }
  @reducer export function divides(ctx: Context, by: u32): u32 { return 1 / by; }
`)

test('a call knows whose it is and who acts', () => {
  assert.equal(guest.call('who', { context: { actor: Buffer.from(BOB, 'hex') } }), `${SARAH} ${BOB}`)
  assert.deepEqual(guest.call('is_self'), [true, false, true])
  assert.deepEqual(guest.call('is_self', { context: { actor: Buffer.from(BOB, 'hex') } }), [false, true, true])
})

test('identities that differ only in their last byte are different', () => {
  const almost = Buffer.from(`${'11'.repeat(31)}10`, 'hex')
  assert.deepEqual(guest.call('is_self', { context: { actor: almost } }), [false, true, true])
})

test('an identity is not null', () => {
  assert.deepEqual(guest.call('is_nobody', { args: [null] }), [true, false, true])
  assert.deepEqual(guest.call('is_nobody', { args: [SARAH] }), [false, true, false])
})

test('a call has one time, an assurance and a channel', () => {
  assert.equal(guest.call('moment', { context: { timestamp: 1_795_340_100_123_456n } }), 1_795_340_100_123_456n)
  assert.equal(guest.call('how', { context: { assurance: 'provider', channel: 'twilio' } }), 'provider true twilio')
  assert.equal(guest.call('how', { context: { assurance: 'none', channel: '' } }), 'other false ')
})

test('claims are found by name', () => {
  const context = { claims: { role: 'nurse', ward: 'ä€😀' } }
  assert.equal(guest.call('claim', { args: ['ward'], context }), 'ä€😀')
  assert.equal(guest.call('claim', { args: ['rol'], context }), null)
  assert.equal(guest.call('claim_afterwards', { args: ['role'], context }), `nursetest${SARAH}`)
})

test('random numbers are those of xoroshiro128++ for the seed of the call', () => {
  for (const seed of [
    [1n, 2n],
    [2n ** 64n - 1n, 0x123456789abcdef0n],
    [0n, 0n],
  ] as const) {
    const expected = xoroshiro(seed[0] | (seed[0] === 0n && seed[1] === 0n ? 1n : 0n), seed[1], 50)
    assert.deepEqual(
      guest.call('draws', { args: [50], context: { seed } }),
      expected.map((value) => value >> 1n),
    )
    assert.deepEqual(
      guest.call('fractions', { args: [50], context: { seed } }),
      expected.map((value) => Number(value >> 11n) / 2 ** 53),
    )
  }
})

/** After the C of https://prng.di.unimi.it/xoroshiro128plusplus.c. */
function xoroshiro(first: bigint, second: bigint, count: number): bigint[] {
  const wrap = (value: bigint): bigint => BigInt.asUintN(64, value)
  const rotate = (value: bigint, by: bigint): bigint => wrap(value << by) | (value >> (64n - by))
  let [s0, s1] = [first, second]
  return Array.from({ length: count }, () => {
    const result = wrap(rotate(wrap(s0 + s1), 17n) + s0)
    s1 ^= s0
    s0 = rotate(s0, 49n) ^ s1 ^ wrap(s1 << 21n)
    s1 = rotate(s1, 28n)
    return result
  })
}

test('a module logs with a level', () => {
  guest.log.length = 0
  guest.call('logs')
  assert.deepEqual(guest.log, ['1 hällo', '2 careful', '0 ', '3 bad'])
})

test('fail ends the call with a message for its caller', () => {
  assert.deepEqual(guest.run('fails', { args: ['at most 4,000 ä€😀'] }), { kind: 'failed', message: 'at most 4,000 ä€😀' })
  assert.deepEqual(guest.run('fails_with_value'), { kind: 'failed', message: 'no list' })
  assert.deepEqual(guest.run('fails_with_number'), { kind: 'failed', message: 'no number' })
})

test('what aborts says where in the log and traps', () => {
  guest.log.length = 0
  assert.throws(() => guest.run('throws'), { code: 'ERR_CALL_TRAPPED' })
  assert.throws(() => guest.run('reaches', { args: [1] }), { code: 'ERR_CALL_TRAPPED' })
  assert.throws(() => guest.run('divides', { args: [0] }), { code: 'ERR_CALL_TRAPPED' })
  assert.deepEqual(guest.log, ['3 what happened at index.ts:33:57', '3 Index out of range at ~lib/array.ts:114:42'])
})
