/**
 * Attacking guests in wat. `attackingGuest` is a whole component whose reducers are the bodies of call
 * attacks: each first stores a row, so that a trap has something to undo, and then does its worst.
 *
 *   parameters  $tables $context $args (addresses), $argsSize
 *   functions   those of the world, and $first: the handle of the signature's first table
 *   globals     $running: the reducer's number, which is also its place in the table of functions
 *   memory      64   the call's result: void unless a body writes another
 *               128  where host imports put a list
 *               256  a batch of one note that says "kept", 52 bytes
 *               512  a scan of everything, 6 bytes
 *               1024 to 4095 are the body's own; the heap begins in the second page
 */
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'

import { ALL_IMPORTS, componentOf } from '../module/guests.ts'
import type { CallAttack, GuestTableUse } from './attack.ts'

/** Reducers that every attacking module has beside its attacks. */
export interface GuestReducer {
  readonly name: string
  readonly body: string
  readonly kind?: 'reducer' | 'query' | 'init'
  readonly tables?: readonly GuestTableUse[]
  readonly params?: readonly string[]
  readonly result?: string
}

export interface GuestShape {
  readonly reducers: readonly GuestReducer[]
  readonly imports?: string
  readonly memory?: string
  /** Elements of the table; as many as there are reducers when left out. */
  readonly tableSize?: number
  readonly realloc?: string
  readonly postReturn?: string
  /** Replaces members of the description. */
  readonly description?: Readonly<Record<string, unknown>>
  readonly records?: readonly unknown[]
  /** Instead of `notes` and `secrets`; the first must be called `notes`. */
  readonly tables?: readonly unknown[]
  /** Anything else, at the end. */
  readonly more?: string
}

/** The reducer that counts the caller's notes, by which the arena sees what an attack has left. */
const COUNT: GuestReducer = {
  name: 'count_notes',
  kind: 'query',
  tables: [{ table: 'notes', mode: 'read' }],
  result: 'u64',
  body: '(i64.store (i32.const 1024) (call $count (call $first) (i32.const 512) (i32.const 6))) (call $answer (i32.const 1024) (i32.const 8))',
}

/** Does nothing; stands at place 1 of every attacking module's table. */
const IDLE: GuestReducer = { name: 'idle', body: '' }

const DESCRIPTION_AT = 4_096
const DESCRIPTION_SIZE_MAX = 60_000

export function reducerName(attackName: string): string {
  return attackName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[0-9_]+|_+$/g, '')
    .slice(0, 60)
}

export function attackingReducer(attack: CallAttack): GuestReducer {
  const { body, tables = [{ table: 'notes', mode: 'write' }], params = [], result = 'void' } = attack
  const stores = tables[0]?.table === 'notes' && tables[0].mode !== 'read'
  return { name: reducerName(attack.name), tables, params, result, body: `${stores ? '(call $keep)' : ''} ${body}` }
}

export async function attackingGuest(shape: GuestShape): Promise<Uint8Array> {
  return componentOf(await parse(guestText(shape)))
}

export function guestText(shape: GuestShape): string {
  const reducers = [COUNT, IDLE, ...shape.reducers]
  return `(module
  ${shape.imports ?? ALL_IMPORTS}
  ${shape.memory ?? '(memory (export "memory") 2)'}
  (global $heap (mut i32) (i32.const 65536))
  (global $tablesAt (mut i32) (i32.const 0))
  (global $running (mut i32) (i32.const 0))
  (type $attack (func (param i32 i32 i32 i32) (result i32)))
  (table ${Math.max(reducers.length, shape.tableSize ?? 0)} funcref)
  (elem (i32.const 0) ${reducers.map((_, index) => `$reducer${index}`).join(' ')})
  ${shape.realloc ?? REALLOC}
  (func (export "describe") (result i32) (i32.const 16))
  (func (export "call") (param $reducer i32) (param $context i32) (param i32) (param $tables i32) (param i32) (param $args i32) (param $argsSize i32) (result i32)
    (global.set $tablesAt (local.get $tables))
    (global.set $running (local.get $reducer))
    (call_indirect (type $attack) (local.get $tables) (local.get $context) (local.get $args) (local.get $argsSize) (local.get $reducer)))
  ${shape.postReturn ?? ''}
  (func $first (result i32) (i32.load (global.get $tablesAt)))
  (func $keep (call $insert (call $first) (i32.const 256) (i32.const 52) (i32.const 128)))
  (func $answer (param $at i32) (param $size i32) (result i32)
    (i32.store (i32.const 68) (local.get $at)) (i32.store (i32.const 72) (local.get $size)) (i32.const 64))
  ${reducers.map((reducer, index) => functionText(reducer, index)).join('\n')}
  (data (i32.const 256) "\\01\\00\\00\\00${'\\00'.repeat(40)}\\04\\00\\00\\00kept")
  (data (i32.const 512) "\\00\\ff\\ff\\ff\\ff\\00")
  ${descriptionData(shape, reducers)}
  ${shape.more ?? ''})`
}

const REALLOC = `(func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
      (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16))))))
    (local.get $at))`

/** A body may end in the address of a result, or in nothing for void. */
function functionText({ body, result = 'void' }: GuestReducer, index: number): string {
  const end = result === 'void' ? '(i32.const 64)' : ''
  return `(func $reducer${index} (type $attack) (param $tables i32) (param $context i32) (param $args i32) (param $argsSize i32) (result i32)
    (local $a i32) (local $b i32) (local $c i32) (local $wide i64) ${body} ${end})`
}

function descriptionData(shape: GuestShape, reducers: readonly GuestReducer[]): string {
  const text = JSON.stringify({ ...descriptionOf(shape, reducers), ...shape.description })
  const size = Buffer.byteLength(text)
  if (size > DESCRIPTION_SIZE_MAX) throw new Error(`the description has ${size} bytes: make two modules of it`)
  const head = Buffer.alloc(8)
  head.writeUInt32LE(DESCRIPTION_AT, 0)
  head.writeUInt32LE(size, 4)
  return `(data (i32.const 16) "${watBytes(head)}") (data (i32.const ${DESCRIPTION_AT}) "${watBytes(Buffer.from(text))}")`
}

/** Every byte as an escape of wat. */
export function watBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/../g, String.raw`\$&`)
}

const owned = { key: 'id', autoIncrement: true, owner: 'caller', clustered: [], uniques: [], indexes: [] }
const id = { name: 'id', type: 'u64' }
const caller = { name: 'caller', type: 'identity' }

/** `notes` and `secrets` belong to their callers; `letters` has a unique address. */
function descriptionOf({ records = [], tables }: GuestShape, reducers: readonly GuestReducer[]): object {
  return {
    format: 1,
    sdk: 'attack',
    module: 'attacker',
    records,
    tables: tables ?? [
      { name: 'notes', columns: [id, caller, { name: 'content', type: 'string' }], ...owned },
      { name: 'secrets', columns: [id, caller, { name: 'number', type: 'u32' }], ...owned },
    ],
    reducers: reducers.map(({ name, kind = 'reducer', tables = [], params = [], result = 'void' }) => ({
      name,
      kind,
      tables,
      params: params.map((type, index) => ({ name: `p${index}`, type })),
      result,
    })),
  }
}
