/** Forged capabilities: handles that are guessed, kept, passed on or used where nothing may be called. */
import assert from 'node:assert/strict'

import { denied, refused, trapped } from '../attack.ts'
import type { Attack, CallAttack, GuestTableUse } from '../attack.ts'
import { verdictOf } from '../arena.ts'
import { attackingGuest } from '../guest.ts'
import type { GuestReducer, GuestShape } from '../guest.ts'

const call = (name: string, number: number, expected: CallAttack['expected'], body: string, tables?: readonly GuestTableUse[]): CallAttack => ({
  kind: 'call',
  group: 'capability',
  name,
  number,
  expected,
  body,
  ...(tables === undefined ? {} : { tables }),
})

const scanWith = (handle: string): string => `(call $scan ${handle} (i32.const 512) (i32.const 6) (i32.const 128))`
const INVALID = trapped('ERR_HANDLE_INVALID')

const guesses: readonly CallAttack[] = [
  call('guesses the handle 0', 26, INVALID, scanWith('(i32.const 0)')),
  call('guesses the handle 1', 26, INVALID, scanWith('(i32.const 1)')),
  call('guesses the largest number there is', 26, INVALID, scanWith('(i32.const -1)')),
  call('guesses the handle beside its own', 26, INVALID, scanWith('(i32.add (call $first) (i32.const 1))')),
  call('adds 2^31 to its handle', 27, INVALID, scanWith('(i32.add (call $first) (i32.const 0x80000000))')),
  call('flips a bit of its handle', 27, INVALID, scanWith('(i32.xor (call $first) (i32.const 64))')),
  call('drops a handle that it does not have', 26, INVALID, '(call $drop (i32.const 7))'),
  call('writes with a guessed handle', 26, INVALID, '(call $insert (i32.const 3) (i32.const 256) (i32.const 52) (i32.const 128))'),
  call('uses a handle that it has dropped', 28, trapped('ERR_HANDLE_CLOSED'), `(call $drop (call $first)) ${scanWith('(call $first)')}`),
  call('drops a handle twice', 28, trapped('ERR_HANDLE_CLOSED'), '(call $drop (call $first)) (call $drop (call $first))'),
]

const notes = (mode: GuestTableUse['mode']): readonly GuestTableUse[] => [{ table: 'notes', mode }]
const DENIED = denied('ERR_HANDLE_MODE')
const ONE_KEY =
  '(i32.store (i32.const 1020) (i32.const 1)) (memory.copy (i32.const 1024) (i32.add (local.get $context) (i32.const 2)) (i32.const 32)) (i64.store (i32.const 1056) (i64.const 1))'

const modes: readonly CallAttack[] = [
  call('inserts with a handle that reads', 32, DENIED, '(call $keep)', notes('read')),
  call('updates with a handle that reads', 32, DENIED, '(drop (call $update (call $first) (i32.const 256) (i32.const 52)))', notes('read')),
  call('deletes with a handle that reads', 32, DENIED, `${ONE_KEY} (drop (call $delete (call $first) (i32.const 1020) (i32.const 44)))`, notes('read')),
  call('scans with a handle that appends', 32, DENIED, scanWith('(call $first)'), notes('append')),
  call('counts with a handle that appends', 32, DENIED, '(drop (call $count (call $first) (i32.const 512) (i32.const 6)))', notes('append')),
  call('gets with a handle that appends', 32, DENIED, `${ONE_KEY} (call $get (call $first) (i32.const 1024) (i32.const 40) (i32.const 128))`, notes('append')),
  call('updates with a handle that appends', 32, DENIED, '(drop (call $update (call $first) (i32.const 256) (i32.const 52)))', notes('append')),
  call('deletes with a handle that appends', 32, DENIED, `${ONE_KEY} (drop (call $delete (call $first) (i32.const 1020) (i32.const 44)))`, notes('append')),
  call(
    'writes rows of one table through the handle of another',
    31,
    trapped('ERR_ROW_MALFORMED'),
    '(call $insert (i32.load offset=4 (local.get $tables)) (i32.const 256) (i32.const 52) (i32.const 128))',
    [...notes('write'), { table: 'secrets', mode: 'write' }],
  ),
]

/** Gives its handle away, and uses whatever number it is given. */
const HANDING: readonly GuestReducer[] = [
  { name: 'give', tables: notes('write'), result: 'u32', body: '(i32.store (i32.const 1024) (call $first)) (call $answer (i32.const 1024) (i32.const 4))' },
  { name: 'take', tables: notes('write'), params: ['u32'], body: scanWith('(i32.load (local.get $args))') },
]

