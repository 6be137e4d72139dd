/** Attacks with pointers and lengths: every one that a guest gives is checked, none is clamped. */
import assert from 'node:assert/strict'

import { bounded, trapped } from '../attack.ts'
import type { ActAttack, Attack, CallAttack } from '../attack.ts'
import { verdictOf } from '../arena.ts'
import type { GuestShape } from '../guest.ts'

const OUTSIDE = 'ERR_CALL_TRAPPED'

/** A guest of two pages ends at 131,072. */
const CALLS: readonly (readonly [name: string, body: string, result?: string])[] = [
  ['names a key that ends outside its memory', '(call $get (call $first) (i32.const 131040) (i32.const 40) (i32.const 128))'],
  ['names a key at the last address there is', '(call $get (call $first) (i32.const -1) (i32.const 40) (i32.const 128))'],
  ['names a key of 2^31 - 1 bytes', '(call $get (call $first) (i32.const 1024) (i32.const 0x7fffffff) (i32.const 128))'],
  ['names a key of minus one byte', '(call $get (call $first) (i32.const 1024) (i32.const -1) (i32.const 128))'],
  ['names a key whose end wraps around', '(call $get (call $first) (i32.const -16) (i32.const 32) (i32.const 128))'],
  ['has its rows put at the end of its memory', '(call $scan (call $first) (i32.const 512) (i32.const 6) (i32.const 131068))'],
  ['has its rows put outside its memory', '(call $scan (call $first) (i32.const 512) (i32.const 6) (i32.const -4))'],
  ['has its rows put at an odd address', '(call $scan (call $first) (i32.const 512) (i32.const 6) (i32.const 129))'],
  ['logs from outside its memory', '(call $write (i32.const 1) (i32.const 131071) (i32.const 2))'],
  ['fails with a message from outside its memory', '(call $fail (i32.const 131071) (i32.const 2))'],
  ['reads outside its memory', '(drop (i32.load (i32.const 131069)))'],
  ['writes outside its memory', '(memory.fill (i32.const 131071) (i32.const 1) (i32.const 2))'],
  [
    'calls a function that its table does not have',
    '(drop (call_indirect (type $attack) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (i32.const 100000)))',
  ],
  ['returns a result from the end of its memory', '(i32.const 131068)', 'u32'],
  ['returns a result from outside its memory', '(i32.const -4)', 'u32'],
  ['returns a list that ends outside its memory', '(call $answer (i32.const 131000) (i32.const 73))', 'bytes'],
  ['returns a list whose end wraps around', '(call $answer (i32.const -16) (i32.const 32))', 'bytes'],
  ['returns a failure from outside its memory', '(i32.store8 (i32.const 64) (i32.const 1)) (call $answer (i32.const 131000) (i32.const 73))', 'bytes'],
]

const calls: readonly CallAttack[] = CALLS.map(([name, body, result = 'void']) => ({
  kind: 'call',
  group: 'memory',
  number: 18,
  name,
  body,
  result,
  expected: trapped(OUTSIDE),
}))

const odd: readonly CallAttack[] = [
  {
    kind: 'call',
    group: 'memory',
    number: 18,
    name: 'returns a result from an odd address',
    expected: trapped('ERR_RESULT_MALFORMED'),
    body: '(i32.const 66)',
    result: 'u32',
  },
  {
    kind: 'call',
    group: 'memory',
    number: 18,
    name: 'returns neither a result nor a failure',
    expected: trapped('ERR_RESULT_MALFORMED'),
    body: '(i32.store8 (i32.const 64) (i32.const 2)) (call $answer (i32.const 1024) (i32.const 4))',
    result: 'u32',
  },
  {
    kind: 'call',
    group: 'memory',
    number: 18,
    name: 'returns a byte more than its type has',
    expected: trapped('ERR_RESULT_MALFORMED'),
    body: '(call $answer (i32.const 1024) (i32.const 5))',
    result: 'u32',
  },
  {
    kind: 'call',
    group: 'memory',
    number: 66,
    name: 'returns text that is no UTF-8',
    expected: trapped('ERR_RESULT_MALFORMED'),
    body: '(i32.store (i32.const 1024) (i32.const 1)) (i32.store8 (i32.const 1028) (i32.const 0xff)) (call $answer (i32.const 1024) (i32.const 5))',
    result: 'string',
  },
  {
    kind: 'call',
    group: 'memory',
    number: 67,
    name: 'returns a number that is none',
    expected: trapped('ERR_RESULT_MALFORMED'),
    body: '(f64.store (i32.const 1024) (f64.const nan)) (call $answer (i32.const 1024) (i32.const 8))',
    result: 'f64',
  },
  {
    kind: 'call',
    group: 'memory',
    number: 68,
    name: 'returns an integer past 2^63 - 1',
    expected: trapped('ERR_RESULT_MALFORMED'),
    body: '(i64.store (i32.const 1024) (i64.const -1)) (call $answer (i32.const 1024) (i32.const 8))',
    result: 'u64',
  },
]

