/** Attacks that look for what another call, caller or database has left: in memory, globals, tables, handles and allocator. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { buildModule } from '../../../host/module/build.ts'
import { survived } from '../attack.ts'
import type { Attack } from '../attack.ts'
import { verdictOf } from '../arena.ts'
import type { Arena, Client } from '../arena.ts'
import { attackingGuest } from '../guest.ts'
import type { GuestReducer, GuestShape } from '../guest.ts'

const CANARY = 0x5eed_cafe_d00d_b0b5n & 0x7fff_ffff_ffff_ffffn
/** How a searcher is told what to look for: its own arguments must not be what it finds. */
const MASK = 0x0123_4567_89ab_cdefn
const WANTED = String(CANARY ^ MASK)

/** Rounds of planting and searching: more than the instances that a host could keep for reuse. */
const ROUNDS = 12

const notes = [{ table: 'notes', mode: 'write' }] as const

/** An instance whose memory grew is never used again: in place, one that a host resets is. */
const GROW = '(drop (memory.grow (i32.const 16)))'

/** From the beginning of its second page, where nothing of its own is, to the end of the memory. */
const PLANT = `(local.set $wide (i64.load (local.get $args)))
  (global.set $kept (local.get $wide)) (global.set $keptToo (i32.const 1))
  (local.set $a (i32.const 66000))
  (loop $on (i64.store (local.get $a) (local.get $wide)) (br_if $on (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 8))) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8)))))`

/** Every address of the memory; then the globals. */
const SEARCH = `(local.set $wide (i64.xor (i64.load (local.get $args)) (i64.const ${MASK})))
  (loop $on
    (local.set $b (i32.add (local.get $b) (i64.eq (i64.load (local.get $a)) (local.get $wide))))
    (br_if $on (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8)))))
  (local.set $b (i32.add (local.get $b) (i64.ne (global.get $kept) (i64.const 0))))
  (local.set $b (i32.add (local.get $b) (global.get $keptToo)))
  (i32.store (i32.const 1500) (local.get $b)) (call $answer (i32.const 1500) (i32.const 4))`

/** How many bytes from the heap's beginning on are not zero, the lists that the host has written left out. */
const DIRT = `(local.set $a (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
  (loop $on
    (local.set $b (i32.add (local.get $b) (i32.ne (i32.load8_u (local.get $a)) (i32.const 0))))
    (br_if $on (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.mul (memory.size) (i32.const 65536)))))
  (i32.store (i32.const 1500) (local.get $b)) (call $answer (i32.const 1500) (i32.const 4))`

const REDUCERS: readonly GuestReducer[] = [
  { name: 'plant', tables: notes, params: ['u64'], body: `${GROW} ${PLANT}` },
  { name: 'plant_and_trap', tables: notes, params: ['u64'], body: `${GROW} ${PLANT} (unreachable)` },
  { name: 'plant_in_place', tables: notes, params: ['u64'], body: PLANT },
  { name: 'search', params: ['u64'], result: 'u32', body: `${GROW} ${SEARCH}` },
  { name: 'search_in_place', params: ['u64'], result: 'u32', body: SEARCH },
  { name: 'dirt', result: 'u32', body: `${GROW} ${DIRT}` },
  { name: 'dirt_in_place', result: 'u32', body: DIRT },
  { name: 'place', result: 'u32', body: '(i32.store (i32.const 1500) (local.get $context)) (call $answer (i32.const 1500) (i32.const 4))' },
  { name: 'starts', result: 'u32', body: '(i32.store (i32.const 1500) (global.get $starts)) (call $answer (i32.const 1500) (i32.const 4))' },
]

const SHAPE: GuestShape = {
  reducers: REDUCERS,
  more: `(global $kept (mut i64) (i64.const 0)) (global $keptToo (mut i32) (i32.const 0)) (global $starts (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $starts (i32.add (global.get $starts) (i32.const 1))))`,
}

async function find(searcher: Client, reducer: string, args: readonly unknown[] = []): Promise<unknown> {
  const { status, body } = await searcher.call(reducer, args)
  assert.equal(status, 200, JSON.stringify(body))
  return body.result
}

/** `planter` fills its instances with the canary; `searcher` must find nothing in its own. */
async function expectNothing(planter: Client, searcher: Client, plant = 'plant'): Promise<void> {
  const where = plant === 'plant_in_place' ? '_in_place' : ''
  for (let round = 0; round < ROUNDS; round += 1) {
    assert.equal(verdictOf(await planter.call(plant, [String(CANARY)])), plant === 'plant_and_trap' ? 'ERR_CALL_TRAPPED' : 'ok')
    assert.equal(await find(searcher, `search${where}`, [WANTED]), 0)
    assert.equal(await find(searcher, `dirt${where}`), 0)
  }
}

