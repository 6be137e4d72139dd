/** Storms of small questions to the host: what is cheap to ask and dear to answer must cost what it costs. */
import assert from 'node:assert/strict'

import type { ErrorCode } from '../../../host/errors.ts'
import { trapped } from '../attack.ts'
import type { Attack, CallAttack } from '../attack.ts'
import { verdictOf } from '../arena.ts'

/** The key of a note that the caller could have and has not, at 1024; a list of it at 1020. */
const NO_KEY = `(i32.store (i32.const 1020) (i32.const 1)) (memory.copy (i32.const 1024) (i32.add (local.get $context) (i32.const 2)) (i32.const 32)) (i64.store (i32.const 1056) (i64.const 999999))`

/** At 2048 a scan of eight ranges over the key, whose operators are the bits of $b: 65,536 statements to prepare. */
const NEXT_SHAPE = `(i32.store8 (i32.const 2048) (i32.const 0)) (i32.store (i32.const 2049) (i32.const 1)) (i32.store8 (i32.const 2053) (i32.const 8))
  (local.set $a (i32.const 0)) (local.set $b (i32.add (local.get $b) (i32.const 1)))
  (loop $term
    (local.set $c (i32.add (i32.const 2054) (i32.mul (local.get $a) (i32.const 11))))
    (i32.store8 (i32.add (local.get $c) (i32.const 2)) (i32.add (i32.const 2) (i32.and (i32.const 3) (i32.shr_u (local.get $b) (i32.shl (local.get $a) (i32.const 1))))))
    (br_if $term (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.const 8))))`

const scan = (at: number, size: number): string => `(call $scan (call $first) (i32.const ${at}) (i32.const ${size}) (i32.const 128))`
const count = (at: number, size: number): string => `(drop (call $count (call $first) (i32.const ${at}) (i32.const ${size})))`

interface Storm {
  readonly name: string
  readonly question: string
  readonly before?: string
  readonly verdict?: ErrorCode
  readonly number?: number
}

const STORMS: readonly Storm[] = [
  { name: 'gets a row that is not there without end', before: NO_KEY, question: '(call $get (call $first) (i32.const 1024) (i32.const 40) (i32.const 128))' },
  { name: 'scans for no rows without end', before: '(i32.store (i32.const 513) (i32.const 0))', question: scan(512, 6) },
  { name: 'scans its rows without end', question: scan(512, 6) },
  { name: 'scans in another shape each time', number: 8, question: NEXT_SHAPE + scan(2_048, 94), verdict: 'ERR_CALL_LIMIT' },
  { name: 'counts in another shape each time', number: 8, question: NEXT_SHAPE + count(2_048, 94), verdict: 'ERR_CALL_LIMIT' },
  { name: 'counts its rows without end', question: count(512, 6) },
  { name: 'updates no rows without end', question: '(drop (call $update (call $first) (i32.const 1024) (i32.const 4)))' },
  {
    name: 'updates a row that is not there without end',
    before: '(i64.store (i32.const 260) (i64.const 999999))',
    question: '(drop (call $update (call $first) (i32.const 256) (i32.const 52)))',
  },
  {
    name: 'deletes ten thousand rows that are not there, again and again',
    before: `${NO_KEY} (drop (memory.grow (i32.const 8))) (i32.store (i32.const 131072) (i32.const 10000))
    (loop $key (memory.copy (i32.add (i32.const 131076) (i32.mul (local.get $a) (i32.const 40))) (i32.const 1024) (i32.const 40))
      (br_if $key (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.const 10000))))`,
    question: '(drop (call $delete (call $first) (i32.const 131072) (i32.const 400004)))',
  },
  { name: 'deletes a row that is not there without end', before: NO_KEY, question: '(drop (call $delete (call $first) (i32.const 1020) (i32.const 44)))' },
]

const storms = STORMS.map(({ name, question, before = '', verdict = 'ERR_CALL_FUEL', number = 6 }): CallAttack => ({
  kind: 'call',
  group: 'cpu',
  name,
  number,
  body: `${before} (loop $on ${question} (br $on))`,
  expected: trapped(verdict),
}))

const notes = [{ table: 'notes', mode: 'write' }] as const

const recount: Attack = {
  kind: 'act',
  group: 'cpu',
  number: 7,
  name: 'counts ten thousand rows again and again',
  expected: trapped('ERR_CALL_LIMIT'),
  act: async (arena) => {
    const fill = '(loop $on (call $keep) (br_if $on (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.const 10000))))'
    const attacker = await arena.attacker({
      reducers: [
        { name: 'fill', tables: notes, body: fill },
        { name: 'recount', tables: notes, body: `(loop $on ${count(512, 6)} (br $on))` },
      ],
    })
    assert.equal(verdictOf(await attacker.call('fill')), 'ok')
    return verdictOf(await attacker.call('recount'))
  },
}

export const storageLoadAttacks: readonly Attack[] = [...storms, recount]
