/** Attacks on other people's rows, by a module that writes its bytes itself. */
import assert from 'node:assert/strict'

import { bounded, denied } from '../attack.ts'
import type { Attack, Expected } from '../attack.ts'
import { verdictOf } from '../arena.ts'
import type { Arena, Client } from '../arena.ts'
import type { GuestReducer } from '../guest.ts'

const notes = [{ table: 'notes', mode: 'write' }] as const

/** The identity that the caller names, in place of the owner of the note at 256 or in the key at 1024. */
const VICTIM_IN_ROW = '(memory.copy (i32.const 268) (local.get $args) (i32.const 32))'
const VICTIM_IN_KEY =
  '(i32.store (i32.const 1020) (i32.const 1)) (memory.copy (i32.const 1024) (local.get $args) (i32.const 32)) (i64.store (i32.const 1056) (i64.const 1))'
const BATCH = '(i32.store (i32.const 1500) (i32.load (i32.load (i32.const 128)))) (call $answer (i32.const 1500) (i32.const 4))'
const COUNTED = '(i32.store (i32.const 1500) (local.get $a)) (call $answer (i32.const 1500) (i32.const 4))'

const REDUCERS: readonly GuestReducer[] = [
  { name: 'keep', tables: notes, body: '(call $keep)' },
  { name: 'insert_for', tables: notes, params: ['identity'], body: `${VICTIM_IN_ROW} (call $keep)` },
  {
    name: 'update_of',
    tables: notes,
    params: ['identity'],
    result: 'u32',
    body: `${VICTIM_IN_ROW} (i64.store (i32.const 260) (i64.const 1)) (local.set $a (call $update (call $first) (i32.const 256) (i32.const 52))) ${COUNTED}`,
  },
  {
    name: 'delete_of',
    tables: notes,
    params: ['identity'],
    result: 'u32',
    body: `${VICTIM_IN_KEY} (local.set $a (call $delete (call $first) (i32.const 1020) (i32.const 44))) ${COUNTED}`,
  },
  {
    name: 'get_of',
    tables: notes,
    params: ['identity'],
    result: 'u32',
    body: `${VICTIM_IN_KEY} (call $get (call $first) (i32.const 1024) (i32.const 40) (i32.const 128)) ${BATCH}`,
  },
  { name: 'scan_all', tables: notes, result: 'u32', body: `(call $scan (call $first) (i32.const 512) (i32.const 6) (i32.const 128)) ${BATCH}` },
  {
    name: 'scan_of',
    tables: notes,
    params: ['identity'],
    result: 'u32',
    // One term: column 1, the owner, is the victim.
    body: `(i64.store (i32.const 1600) (i64.const 0x0001_01ff_ffff_ff00)) (i32.store8 (i32.const 1608) (i32.const 1)) (memory.copy (i32.const 1609) (local.get $args) (i32.const 32)) (call $scan (call $first) (i32.const 1600) (i32.const 41) (i32.const 128)) ${BATCH}`,
  },
  {
    name: 'rewrite_sender',
    tables: notes,
    params: ['identity'],
    result: 'u32',
    body: `(memory.copy (i32.add (local.get $context) (i32.const 2)) (local.get $args) (i32.const 32)) (call $scan (call $first) (i32.const 512) (i32.const 6) (i32.const 128)) ${BATCH}`,
  },
  { name: 'number_own', tables: notes, body: '(i64.store (i32.const 260) (i64.const 7)) (call $keep)' },
]

interface Pair {
  readonly victim: Client
  readonly attacker: Client
  readonly victimIdentity: string
}

/** Two people of one database; the victim has one note. */
async function pair(arena: Arena): Promise<Pair> {
  const attacker = await arena.attacker({ reducers: REDUCERS })
  const victim = await arena.client(attacker.database, 'sarah')
  assert.equal(verdictOf(await victim.call('keep')), 'ok')
  return { attacker, victim, victimIdentity: await victim.identity() }
}

/** `answer` is what the attacker may get, where anything. */
function towards(name: string, number: number, reducer: string, expected: Expected, answer?: number): Attack {
  return {
    kind: 'act',
    group: 'capability',
    name,
    number,
    expected,
    act: async (arena) => {
      const { attacker, victim, victimIdentity } = await pair(arena)
      const hasParameter = REDUCERS.find((one) => one.name === reducer)?.params !== undefined
      const reply = await attacker.call(reducer, hasParameter ? [victimIdentity] : [])
      if (answer !== undefined) assert.equal(reply.body.result, answer)
      assert.equal(await victim.countNotes(), '1')
      assert.equal(await attacker.countNotes(), '0')
      return verdictOf(reply)
    },
  }
}

export const ownershipAttacks: readonly Attack[] = [
  towards('stores a row for somebody else', 37, 'insert_for', denied('ERR_ROW_DENIED')),
  towards("updates somebody else's row", 38, 'update_of', bounded(), 0),
  towards("deletes somebody else's row", 39, 'delete_of', bounded(), 0),
  towards("gets somebody else's row", 39, 'get_of', bounded(), 0),
  towards("scans a table of other people's rows", 39, 'scan_all', bounded(), 0),
  towards("scans for somebody else's rows", 39, 'scan_of', bounded(), 0),
  towards('writes another sender over its context', 35, 'rewrite_sender', bounded(), 0),
  towards('gives a row an id of its own choice', 69, 'number_own', denied('ERR_ROW_MALFORMED')),
  {
    kind: 'act',
    group: 'capability',
    number: 35,
    name: 'names another sender without the right to act for them',
    expected: denied('ERR_ACT_FOR_DENIED'),
    act: async (arena) => {
      const { attacker } = await pair(arena)
      const body = { args: [], sender: { subject: 'sarah' } }
      return verdictOf(await arena.host.request('POST', `/v1/databases/${attacker.database}/call/scan_all`, { token: attacker.token, body }))
    },
  },
]
