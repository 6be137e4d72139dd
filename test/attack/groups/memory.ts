/** Attacks on memory: the guest's own, and what the host sets aside because a guest says so. */

import { leb, section } from '../../module/guests.ts'
import { bounded, denied, refused, trapped } from '../attack.ts'
import type { Attack, CallAttack, PublishAttack } from '../attack.ts'
import { verdictOf } from '../arena.ts'
import type { Client } from '../arena.ts'
import { aroundCore } from '../generated.ts'

const MEMORY = '(memory (export "memory") 2)'

/** Memories and tables that a module may not even declare. */
const DECLARED: readonly (readonly [name: string, number: number, from: string, to: string])[] = [
  ['asks for 65,536 initial pages', 13, MEMORY, '(memory (export "memory") 65536)'],
  ['asks for 257 initial pages', 13, MEMORY, '(memory (export "memory") 257)'],
  ['has a second memory', 15, MEMORY, `${MEMORY} (memory 1)`],
  ['has a hundred memories', 15, MEMORY, `${MEMORY} ${'(memory 1)'.repeat(99)}`],
  ['imports its memory', 15, MEMORY, '(memory (export "memory") (import "env" "memory") 1)'],
  ['shares its memory', 62, MEMORY, '(memory (export "memory") 2 2 shared)'],
  ['has a memory of 64-bit addresses', 62, MEMORY, '(memory (export "memory") i64 2)'],
  ['has pages of one byte', 62, MEMORY, '(memory (export "memory") 131072 (pagesize 1))'],
  ['has a table of 5 million elements', 16, '(table 2 funcref)', '(table 5000000 funcref)'],
  ['has a table of 20,001 elements', 16, '(table 2 funcref)', '(table 20001 funcref)'],
  ['has a hundred tables', 16, '(table 2 funcref)', '(table 2 funcref)'.repeat(100)],
  ['keeps references in a table', 17, '(table 2 funcref)', '(table 2 funcref) (table 1 externref)'],
  ['allocates structs', 17, MEMORY, `${MEMORY} (type $box (struct (field i32)))`],
]

const declarations: readonly PublishAttack[] = DECLARED.map(([name, number, from, to]) => ({
  kind: 'publish',
  group: 'memory',
  name,
  number,
  expected: refused('ERR_COMPONENT_CORE'),
  component: () => aroundCore((text) => text.replace(from, () => to)),
}))

const oddSegments: readonly PublishAttack[] = [
  {
    kind: 'publish',
    group: 'memory',
    number: 10,
    name: 'has data that lies outside its memory',
    expected: refused('ERR_DESCRIPTION'),
    component: () => aroundCore((text) => text.replace(/\)$/, '(data (i32.const 131070) "abc"))')),
  },
  {
    kind: 'publish',
    group: 'memory',
    number: 10,
    name: 'has table elements that lie outside its table',
    expected: refused('ERR_DESCRIPTION'),
    component: () => aroundCore((text) => text.replace(/\)$/, '(elem (i32.const 1) 0 1))')),
  },
  {
    kind: 'publish',
    group: 'memory',
    number: 10,
    name: 'announces four billion data segments',
    expected: refused('ERR_COMPONENT_MALFORMED'),
    component: () => aroundCore(() => Buffer.concat([Buffer.from('\0asm\x01\0\0\0', 'latin1'), section(11, leb(0xffff_ffff))])),
  },
]

const call = (name: string, number: number, expected: CallAttack['expected'], body: string, more: Partial<CallAttack> = {}): CallAttack => ({
  kind: 'call',
  group: 'memory',
  name,
  number,
  expected,
  body,
  ...more,
})

const GROWN = '(drop (memory.grow (i32.const 96)))'

/** u32 count and that many bytes, all of them zero: a list of empty things is large only once it is unpacked. */
const results: readonly CallAttack[] = [
  call('returns a result of 5 MiB', 22, trapped('ERR_RESULT_TOO_LARGE'), `${GROWN} (call $answer (i32.const 65536) (i32.const 5242880))`, { result: 'bytes' }),
  call(
    'returns a list that says it has four billion elements',
    22,
    trapped('ERR_RESULT_MALFORMED'),
    '(i32.store (i32.const 1024) (i32.const -1)) (call $answer (i32.const 1024) (i32.const 4))',
    {
      result: 'bool[]',
    },
  ),
  call(
    'returns four million truth values',
    20,
    trapped('ERR_RESULT_MALFORMED'),
    `${GROWN} (i32.store (i32.const 131072) (i32.const 4190000)) (call $answer (i32.const 131072) (i32.const 4190004))`,
    {
      result: 'bool[]',
    },
  ),
]

