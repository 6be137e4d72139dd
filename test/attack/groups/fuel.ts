/** Guests that would never end: each must end by its fuel, and soon. */
import { trapped } from '../attack.ts'
import type { Attack, CallAttack } from '../attack.ts'
import { verdictOf } from '../arena.ts'
import type { GuestShape } from '../guest.ts'

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
  [
    'multiplies numbers that are almost zero without end',
    1,
    '(loop $on (f64.store (i32.const 1024) (f64.mul (f64.add (f64.load (i32.const 1024)) (f64.const 1e-310)) (f64.const 0.5))) (br $on))',
  ],
  [
    'reads 64 MiB of memory in no order without end',
    1,
    `(drop (memory.grow (i32.const 1022)))
    (loop $on (local.set $b (i32.add (local.get $b) (i32.load (i32.and (local.tee $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223))) (i32.const 0x3fffffc))))) (br $on))`,
  ],
  ['asks for more memory than there is without end', 3, '(loop $on (drop (memory.grow (i32.const 0x20001))) (drop (memory.grow (i32.const -1))) (br $on))'],
  ['fills its memory without end', 2, '(loop $on (memory.fill (i32.const 65536) (i32.const 1) (i32.const 65536)) (br $on))'],
  ['copies its memory without end', 2, '(loop $on (memory.copy (i32.const 65536) (i32.const 65544) (i32.const 65528)) (br $on))'],
  ['grows its memory by nothing without end', 3, '(loop $on (drop (memory.grow (i32.const 0))) (br $on))'],
  ['calls a function of 20,000 locals without end', 9, '(loop $on (call $wide) (br $on))', `(func $wide (local ${'i64 '.repeat(20_000)}))`],
  ['logs nothing without end', 6, '(loop $on (call $write (i32.const 1) (i32.const 0) (i32.const 0)) (br $on))'],
]

const loops: readonly CallAttack[] = ENDLESS.map(([name, number, body, functions = '']) => ({
  kind: 'call',
  group: 'cpu',
  name,
  number,
  body,
  functions,
  expected: trapped('ERR_CALL_FUEL'),
}))

/** A module that is endless somewhere else than in a reducer's body. */
function endlessIn(name: string, shape: Omit<GuestShape, 'reducers'>): Attack {
  return {
    kind: 'act',
    group: 'cpu',
    number: 1,
    name,
    expected: trapped('ERR_CALL_FUEL'),
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
]

export const fuelAttacks: readonly Attack[] = [...loops, ...hidden]