function residue(name: string, act: (arena: Arena) => Promise<void>): Attack {
  return {
    kind: 'act',
    group: 'residue',
    number: 34,
    name,
    expected: survived(),
    act: async (arena) => {
      await act(arena)
      return 'ok'
    },
  }
}

/** Module-level state of AssemblyScript: objects on the heap, a list that grows, a text that is kept. */
const HOARDER = `
import { Context } from "remembrancer/guest-sdk";

const seen = new Map<string, i32>();
let last = "nothing";
const list = new Array<u32>();

@reducer
export function hoard(ctx: Context, what: string): string {
  const before = last + " " + seen.size.toString() + " " + list.length.toString();
  seen.set(what, 1);
  list.push(7);
  last = what;
  return before;
}
`

async function buildHoarder(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-hoarder-'))
  try {
    writeFileSync(join(folder, 'index.ts'), HOARDER)
    return (await buildModule(folder, { optimize: false })).component
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const residueAttacks: readonly Attack[] = [
  residue('looks in its memory and globals for what its earlier calls left', async (arena) => {
    const attacker = await arena.attacker(SHAPE)
    await expectNothing(attacker, attacker)
  }),
  residue('looks for what somebody else’s call left', async (arena) => {
    const attacker = await arena.attacker(SHAPE)
    await expectNothing(await arena.client(attacker.database, 'sarah'), attacker)
  }),
  residue('looks for what a call in another database left', async (arena) => {
    await expectNothing(await arena.attacker(SHAPE), await arena.attacker(SHAPE))
  }),
  residue('looks in place for what its earlier calls left', async (arena) => {
    const attacker = await arena.attacker(SHAPE)
    await expectNothing(attacker, attacker, 'plant_in_place')
  }),
  residue('looks in place for what somebody else’s call left', async (arena) => {
    const attacker = await arena.attacker({ ...SHAPE, memory: '(memory (export "memory") 5)' })
    await expectNothing(await arena.client(attacker.database, 'sarah'), attacker, 'plant_in_place')
  }),
  residue('looks in place for what a call in another database left', async (arena) => {
    await expectNothing(await arena.attacker(SHAPE), await arena.attacker(SHAPE), 'plant_in_place')
  }),
  residue('looks for what another module left', async (arena) => {
    const other: GuestShape = { ...SHAPE, memory: '(memory (export "memory") 4)', more: `${SHAPE.more} (func (param i32))` }
    await expectNothing(await arena.attacker(other), await arena.attacker(SHAPE))
  }),
  residue('looks for what a call left that trapped', async (arena) => {
    const attacker = await arena.attacker(SHAPE)
    await expectNothing(attacker, attacker, 'plant_and_trap')
  }),
  residue('looks for what an earlier version of the module left', async (arena) => {
    const attacker = await arena.attacker(SHAPE)
    assert.equal(verdictOf(await attacker.call('plant', [String(CANARY)])), 'ok')
    const next = await arena.publish(attacker.database, await attackingGuest({ ...SHAPE, more: `${SHAPE.more} (func (param i64))` }))
    assert.equal(next.body.version, 2)
    assert.equal(await find(attacker, 'search', [WANTED]), 0)
  }),
  residue('looks for the steps of its allocator', async (arena) => {
    const attacker = await arena.attacker(SHAPE)
    const places = new Set<unknown>()
    for (let round = 0; round < ROUNDS; round += 1) places.add(await find(attacker, 'place'))
    assert.equal(places.size, 1)
  }),
  residue('counts how often its instance was started', async (arena) => {
    const attacker = await arena.attacker(SHAPE)
    for (let round = 0; round < ROUNDS; round += 1) assert.equal(await find(attacker, 'starts'), 1)
  }),
  residue('keeps texts, lists and maps in an AssemblyScript module', async (arena) => {
    const database = await arena.createDatabase()
    assert.equal(verdictOf(await arena.publish(database, await buildHoarder())), 'ok')
    const attacker = await arena.client(database, 'mallory')
    for (let round = 0; round < ROUNDS; round += 1) assert.equal(await find(attacker, 'hoard', [`secret ${round}`]), 'nothing 0 0')
  }),
]
