import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { HostError } from '../../host/errors.ts'
import type { ErrorCode } from '../../host/errors.ts'
import { checkStructure } from '../../host/module/check-component.ts'
import { ALL_IMPORTS, guestComponent, guestText, leb, section, withCoreModule } from './guests.ts'
import type { GuestParts } from './guests.ts'

let component: Uint8Array

before(async () => {
  component = await guestComponent()
})

/** The refusal of a guest put into a good component byte for byte. */
function refusalOf(core: Uint8Array): { code: ErrorCode; message: string } {
  try {
    checkStructure(withCoreModule(component, core))
  } catch (error) {
    if (error instanceof HostError) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('the guest was accepted')
}

async function refusalOfGuest(parts: GuestParts): Promise<{ code: ErrorCode; message: string }> {
  return refusalOf(await parse(guestText(parts)))
}

/** Each feature with the word of the refusal that names it. */
const FEATURES: ReadonlyMap<string, readonly [string, RegExp]> = new Map([
  ['SIMD', ['(func (drop (i8x16.splat (i32.const 0))))', /SIMD/]],
  ['relaxed SIMD', ['(func (param v128))', /SIMD/]],
  ['atomics', ['(func (drop (i32.atomic.load (i32.const 0))))', /threads/]],
  ['a fence', ['(func (atomic.fence))', /threads/]],
  ['reference types', ['(func (drop (ref.null func)))', /reference types/]],
  ['references as parameters', ['(func (param externref))', /reference types/]],
  ['a typed select', ['(func (drop (select (result i32) (i32.const 0) (i32.const 0) (i32.const 0))))', /reference types/]],
  ['a table of external references', ['(table 1 externref)', /reference types/]],
  ['table.get', ['(table 1 funcref) (func (drop (table.get (i32.const 0))))', /table instructions/]],
  ['table.set', ['(table 1 funcref) (func (param) (table.set (i32.const 0) (table.get (i32.const 0))))', /table instructions/]],
  ['table.size', ['(table 1 funcref) (func (drop (table.size 0)))', /table instructions/]],
  ['table.copy', ['(table 1 funcref) (func (table.copy (i32.const 0) (i32.const 0) (i32.const 0)))', /table instructions/]],
  ['passive elements', ['(table 1 funcref) (elem func 0)', /element segments/]],
  ['passive data', ['(data "x")', /data segments/]],
  ['data.drop', ['(func (data.drop 0))', /passive data/]],
  ['memory.init', ['(func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0)))', /passive data/]],
  ['tail calls', ['(func $f (return_call $f))', /tail calls/]],
  ['exceptions', ['(tag)', /exceptions/]],
  ['try_table', ['(func (try_table))', /exceptions/]],
  ['structs', ['(type (struct))', /garbage collection/]],
  ['recursive types', ['(rec (type (func)))', /garbage collection/]],
  ['extended constants', ['(global i32 (i32.add (i32.const 1) (i32.const 1)))', /not one constant/]],
  ['a computed offset of data', ['(global $g i32 (i32.const 1)) (data (global.get $g) "x")', /not one constant/]],
  ['a second memory', ['(memory 1)', /2 memories/]],
  ['a second table', ['(table 1 funcref) (table 1 funcref)', /2 tables/]],
  ['a table of 64-bit addresses', ['(table i64 1 funcref)', /memory64/]],
  ['a start function', ['(func $s) (start $s)', /start function/]],
  ['an exported table', ['(table (export "t") 1 funcref)', /export "t"/]],
  ['a mutable exported global', ['(global (export "__heap_base") (mut i32) (i32.const 1))', /export "__heap_base"/]],
  ['an export of its own', ['(func (export "_start"))', /export "_start"/]],
  ['20,001 table elements', ['(table 20001 funcref)', /20001 table elements/]],
  ['5 million table elements', ['(table 5000000 funcref)', /5000000 table elements/]],
])

for (const [feature, [text, words]] of FEATURES) {
  test(`a guest with ${feature} is refused by name`, async () => {
    const { code, message } = await refusalOfGuest({ more: text })
    assert.equal(code, 'ERR_COMPONENT_CORE', message)
    assert.match(message, words)
  })
}

const MEMORIES: ReadonlyMap<string, readonly [string, RegExp]> = new Map([
  ['65,536 initial pages', ['(memory (export "memory") 65536)', /65536 initial pages/]],
  ['shared memory', ['(memory (export "memory") 1 1 shared)', /threads/]],
  ['64-bit memory', ['(memory (export "memory") i64 1)', /memory64/]],
  ['pages of one byte', ['(memory (export "memory") 1 1 (pagesize 1))', /pages of another size/]],
  ['no memory at all', ['', /data|0 memories/]],
  ['a memory that is not exported', ['(memory 1)', /must export memory/]],
])

for (const [what, [memory, words]] of MEMORIES) {
  test(`a guest with ${what} is refused`, async () => {
    const { code, message } = await refusalOfGuest({ memory })
    assert.equal(code, 'ERR_COMPONENT_CORE', message)
    assert.match(message, words)
  })
}

test('imports must have the exact signature that the world lowers to', async () => {
  for (const line of ALL_IMPORTS.trim().split('\n')) {
    const wider = line.replace('(param', '(param i64')
    const { code, message } = await refusalOfGuest({ imports: ALL_IMPORTS.replace(line, () => wider) })
    assert.equal(code, 'ERR_COMPONENT_CORE')
    assert.match(message, /the import .* as \(i64 i32/)
  }
})

test('imports beside the world are refused: other modules, names, kinds and doubles', async () => {
  const imports = [
    '(import "env" "abort" (func (param i32 i32 i32 i32)))',
    '(import "remembrancer:module/tables@1.0.0" "[method]table.open" (func))',
    '(import "remembrancer:module/tables@1.0.0" "__proto__" (func))',
    '(import "remembrancer:module/log@1.0.0" "write" (global i32))',
    '(import "remembrancer:module/log@1.0.0" "write" (table 1 funcref))',
    '(import "env" "memory" (memory 1))',
    '(import "remembrancer:module/outcome@1.0.0" "fail" (func (param i32 i32)))'.repeat(2),
  ]
  for (const one of imports) assert.equal((await refusalOfGuest({ imports: one })).code, 'ERR_COMPONENT_CORE', one)
})

test('exports must have the exact signature that the world lowers to', async () => {
  const wrong: readonly GuestParts[] = [
    { realloc: '(func (export "cabi_realloc") (param i32 i32 i32) (result i32) i32.const 0)' },
    { describe: '(func (export "describe") (result i64) i64.const 0)' },
    { describe: '(global (export "describe") i32 (i32.const 0))' },
    { call: '(func (export "call") (param i32 i32 i32 i32 i32 i32) (result i32) i32.const 0)' },
    { postReturns: '(func (export "cabi_post_call"))' },
    { more: '(func (export "_initialize") (param i32))' },
    { more: '(global (export "cabi_realloc_wit_bindgen_0_46_0") i32 (i32.const 0))' },
  ]
  for (const parts of wrong) {
    const { code, message } = await refusalOfGuest(parts)
    assert.equal(code, 'ERR_COMPONENT_CORE')
    assert.match(message, /: it is /)
  }
})

test('missing exports are named', async () => {
  const { message } = await refusalOfGuest({ describe: '', realloc: '' })
  assert.match(message, /must export cabi_realloc, describe/)
})

test('hostile export names are refused and quoted harmlessly', async () => {
  for (const name of ['__proto__', 'constructor', 'then', 'x\\22];marker();[\\22', "x'", '\\\\', '\\0a', '\\e2\\80\\a8', '\\ef\\bb\\bfcall']) {
    const { code, message } = await refusalOfGuest({ more: `(func (export "${name}"))` })
    assert.equal(code, 'ERR_COMPONENT_CORE')
    assert.match(message, /^a module may not have the export "[ -~]*" \(function\)$/)
  }
  assert.equal((await refusalOfGuest({ more: `(func (export "${'x'.repeat(100_000)}"))` })).code, 'ERR_COMPONENT_MALFORMED')
})

test('a few bytes that declare millions of locals are refused', async () => {
  const type = section(1, [1, 0x60, 0, 0])
  const functions = section(
    3,
    [20],
    Array.from({ length: 20 }, () => 0),
  )
  const body = Buffer.concat([leb(1), leb(50_000), Buffer.from([0x7f, 0x0b])])
  const code = section(10, [20], Buffer.concat(Array.from({ length: 20 }, () => Buffer.concat([leb(body.length), body]))))
  const locals = Buffer.concat([Buffer.from('\0asm\x01\0\0\0', 'latin1'), type, functions, code])
  assert.match(refusalOf(locals.subarray(0, locals.length)).message, /must export|0 memories/)
  const more = section(10, [21], Buffer.concat(Array.from({ length: 21 }, () => Buffer.concat([leb(body.length), body]))))
  const tooMany = Buffer.concat([
    Buffer.from('\0asm\x01\0\0\0', 'latin1'),
    type,
    section(
      3,
      [21],
      Array.from({ length: 21 }, () => 0),
    ),
    more,
  ])
  assert.match(refusalOf(tooMany).message, /at most 1000000 locals/)
})

test('blocks nest at most so deep that no parser after ours recurses too far', async () => {
  const nested = (depth: number) => refusalOfGuest({ more: `(func ${'block '.repeat(depth)} ${'end '.repeat(depth)}) (func (export "x"))` })
  assert.match((await nested(4_999)).message, /the export "x"/)
  assert.match((await nested(5_001)).message, /blocks nest at most 5000 deep/)
})

test('sections twice, out of order or of no kind are malformed', async () => {
  const core = Buffer.from(await parse(guestText()))
  for (const extra of [section(1, [0]), section(12, [0]), section(14, [0])]) {
    assert.equal(refusalOf(Buffer.concat([core, extra])).code, 'ERR_COMPONENT_MALFORMED')
  }
})

test('integers that do not fit, or hide bits past their end, are malformed', () => {
  const header = Buffer.from('\0asm\x01\0\0\0', 'latin1')
  for (const integer of [
    [0x80, 0x80, 0x80, 0x80, 0x10],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
    [0xff, 0xff, 0xff, 0xff, 0x7f],
  ]) {
    assert.equal(refusalOf(Buffer.concat([header, section(3, [1], integer)])).code, 'ERR_COMPONENT_MALFORMED')
  }
})