/** What is small as bytes and large once it is read: the main thread unpacks it and writes it as JSON. */
const amplified: readonly CallAttack[] = [
  call(
    'returns four megabytes of empty lists in JSON',
    20,
    trapped('ERR_RESULT_MALFORMED'),
    `${GROWN} (local.set $a (i32.const 131076)) (i32.store8 (local.get $a) (i32.const 91))
    (loop $on (i32.store offset=1 (local.get $a) (i32.const 0x002c5d5b)) (br_if $on (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 3))) (i32.const 4300000))))
    (i32.store8 (local.get $a) (i32.const 93)) (i32.store (i32.const 131072) (i32.sub (local.get $a) (i32.const 131075)))
    (call $answer (i32.const 131072) (i32.sub (local.get $a) (i32.const 131071)))`,
    { result: 'json' },
  ),
  call(
    'returns four megabytes of characters that JSON writes as six',
    20,
    bounded(),
    `${GROWN} (memory.fill (i32.const 131076) (i32.const 1) (i32.const 4190000)) (i32.store (i32.const 131072) (i32.const 4190000)) (call $answer (i32.const 131072) (i32.const 4190004))`,
    { result: 'string' },
  ),
  call(
    'returns JSON nested a million deep',
    72,
    trapped('ERR_RESULT_MALFORMED'),
    `${GROWN} (memory.fill (i32.const 131076) (i32.const 91) (i32.const 1000000)) (i32.store (i32.const 131072) (i32.const 1000000)) (call $answer (i32.const 131072) (i32.const 1000004))`,
    { result: 'json' },
  ),
]

const rows: readonly CallAttack[] = [
  call(
    'stores 10,001 rows',
    22,
    trapped('ERR_CALL_LIMIT'),
    '(loop $on (call $keep) (br_if $on (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.const 10001))))',
  ),
  call('stores a batch that says it has four billion rows', 20, trapped('ERR_CALL_LIMIT'), '(i32.store (i32.const 256) (i32.const -1)) (call $keep)'),
  call(
    'stores a row of 300 KB',
    65,
    trapped('ERR_ROW_TOO_LARGE'),
    '(drop (memory.grow (i32.const 16))) (memory.fill (i32.const 131072) (i32.const 65) (i32.const 400000)) (memory.copy (i32.const 131072) (i32.const 256) (i32.const 44)) (i32.store (i32.const 131116) (i32.const 300000)) (call $insert (call $first) (i32.const 131072) (i32.const 300048) (i32.const 128))',
  ),
  call(
    'stores the same 200 KB a hundred times',
    20,
    trapped('ERR_CALL_LIMIT'),
    '(drop (memory.grow (i32.const 16))) (memory.fill (i32.const 131072) (i32.const 65) (i32.const 400000)) (memory.copy (i32.const 131072) (i32.const 256) (i32.const 44)) (i32.store (i32.const 131116) (i32.const 200000)) (loop $on (call $insert (call $first) (i32.const 131072) (i32.const 200048) (i32.const 128)) (br_if $on (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.const 100))))',
  ),
  call(
    'names one list both as its rows and as the place of the answer',
    20,
    bounded(),
    '(call $insert (call $first) (i32.const 256) (i32.const 52) (i32.const 256))',
  ),
]

const client: readonly Attack[] = [
  {
    kind: 'act',
    group: 'memory',
    number: 19,
    name: 'sends arguments of 3 MiB',
    expected: denied('ERR_REQUEST_TOO_LARGE'),
    act: async (arena) => verdictOf(await (await talkative(arena)).call('hear', ['x'.repeat(3 * 2 ** 20)])),
  },
  {
    kind: 'act',
    group: 'memory',
    number: 19,
    name: 'sends arguments that are 1.5 MiB once they are packed',
    expected: denied('ERR_ARGUMENTS_TOO_LARGE'),
    act: async (arena) => verdictOf(await (await talkative(arena)).call('hear', ['x'.repeat(1.5 * 2 ** 20)])),
  },
  {
    kind: 'act',
    group: 'memory',
    number: 72,
    name: 'sends arguments nested a hundred thousand deep',
    expected: denied('ERR_REQUEST_MALFORMED'),
    act: async (arena) => {
      const { database, token } = await talkative(arena)
      const body = `{"args":[${'['.repeat(100_000)}${']'.repeat(100_000)}]}`
      return verdictOf(await arena.host.request('POST', `/v1/databases/${database}/call/hear`, { token, body }))
    },
  },
]

async function talkative(arena: Parameters<Extract<Attack, { kind: 'act' }>['act']>[0]): Promise<Client> {
  return arena.attacker({ reducers: [{ name: 'hear', params: ['string'], body: '' }] })
}

export const memoryAttacks: readonly Attack[] = [...declarations, ...oddSegments, ...results, ...amplified, ...rows, ...client]