/** A reducer that takes a list and stores a note, behind an allocator that lies. */
function allocatorThat(name: string, realloc: string, expected: ActAttack['expected']): Attack {
  const shape: GuestShape = {
    realloc: `(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) ${realloc})`,
    reducers: [{ name: 'go', tables: [{ table: 'notes', mode: 'write' }], body: '(call $scan (call $first) (i32.const 512) (i32.const 6) (i32.const 128))' }],
  }
  return { kind: 'act', group: 'memory', number: 18, name, expected, act: async (arena) => verdictOf(await (await arena.attacker(shape)).call('go')) }
}

const allocators: readonly Attack[] = [
  allocatorThat('allocates outside its memory', '(i32.const 131071)', trapped(OUTSIDE)),
  allocatorThat('allocates at the last address there is', '(i32.const -1)', trapped(OUTSIDE)),
  allocatorThat('allocates at odd addresses', '(i32.const 65537)', trapped(OUTSIDE)),
  allocatorThat('traps in its allocator', '(unreachable)', trapped(OUTSIDE)),
  // Only itself is hurt: the host writes into the guest's memory and nowhere else.
  allocatorThat('allocates everything at one address', '(i32.const 65536)', bounded()),
  allocatorThat('allocates over its own description', '(i32.const 4096)', bounded()),
]

const overlaps: readonly CallAttack[] = [
  {
    kind: 'call',
    group: 'memory',
    number: 20,
    name: 'has the address of its rows written over its result',
    expected: bounded(),
    body: '(call $scan (call $first) (i32.const 512) (i32.const 6) (i32.const 64)) (drop (i32.load (i32.const 64))) (i64.store (i32.const 64) (i64.const 0)) (i32.store (i32.const 72) (i32.const 0))',
  },
]

/** The host keeps a row until the call has ended: what it keeps must be a copy. */
const afterwards = (type: 'string' | 'bytes'): Attack => ({
  kind: 'act',
  group: 'memory',
  number: 18,
  name: `changes the ${type} of a row after it has stored it`,
  expected: bounded(),
  act: async (arena) => {
    const columns = [
      { name: 'id', type: 'u64' },
      { name: 'caller', type: 'identity' },
      { name: 'content', type },
    ]
    const table = { name: 'notes', columns, key: 'id', autoIncrement: true, owner: 'caller', clustered: [], uniques: [], indexes: [] }
    const notes = { name: 'notes', result: 'row:notes[]', tables: [{ table: 'notes', mode: 'read' }] } as const
    const reducers = [
      { name: 'store', tables: [{ table: 'notes', mode: 'write' }], body: '(call $keep) (memory.fill (i32.const 256) (i32.const 88) (i32.const 52))' },
      {
        ...notes,
        body: '(call $scan (call $first) (i32.const 512) (i32.const 6) (i32.const 128)) (call $answer (i32.load (i32.const 128)) (i32.load (i32.const 132)))',
      },
    ] as const
    const attacker = await arena.attacker({ reducers, tables: [table] })
    assert.equal(verdictOf(await attacker.call('store')), 'ok')
    const { body } = await attacker.call('notes')
    assert.equal(body.result[0].content, type === 'bytes' ? Buffer.from('kept').toString('base64') : 'kept')
    return 'ok'
  },
})

export const pointerAttacks: readonly Attack[] = [...calls, ...odd, ...allocators, ...overlaps, afterwards('string'), afterwards('bytes')]
