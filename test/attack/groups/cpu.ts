/** Attacks on time and stack: recursion, slow compiles, crowds. What would not end is in fuel.ts. */
import assert from 'node:assert/strict'

import { leb, section } from '../../module/guests.ts'
import { bounded, refused, trapped } from '../attack.ts'
import type { Attack, CallAttack, PublishAttack } from '../attack.ts'
import type { Arena } from '../arena.ts'
import { verdictOf } from '../arena.ts'
import { attackingGuest } from '../guest.ts'
import { aroundCore, coreModule } from '../generated.ts'

/** 8 bytes a local: few of these frames fill a thread's stack, long before any count of calls does. */
const HUGE_FRAME = `(local ${'i64 '.repeat(3_000)})`
/** Uses what it is given after the call, so that no compiler makes a loop of it. */
const RECURSE = (self: string, before = '', locals = '') =>
  `(func $${self} (param i32) (result i32) ${locals} ${before} (i32.add (local.get 0) (call $${self} (i32.add (local.get 0) (i32.const 1)))))`

const DEEP: readonly (readonly [name: string, body: string, functions: string, mode?: 'read' | 'write'])[] = [
  ['recurses without end', '(drop (call $deep (i32.const 0)))', RECURSE('deep')],
  [
    'recurses without end over two functions',
    '(drop (call $ping (i32.const 0)))',
    '(func $ping (param i32) (result i32) (i32.add (i32.const 1) (call $pong (local.get 0)))) (func $pong (param i32) (result i32) (i32.add (i32.const 1) (call $ping (local.get 0))))',
  ],
  [
    'recurses without end through a table',
    '(drop (call_indirect (type $attack) (local.get 0) (local.get 1) (local.get 2) (local.get 3) (global.get $running)))',
    '',
    'read',
  ],
  ['recurses without end with frames of 24 KB', '(drop (call $deepWide (i32.const 0)))', RECURSE('deepWide', '', HUGE_FRAME)],
  [
    'recurses without end and logs at every level',
    '(drop (call $deepLog (i32.const 0)))',
    RECURSE('deepLog', '(call $write (i32.const 1) (i32.const 260) (i32.const 4))'),
  ],
  [
    'recurses without end and scans at every level',
    '(drop (call $deepScan (i32.const 0)))',
    RECURSE('deepScan', '(call $scan (call $first) (i32.const 512) (i32.const 6) (i32.const 128))'),
  ],
  [
    'stores rows from frames of 24 KB until the stack ends inside the host',
    '(drop (call $deepHost (i32.const 0)))',
    RECURSE('deepHost', '(call $keep) (drop (call $count (call $first) (i32.const 512) (i32.const 6)))', HUGE_FRAME),
  ],
]

const depthAttacks = DEEP.map(([name, body, functions, mode = 'write']): CallAttack => ({
  kind: 'call',
  group: 'cpu',
  number: 4,
  name,
  body,
  functions,
  tables: [{ table: 'notes', mode }],
  expected: trapped('ERR_CALL_DEPTH'),
}))

const publishes: readonly PublishAttack[] = [
  {
    kind: 'publish',
    group: 'cpu',
    number: 10,
    name: 'has a start function',
    expected: refused('ERR_COMPONENT_CORE'),
    component: async () => aroundCore((text) => text.replace(/\)$/, '(func $go (loop $on (br $on))) (start $go))')),
  },
  {
    kind: 'publish',
    group: 'cpu',
    number: 10,
    name: 'loops without end when it is asked for its description',
    expected: refused('ERR_DESCRIPTION'),
    component: () => attackingGuest({ reducers: [], more: '(func (export "_initialize") (loop $on (br $on)))' }),
  },
  {
    kind: 'publish',
    group: 'cpu',
    number: 9,
    name: 'declares 50 million locals in 8 KB',
    expected: refused('ERR_COMPONENT_CORE'),
    component: () => aroundCore(() => coreModule(locals(1_000, 50_000))),
  },
  {
    kind: 'publish',
    group: 'cpu',
    number: 9,
    name: 'nests 4,900 blocks in a function that runs',
    expected: bounded(),
    component: () => attackingGuest({ reducers: [], more: `(func (export "_initialize") ${'block '.repeat(4_900)} ${'end '.repeat(4_900)})` }),
  },
  {
    kind: 'publish',
    group: 'cpu',
    number: 9,
    name: 'holds a megabyte of one function',
    expected: bounded(),
    component: () => attackingGuest({ reducers: [], more: `(func (param i32) ${'(if (local.get 0) (then (local.set 0 (i32.const 1))))'.repeat(80_000)})` }),
  },
]

/** Sections of a core module with so many functions of so many locals each. */
function locals(functions: number, each: number): readonly Uint8Array[] {
  const body = Buffer.concat([leb(1), leb(each), Buffer.from([0x7f, 0x0b])])
  const bodies = Array.from({ length: functions }, () => Buffer.concat([leb(body.length), body]))
  return [section(1, [1, 0x60, 0, 0]), section(3, leb(functions), new Uint8Array(functions)), section(10, leb(functions), ...bodies)]
}

const crowd: Attack = {
  kind: 'act',
  group: 'cpu',
  number: 11,
  name: 'sends two thousand calls at once',
  expected: bounded(),
  act: async (arena: Arena) => {
    const attacker = await arena.attacker({ reducers: [{ name: 'go', tables: [{ table: 'notes', mode: 'write' }], body: '(call $keep)' }] })
    const verdicts = (await Promise.all(Array.from({ length: 2_000 }, () => attacker.call('go')))).map(verdictOf)
    const served = verdicts.filter((verdict) => verdict === 'ok').length
    assert.ok(served >= 500, `only ${served} were served`)
    assert.ok(verdicts.every((verdict) => verdict === 'ok' || verdict === 'ERR_BUSY'))
    assert.equal(await attacker.countNotes(), String(served))
    return 'ok'
  },
}

export const cpuAttacks: readonly Attack[] = [...depthAttacks, ...publishes, crowd]