const kept: readonly Attack[] = [
  {
    kind: 'act',
    group: 'capability',
    number: 29,
    name: 'uses a handle of an earlier call',
    expected: INVALID,
    act: async (arena) => {
      const attacker = await arena.attacker({ reducers: HANDING })
      const { result } = (await attacker.call('give')).body
      return verdictOf(await attacker.call('take', [result]))
    },
  },
  {
    kind: 'act',
    group: 'capability',
    number: 30,
    name: 'uses a handle of another database',
    expected: INVALID,
    act: async (arena) => {
      const [here, there] = [await arena.attacker({ reducers: HANDING }), await arena.attacker({ reducers: HANDING })]
      const { result } = (await there.call('give')).body
      return verdictOf(await here.call('take', [result]))
    },
  },
  {
    kind: 'act',
    group: 'capability',
    number: 29,
    name: 'finds two hundred handles of two hundred calls all different',
    expected: denied('ERR_HANDLE_INVALID'),
    act: async (arena) => {
      const attacker = await arena.attacker({ reducers: HANDING })
      const seen = new Set<number>()
      for (let round = 0; round < 200; round += 1) seen.add((await attacker.call('give')).body.result)
      // Two of 200 random tags of 27 bits are equal once in 6,700 runs.
      assert.ok(seen.size >= 199)
      return verdictOf(await attacker.call('take', [[...seen][0]]))
    },
  },
]

const KEEPING: GuestReducer = { name: 'go', tables: notes('write'), body: '(call $keep)' }

/** The host may be called from inside `call` and from nowhere else. */
function callsFrom(name: string, shape: Omit<GuestShape, 'reducers'>, number = 33): Attack {
  return {
    kind: 'act',
    group: 'capability',
    number,
    name,
    expected: trapped('ERR_CALL_TRAPPED'),
    act: async (arena) => {
      const attacker = await arena.attacker({ reducers: [KEEPING], ...shape })
      return verdictOf(await attacker.call('go'))
    },
  }
}

const LOG = '(call $write (i32.const 1) (i32.const 256) (i32.const 1))'
const realloc = (body: string): string => `(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) ${body} (i32.const 65536))`
const postReturn = (body: string): string => `(func (export "cabi_post_call") (param i32) ${body})`

const elsewhere: readonly Attack[] = [
  callsFrom('logs from inside its allocator', { realloc: realloc(LOG) }),
  callsFrom('stores a row from inside its allocator', { realloc: realloc('(if (global.get $tablesAt) (then (call $keep)))') }),
  callsFrom('fails from inside its allocator', { realloc: realloc('(call $fail (i32.const 256) (i32.const 1))') }),
  callsFrom('logs after its call has returned', { postReturn: postReturn(LOG) }),
  callsFrom('stores a row after its call has returned', { postReturn: postReturn('(call $keep)') }),
  callsFrom('fails after its call has returned', { postReturn: postReturn('(call $fail (i32.const 256) (i32.const 1))') }),
  {
    kind: 'publish',
    group: 'capability',
    number: 33,
    name: 'logs while it is asked for its description',
    expected: refused('ERR_DESCRIPTION'),
    component: () => attackingGuest({ reducers: [KEEPING], more: `(func (export "_initialize") ${LOG})` }),
  },
]

const goesOn: Attack = {
  kind: 'act',
  group: 'capability',
  number: 36,
  name: 'goes on after the host has refused it',
  expected: denied('ERR_HANDLE_MODE'),
  act: async (arena) => {
    const attacker = await arena.attacker({ reducers: [{ name: 'go', tables: notes('read'), body: `(call $keep) ${LOG}` }] })
    const verdict = verdictOf(await attacker.call('go'))
    const { body: log } = await arena.host.request('GET', `/v1/databases/${attacker.database}/logs`, { token: arena.host.operator })
    assert.doesNotMatch(log, /"level":"info"/)
    return verdict
  },
}

const tooMany: Attack = {
  kind: 'publish',
  group: 'capability',
  number: 21,
  name: 'takes thirty-three tables in one call',
  expected: refused('ERR_DESCRIPTION'),
  component: () =>
    attackingGuest({ reducers: [{ name: 'go', body: '', tables: Array.from({ length: 33 }, () => ({ table: 'notes', mode: 'read' }) as const) }] }),
}

export const capabilityAttacks: readonly Attack[] = [...guesses, ...modes, ...kept, ...elsewhere, goesOn, tooMany]
