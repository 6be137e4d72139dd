/** docs/api.md, Values: what goes in comes back the same, and what cannot is refused with its name. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import * as limits from '../../host/limits.ts'
import { ApiFixture } from './api-fixture.ts'
import { codeOf } from './http-client.ts'
import type { Reply } from './http-client.ts'
import { fuelOfStandIn } from './stand-in-shard.ts'

let host: ApiFixture
let sarah: string

before(async () => {
  host = await ApiFixture.start()
  sarah = await host.person('sarah')
})
after(() => host[Symbol.asyncDispose]())

function echo(type: string, value: unknown): Promise<Reply> {
  return host.request('POST', `/v1/databases/claims/call/echo_${type}`, { token: sarah, body: { args: { value } } })
}

const identity = 'ab'.repeat(32)

const same: Record<string, unknown[]> = {
  bool: [true, false],
  u8: [0, 255],
  i8: [-128, 127],
  u16: [0, 65_535],
  i16: [-32_768, 32_767],
  u32: [0, 4_294_967_295],
  i32: [-2_147_483_648, 2_147_483_647],
  u64: ['0', '9007199254740993', '9223372036854775807'],
  i64: ['-9223372036854775808', '9223372036854775807', '-1', '0'],
  f32: [0, 1.5, -2.25, 'Infinity', '-Infinity'],
  f64: [0.1, 5e-324, 1.7976931348623157e308, 'Infinity', '-Infinity'],
  string: ['', 'Zoë 👩‍🚀', '{"a":1}', '\u001b[2J', '__proto__', '\ufeffx'],
  bytes: ['', 'AA==', '/+8=', Buffer.alloc(1_000, 7).toString('base64')],
  identity: [identity],
  timestamp: ['2026-11-22T09:30:00.000001Z', '0001-01-01T00:00:00.000000Z', '9999-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999999Z'],
  json: ['{"b":1,"a":[1e400,  2]}', 'null', '"x"', '12345678901234567890'],
  array_u64: [[], ['1', '2']],
  nullable_u64: [null, '1'],
  record: [
    { id: '1', note: null },
    { id: '2', note: 'x' },
  ],
  row: [{ id: '1', caller: identity, content: 'hello', score: 3 }],
  nullable_row: [null],
  tree: [{ children: [{ children: [] }, { children: [] }] }],
}

for (const [type, values] of Object.entries(same)) {
  test(`${type} comes back as it was sent`, async () => {
    for (const value of values) {
      const reply = await echo(type, value)
      assert.deepEqual(reply.body, { result: value, version: 1, fuel: fuelOfStandIn })
      assert.equal(reply.status, 200)
    }
  })
}

const changed: [type: string, sent: unknown, answered: unknown][] = [
  ['u64', 7, '7'],
  ['i64', -9_007_199_254_740_991, '-9007199254740991'],
  ['f64', -0, 0],
  ['identity', identity.toUpperCase(), identity],
  ['timestamp', '2026-11-22T10:30:00+01:00', '2026-11-22T09:30:00.000000Z'],
]
for (const [type, sent, answered] of changed) {
  test(`${type} ${JSON.stringify(sent)} is another way to write ${JSON.stringify(answered)}`, async () => {
    assert.deepEqual((await echo(type, sent)).body, { result: answered, version: 1, fuel: fuelOfStandIn })
  })
}

const refused: Record<'ERR_ARGUMENT_TYPE' | 'ERR_ARGUMENT_RANGE', Record<string, unknown[]>> = {
  ERR_ARGUMENT_TYPE: {
    bool: [0, 'true', null, [], {}],
    u8: ['1', true, null, [1]],
    u64: ['', '1.0', '+1', '01', '0x10', '1e3', ' 1', '-0', 'NaN', true, null, [], {}],
    f64: ['NaN', '1', 'infinity', null, true],
    string: [1, null, ['a'], { toString: 'a' }],
    bytes: ['A', 'AA', 'AAB=', '_-8=', 'AB==', ' AA==', 'AA==\n', 'é', 5, null, [1, 2]],
    identity: ['ab', `${identity}00`, 'zz'.repeat(32), 5, null],
    timestamp: ['2026-02-30T00:00:00Z', '2026-11-22', '2026-11-22T09:30:00', '2026-11-22T09:30:00.0000001Z', '10000-01-01T00:00:00Z', 'now', 5, null],
    json: ['', '{', "{'a':1}", '1 2', 'undefined', '['.repeat(65) + ']'.repeat(65), 5, { a: 1 }],
    array_u64: ['1', { 0: '1' }, null, [null], [['1']]],
    record: [[], 'x', null, {}, { note: 'x' }, { id: '1', other: 1 }],
    row: [
      { id: '1', caller: identity, content: 'x' },
      { id: '1', caller: identity, content: 'x', score: 1, extra: 1 },
    ],
  },
  ERR_ARGUMENT_RANGE: {
    u8: [-1, 256, 1.5],
    i8: [-129, 128],
    u32: [-1, 4_294_967_296, 1e300],
    u64: ['-1', '9223372036854775808', '18446744073709551615', '9'.repeat(1_000), 9_007_199_254_740_992, 1.5, -1],
    i64: ['9223372036854775808', '-9223372036854775809', `-${'9'.repeat(20)}`],
    f32: [1e300],
    string: ['\ud800', 'a\0b'],
    json: ['"\ud800"'],
  },
}
for (const [code, types] of Object.entries(refused)) {
  for (const [type, values] of Object.entries(types)) {
    test(`${type} refuses with ${code} what it cannot hold, and names it`, async () => {
      for (const value of values) {
        const reply = await echo(type, value)
        assert.equal(codeOf(reply), `400 ${code}`, JSON.stringify(value))
        assert.ok(reply.body.error.message.startsWith(`echo_${type}(value)`), reply.body.error.message)
      }
    })
  }
}

test('a number that JSON cannot hold is refused, not rounded to Infinity', async () => {
  const reply = await host.request('POST', '/v1/databases/claims/call/echo_f64', { token: sarah, body: '{"args":{"value":1e999}}' })
  assert.equal(codeOf(reply), '400 ERR_ARGUMENT_RANGE')
})

test('the element of an array that is wrong is named', async () => {
  const reply = await echo('array_u8', [1, 2, 300])
  assert.match(reply.body.error.message, /^echo_array_u8\(value\)\[2\]: expected u8, 0 to 255, got 300/)
})

test('a nullable argument may be left out by name, and every other one is asked for', async () => {
  const call = (args: unknown) => host.request('POST', '/v1/databases/claims/call/remember_turn', { token: sarah, body: { args } })
  host.shard.onCall = async () => new Uint8Array(0)
  try {
    assert.equal((await call({ role: 'caller', content: 'hi' })).status, 200)
    assert.equal((await call(['caller', 'hi', null])).status, 200)
    assert.equal(codeOf(await call(['caller', 'hi'])), '400 ERR_ARGUMENT_COUNT')
    assert.equal(codeOf(await call(['caller', 'hi', 1, 2])), '400 ERR_ARGUMENT_COUNT')
    assert.equal(codeOf(await call({ role: 'caller' })), '400 ERR_ARGUMENT_COUNT')
    assert.equal(codeOf(await call('caller')), '400 ERR_REQUEST_MALFORMED')
    const reply = await call({ role: 'caller', content: 'hi', sender: 'bob', constructor: 1 })
    assert.deepEqual(reply.body.error, {
      code: 'ERR_ARGUMENT_COUNT',
      message: 'remember_turn takes 3 arguments (role: string, content: string, score: u32?), and has no "sender", "constructor"',
      detail: { parameters: ['role: string', 'content: string', 'score: u32?'] },
    })
  } finally {
    host.shard.onCall = async (_head, body) => body
  }
})

test('arguments larger than a call may carry are refused before the shard hears of them', async () => {
  const before = host.shard.sent.length
  assert.equal(codeOf(await echo('string', 'x'.repeat(limits.argumentsSizeBytesMax + 1))), '413 ERR_ARGUMENTS_TOO_LARGE')
  assert.equal(host.shard.sent.slice(before).filter(({ method }) => method === 'call').length, 0)
})

test('records that nest without end are refused', async () => {
  let tree: unknown = { children: [] }
  for (let depth = 0; depth < 200; depth++) tree = { children: [tree] }
  assert.equal(codeOf(await echo('tree', tree)), '400 ERR_REQUEST_MALFORMED')
})
