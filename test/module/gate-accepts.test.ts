import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { before, test } from 'node:test'
import { componentWit, parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { main as asc } from 'assemblyscript/dist/asc.js'
import { checkComponent, checkStructure } from '../../host/module/check-component.ts'
import { decodeComponent } from '../../host/module/component.ts'
import { BinaryReader } from '../../host/module/binary-reader.ts'
import { decodeCoreModule } from '../../host/module/core-module.ts'
import { WORLD_EXPORTS, WORLD_IMPORTS } from '../../host/module/world.ts'
import { componentOf, coreModuleOf, DESCRIPTION, guestComponent, INITIALIZE, WORLD_WIT } from './guests.ts'
import type { GuestParts } from './guests.ts'

async function describedBy(component: Uint8Array): Promise<string> {
  return Buffer.from((await checkComponent(component)).description).toString()
}

const ACCEPTED: ReadonlyMap<string, GuestParts> = new Map([
  ['that uses the whole world', {}],
  ['that imports nothing', { imports: '' }],
  ['that imports nothing and initializes itself', { imports: '', more: INITIALIZE }],
  ['that imports one interface', { imports: '(import "remembrancer:module/outcome@1.0.0" "fail" (func (param i32 i32)))' }],
  ['with _initialize', { more: INITIALIZE }],
  ['without post-returns', { postReturns: '' }],
  [
    'with the exports of a Rust guest',
    {
      more: `(global (export "__data_end") i32 (i32.const 1)) (global (export "__heap_base") i32 (i32.const 1))
        (func (export "cabi_realloc_wit_bindgen_0_46_0") (param i32 i32 i32 i32) (result i32) i32.const 0)`,
    },
  ],
  [
    'with sign extension, saturating conversion, multi-value and bulk memory',
    {
      more: `(func (param f64) (result i32 i64)
        (memory.copy (i32.const 0) (i32.const 8) (i32.const 8)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 8))
        (block (result i32 i64) (i32.extend8_s (i32.trunc_sat_f64_s (local.get 0))) (i64.const -9223372036854775808)))`,
    },
  ],
  ['with one table and indirect calls', { more: '(table 2 funcref) (elem (i32.const 0) 0 1) (func (call_indirect (i32.const 0)))' }],
])

for (const [what, parts] of ACCEPTED) {
  test(`a component ${what} is accepted`, async () => {
    assert.equal(await describedBy(await guestComponent(parts)), DESCRIPTION)
  })
}

test('a component compiled from AssemblyScript is accepted, and its core module is what was compiled', async () => {
  const component = await componentOf(await compileAssemblyScript())
  const checked = await checkComponent(component)
  assert.equal(Buffer.from(checked.description).toString(), DESCRIPTION)
  assert.equal(checked.componentHash, createHash('sha256').update(component).digest('hex'))
  assert.deepEqual(Object.keys(checked.timings), ['parse', 'core', 'wiring', 'validate', 'rewrite', 'wit', 'describe', 'hash'])
  const uncut = decodeCoreModule(new BinaryReader(coreModuleOf(component)))
  const cut = decodeCoreModule(new BinaryReader(checked.source))
  assert.deepEqual(
    cut.sections.map((section) => section.id),
    uncut.sections.map((section) => section.id).filter((id) => id !== 0),
  )
  assert.deepEqual([...cut.exports], [...uncut.exports])
})

test('the core module is handed out without its custom sections', async () => {
  const { source } = await checkComponent(await guestComponent())
  assert.ok(!Buffer.from(source).includes('producers'))
})

test('a component wired by an older wit-component is accepted', async () => {
  assert.equal(await describedBy(await parse(OLDER_WIRING)), DESCRIPTION)
})

test('the tables of the world say what wit/module.wit says', async () => {
  const component = await guestComponent()
  const { imports, exports } = decodeComponent(component)
  const found = [...imports].map(([name, type]) => [name, new Map([...type.exports].map(([item, { kind, text }]) => [item, `${kind} ${text}`]))])
  const known = [...WORLD_IMPORTS].map(([name, items]) => [name, new Map([...items].map(([item, { kind, type }]) => [item, `${kind} ${type}`]))])
  assert.deepEqual(new Map(found as [string, unknown][]), new Map(known as [string, unknown][]))
  assert.deepEqual(new Map([...exports].map(([name, { type }]) => [name, type])), new Map([...WORLD_EXPORTS].map(([name, { type }]) => [name, type])))
  assert.match(await componentWit(component), /export describe/)
  assert.equal(
    WORLD_WIT.match(/: func\(/g)?.length,
    [...WORLD_IMPORTS.values()].flatMap((items) => [...items.values()]).filter((item) => item.kind === 'function').length + WORLD_EXPORTS.size,
  )
})

let wholeWorld: Uint8Array

before(async () => {
  wholeWorld = await guestComponent()
})

test('a check by structure alone runs no engine and gives the same core module', () => {
  const { span, bytes } = checkStructure(wholeWorld)
  assert.deepEqual(bytes.subarray(span.start, span.end), coreModuleOf(wholeWorld))
})

async function compileAssemblyScript(): Promise<Uint8Array> {
  const source = `
    @external("remembrancer:module/tables@1.0.0", "[method]table.get")
    declare function tableGet(self: u32, ptr: usize, len: usize, ret: usize): void;
    export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize { return heap.alloc(size) }
    export function describe(): usize {
      const bytes = String.UTF8.encode('${DESCRIPTION}');
      const area = heap.alloc(8);
      store<usize>(area, changetype<usize>(bytes));
      store<u32>(area, bytes.byteLength, 4);
      return area;
    }
    export function call(reducer: u32, context: usize, contextLen: usize, tables: usize, tablesLen: usize, args: usize, argsLen: usize): usize {
      tableGet(load<u32>(tables), args, argsLen, heap.alloc(8));
      return heap.alloc(12);
    }
    function abort(message: string | null, file: string | null, line: u32, column: u32): void { unreachable() }`
  let binary: Uint8Array | undefined
  const { error } = await asc(
    ['guest.ts', '--runtime', 'stub', '-O0', '--use', 'abort=guest/abort', '--exportStart', '_initialize', '--outFile', 'guest.wasm'],
    {
      readFile: (name: string) => (name === 'guest.ts' ? source : null),
      writeFile: (_name: string, contents: string | Uint8Array) => {
        if (typeof contents !== 'string') binary = contents
      },
      listFiles: () => [],
    },
  )
  if (binary === undefined) throw error ?? new Error('asc wrote nothing')
  return binary
}

/** As wit-component 0.20 wired: one bundle under the empty name for the fixup, a module of its own for `_initialize`. */
const OLDER_WIRING = `(component
  (type (instance (type (list u8)) (type (func (param "message" 0))) (export "fail" (func (type 1)))))
  (import "remembrancer:module/outcome@1.0.0" (instance $outcome (type 0)))
  (type (instance (export "table" (type (sub resource)))))
  (import "remembrancer:module/tables@1.0.0" (instance $tables (type 1)))
  (alias export $tables "table" (type $tableAlias))
  (import "table" (type $table (eq $tableAlias)))
  (core module $main
    (import "remembrancer:module/outcome@1.0.0" "fail" (func (param i32 i32)))
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
    (func (export "describe") (result i32) i32.const 16)
    (func (export "call") (param i32 i32 i32 i32 i32 i32 i32) (result i32) i32.const 64)
    (func (export "_initialize"))
    (data (i32.const 16) "\\20\\00\\00\\00\\0c\\00\\00\\00")
    (data (i32.const 32) "{\\22format\\22:1}"))
  (core module $shim
    (type (func (param i32 i32)))
    (table (export "$imports") 1 1 funcref)
    (func (export "0") (type 0) local.get 0 local.get 1 i32.const 0 call_indirect (type 0)))
  (core module $fixup
    (import "" "0" (func (param i32 i32)))
    (import "" "$imports" (table 1 1 funcref))
    (elem (i32.const 0) func 0))
  (core instance $shimInstance (instantiate $shim))
  (alias core export $shimInstance "0" (core func $indirectFail))
  (core instance $outcomeArgs (export "fail" (func $indirectFail)))
  (core instance $mainInstance (instantiate $main (with "remembrancer:module/outcome@1.0.0" (instance $outcomeArgs))))
  (alias core export $mainInstance "memory" (core memory $memory))
  (alias core export $mainInstance "cabi_realloc" (core func $realloc))
  (alias core export $shimInstance "$imports" (core table $imports))
  (alias export $outcome "fail" (func $fail))
  (core func $loweredFail (canon lower (func $fail) (memory $memory)))
  (core instance $fixupArgs (export "$imports" (table $imports)) (export "0" (func $loweredFail)))
  (core instance (instantiate $fixup (with "" (instance $fixupArgs))))
  (core module $starter (type (func)) (import "" "" (func (type 0))) (start 0))
  (alias core export $mainInstance "_initialize" (core func $initialize))
  (core instance $starterArgs (export "" (func $initialize)))
  (core instance (instantiate $starter (with "" (instance $starterArgs))))
  (type $bytes (list u8))
  (type $describeType (func (result $bytes)))
  (alias core export $mainInstance "describe" (core func $coreDescribe))
  (func $describe (type $describeType) (canon lift (core func $coreDescribe) (memory $memory)))
  (export "describe" (func $describe))
  (type $own (own $table))
  (type $handles (list $own))
  (type $answer (result $bytes (error $bytes)))
  (type $callType (func (param "reducer" u32) (param "context" $bytes) (param "tables" $handles) (param "args" $bytes) (result $answer)))
  (alias core export $mainInstance "call" (core func $coreCall))
  (func $call (type $callType) (canon lift (core func $coreCall) (memory $memory) (realloc $realloc) string-encoding=utf8))
  (export "call" (func $call)))`
