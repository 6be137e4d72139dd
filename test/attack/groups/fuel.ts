/** Attacks that would never end: each must end by its fuel, and soon. */
import assert from 'node:assert/strict'

import type { ErrorCode } from '../../../host/errors.ts'
import { trapped } from '../attack.ts'
import type { Attack, CallAttack } from '../attack.ts'
import { verdictOf } from '../arena.ts'
import type { GuestShape } from '../guest.ts'

const FUEL = 'ERR_CALL_FUEL' as ErrorCode

/** The caller's own first note, as a key at 1024. */
const OWN_KEY = `(memory.copy (i32.const 1024) (i32.add (local.get $context) (i32.const 2)) (i32.const 32)) (i64.store (i32.const 1056) (i64.const 1))`

const ENDLESS: readonly (readonly [name: string, number: number, body: string, functions?: string])[] = [
  ['loops without end', 1, '(loop $on (br $on))'],
  ['loops without end through another function', 1, '(loop $on (call $idle) (br $on))', '(func $idle)'],
  [
    'loops without end through a table',
    1,
    '(loop $on (drop (call_indirect (type $attack) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (i32.const 1))) (br $on))',
  ],
  ['loops on a jump table', 1, '(loop $on (br_table $on $on $on (local.get $a)))'],
  [
    'divides without end',
    1,
    '(local.set $wide (i64.const -1)) (loop $on (local.set $wide (i64.or (i64.const 1) (i64.rem_u (i64.const -1) (local.get $wide)))) (br $on))',
  ],
  ['fills its memory without end', 2, '(loop $on (memory.fill (i32.const 65536) (i32.const 1) (i32.const 65536)) (br $on))'],
  ['copies its memory without end', 2, '(loop $on (memory.copy (i32.const 65536) (i32.const 65544) (i32.const 65528)) (br $on))'],
  ['grows its memory by nothing without end', 3, '(loop $on (drop (memory.grow (i32.const 0))) (br $on))'],
  ['calls a function of 20,000 locals without end', 9, '(loop $on (call $wide) (br $on))', `(func $wide (local ${'i64 '.repeat(20_000)}))`],
  ['logs nothing without end', 6, '(loop $on (call $write (i32.const 1) (i32.const 0) (i32.const 0)) (br $on))'],
  ['gets the same row without end', 6, `${OWN_KEY} (loop $on (call $get (call $first) (i32.const 1024) (i32.const 40) (i32.const 128)) (br $on))`],
  ['counts its rows without end', 6, '(loop $on (drop (call $count (call $first) (i32.const 512) (i32.const 6))) (br $on))'],
  ['updates no rows without end', 6, '(loop $on (drop (call $update (call $first) (i32.const 1024) (i32.const 4))) (br $on))'],
  [
    'deletes rows that are not there without end',
    6,
    `(i32.store (i32.const 1020) (i32.const 1)) ${OWN_KEY} (i64.store (i32.const 1056) (i64.const 999999)) (loop $on (drop (call $delete (call $first) (i32.const 1020) (i32.const 44))) (br $on))`,
  ],
]

const loops: readonly CallAttack[] = ENDLESS.map(([name, number, body, functions = '']) => ({
  kind: 'call',
  group: 'cpu',
  name,
  number,
  body,
  functions,
  expected: trapped(FUEL),
}))

/** A module that is endless somewhere else than in a reducer's body. */
function endlessIn(name: string, shape: Omit<GuestShape, 'reducers'>): Attack {
  return {
    kind: 'act',
    group: 'cpu',
    number: 1,
    name,
    expected: trapped(FUEL),
    act: async (arena) => {
      const attacker = await arena.attacker({ ...shape, reducers: [{ name: 'go', tables: [{ table: 'notes', mode: 'write' }], body: '(call $keep)' }] })
      return verdictOf(await attacker.call('go'))
    },
  }
}

const hidden: readonly Attack[] = [
  // `describe` needs no allocator, so the gate cannot know.
  endlessIn('loops without end in its allocator', {
    realloc: '(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (loop $on (br $on)) (unreachable))',
  }),
  endlessIn('loops without end in its post-return', { postReturn: '(func (export "cabi_post_call") (param i32) (loop $on (br $on)))' }),
  {
    kind: 'act',
    group: 'cpu',
    number: 7,
    name: 'counts ten thousand rows again and again',
    expected: trapped(FUEL),
    act: async (arena) => {
      const notes = [{ table: 'notes', mode: 'write' }] as const
      const fill = '(loop $on (call $keep) (br_if $on (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.const 10000))))'
      const count = '(loop $on (drop (call $count (call $first) (i32.const 512) (i32.const 6))) (br $on))'
      const attacker = await arena.attacker({
        reducers: [
          { name: 'fill', tables: notes, body: fill },
          { name: 'recount', tables: notes, body: count },
        ],
      })
      assert.equal(verdictOf(await attacker.call('fill')), 'ok')
      return verdictOf(await attacker.call('recount'))
    },
  },
]

export const fuelAttacks: readonly Attack[] = [...loops, ...hidden]
