/** Uploads that are no module: cut, garbled, nested, misnamed, or more than they seem. */
import assert from 'node:assert/strict'

import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'

import type { ErrorCode } from '../../../host/errors.ts'
import { componentOf, coreModuleOf, rewired, section } from '../../module/guests.ts'
import { refused, survived } from '../attack.ts'
import type { Attack, PublishAttack } from '../attack.ts'
import { verdictOf } from '../arena.ts'
import type { Arena } from '../arena.ts'
import { aroundCore, COMPONENT_HEADER, smallComponent, tinyComponent } from '../generated.ts'
import { attackingGuest } from '../guest.ts'

const upload = (name: string, number: number, code: ErrorCode, component: () => Uint8Array | Promise<Uint8Array>): PublishAttack => ({
  kind: 'publish',
  group: 'malformed',
  name,
  number,
  expected: refused(code),
  component,
})

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

async function nothingElseThan(arena: Arena, uploads: readonly Uint8Array[]): Promise<void> {
  const database = await arena.createDatabase()
  for (const [index, one] of uploads.entries()) {
    const verdict = verdictOf(await arena.publish(database, one))
    assert.match(verdict, /^ERR_(COMPONENT|DESCRIPTION)/, `upload ${index} of ${one.length} bytes came to ${verdict}`)
  }
  assert.equal(await arena.version(database), 0)
}

const everyByte: readonly Attack[] = [
  {
    kind: 'act',
    group: 'malformed',
    number: 55,
    name: 'cuts a component off at every byte',
    expected: survived(),
    act: async (arena) => {
      const whole = await tinyComponent()
      await nothingElseThan(
        arena,
        Array.from({ length: whole.length }, (_, size) => whole.subarray(0, size)),
      )
      assert.equal(verdictOf(await arena.publish(await arena.createDatabase(), whole)), 'ok')
      return 'ok'
    },
  },
  {
    kind: 'act',
    group: 'malformed',
    number: 55,
    name: 'puts a section of garbage behind a component',
    expected: survived(),
    act: async (arena) => {
      const whole = await smallComponent()
      const garbage = Array.from({ length: 16 }, (_, id) => Buffer.concat([whole, section(id + (id === 0 ? 20 : 0), [1, 0xff, 0xff, 0xff])]))
      await nothingElseThan(arena, garbage)
      return 'ok'
    },
  },
]

const shapes: readonly PublishAttack[] = [
  upload('sends nothing', 55, 'ERR_COMPONENT_MALFORMED', () => bytes('')),
  upload('sends text', 55, 'ERR_COMPONENT_MALFORMED', () => bytes('(component)')),
  upload('sends a megabyte of zeros', 55, 'ERR_COMPONENT_MALFORMED', () => new Uint8Array(2 ** 20)),
  upload('sends a bare core module', 55, 'ERR_COMPONENT_KIND', async () => coreModuleOf(await smallComponent())),
  upload('nests components a hundred deep', 56, 'ERR_COMPONENT_WIRING', () => {
    let nested: Uint8Array = COMPONENT_HEADER
    for (let depth = 0; depth < 100; depth += 1) nested = Buffer.concat([COMPONENT_HEADER, section(4, nested)])
    return nested
  }),
  upload('nests blocks a hundred thousand deep', 56, 'ERR_COMPONENT_CORE', () =>
    aroundCore((text) => text.replace(/\)$/, `(func ${'block '.repeat(100_000)} ${'end '.repeat(100_000)}))`)),
  ),
  upload('doubles a type forty times', 59, 'ERR_COMPONENT_WORLD', () => {
    const doubling = Array.from({ length: 40 }, (_, index) => `(type $t${index + 1} (tuple $t${index} $t${index}))`).join(' ')
    return parse(`(component (type $t0 (tuple u8)) ${doubling})`)
  }),
  upload('names the type of a function a thousand times', 59, 'ERR_COMPONENT_WORLD', () =>
    parse(`(component (type (func ${Array.from({ length: 1_000 }, (_, index) => `(param "p${index}" u8)`).join(' ')})))`),
  ),
  upload('has twelve hundred empty sections', 55, 'ERR_COMPONENT_MALFORMED', async () =>
    Buffer.concat([await smallComponent(), ...Array.from({ length: 1_200 }, () => section(0, 'x'))]),
  ),
  upload('is of another world', 57, 'ERR_COMPONENT_WORLD', async () =>
    componentOf(await parse('(module (func (export "run")))'), 'package a:b; world w { export run: func(); }', 'w'),
  ),
  upload('imports a way out of the sandbox', 57, 'ERR_COMPONENT_WORLD', async () =>
    rewired(await smallComponent(), '(component', '(component (type $exit (instance)) (import "wasi:cli/exit@0.2.0" (instance (type $exit)))'),
  ),
  upload('imports what the world does not have, in its core', 57, 'ERR_COMPONENT_CORE', () =>
    aroundCore((text) => text.replace('(module', '(module (import "remembrancer:module/tables@1.0.0" "[method]table.open" (func))')),
  ),
  upload('imports a function of the world with another signature', 57, 'ERR_COMPONENT_CORE', () =>
    aroundCore((text) => text.replace('"write" (func $write (param i32 i32 i32))', '"write" (func $write (param i64 i32 i32))')),
  ),
  upload('exports its call with another signature', 57, 'ERR_COMPONENT_CORE', () =>
    aroundCore((text) => text.replace('(export "call") (param $reducer i32)', '(export "call") (param i32) (param $reducer i32)')),
  ),
  upload('lacks its description', 57, 'ERR_COMPONENT_CORE', () => aroundCore((text) => text.replace('(func (export "describe")', '(func'))),
  upload('gives one function of the world for another', 57, 'ERR_COMPONENT_WIRING', async () =>
    rewired(
      await smallComponent(),
      /\(export "\[method\]table\.delete" \(func \$[^)]*\)\)/,
      '(export "[method]table.delete" (func $"indirect-remembrancer:module/tables@1.0.0-[method]table.update"))',
    ),
  ),
  upload('does more in its shim than to pass on', 57, 'ERR_COMPONENT_WIRING', async () =>
    rewired(await smallComponent(), /i32\.const 0\s+call_indirect/, 'nop i32.const 0 call_indirect'),
  ),
  upload('holds two guests', 57, 'ERR_COMPONENT_WIRING', async () => {
    const component = await smallComponent()
    return Buffer.concat([component, section(1, coreModuleOf(component)), section(2, [1, 0, 3, 0])])
  }),
  upload('lifts its strings in another encoding', 66, 'ERR_COMPONENT_WIRING', async () =>
    rewired(
      await smallComponent(),
      /\(canon lift \(core func \$describe\) \(memory \$memory\)/,
      '(canon lift (core func $describe) (memory $memory) string-encoding=utf16',
    ),
  ),
]

/** Each name as an export of the component, of its core, and as an import of its core. */
const HOSTILE_NAMES: readonly (readonly [what: string, name: string])[] = [
  ['__proto__', '__proto__'],
  ['constructor', 'constructor'],
  ['then', 'then'],
  ['quotes and brackets', 'x"];globalThis.marker=1;["'],
  ['a backslash and an apostrophe', "x\\'"],
  ['line ends', 'a\nb\r\nc'],
  ['U+2028 and U+202E', 'a\u2028b\u202e'],
  ['a byte order mark before a good one', '\ufeffdescribe'],
  ['a hundred kilobytes', 'y'.repeat(100_000)],
]

const names: readonly Attack[] = HOSTILE_NAMES.map(([what, name]) => ({
  kind: 'act',
  group: 'malformed',
  number: 58,
  name: `has names of ${what}`,
  expected: survived(),
  act: async (arena) => {
    const small = await smallComponent()
    const text = name.replaceAll(/[^a-zA-Z0-9_]/g, (character) =>
      Buffer.from(character)
        .toString('hex')
        .replaceAll(/../g, String.raw`\$&`),
    )
    await nothingElseThan(arena, [
      Buffer.concat([small, section(11, [1, 0], name, [1, 0, 0])]),
      Buffer.concat([small, section(10, [1, 0], name, [1, 0])]),
      await aroundCore((core) => core.replace(/\)$/, `(func (export "${text}")))`)),
      await aroundCore((core) => core.replace('(module', `(module (import "${text}" "${text}" (func))`)),
    ])
    return 'ok'
  },
}))

/** Beyond WebAssembly 1.0 and the four small proposals, each feature in one line of wat. */
const FEATURES: readonly (readonly [feature: string, wat: string])[] = [
  ['SIMD', '(func (drop (i8x16.splat (i32.const 0))))'],
  ['relaxed SIMD', '(func (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))))'],
  ['atomics', '(func (drop (i32.atomic.load (i32.const 0))))'],
  ['reference types', '(func (drop (ref.null func)))'],
  ['table instructions', '(func (table.set 0 (i32.const 0) (ref.null func)))'],
  ['table growth', '(func (drop (table.grow 0 (ref.null func) (i32.const 1000000))))'],
  ['passive data', '(data $d "x") (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)))'],
  ['tail calls', '(func $f (return_call $f))'],
  ['exceptions', '(tag $t) (func (throw $t))'],
  ['catching exceptions', '(func (block (try_table (catch_all 0))))'],
  ['garbage collection', '(type $s (struct)) (func (drop (struct.new $s)))'],
  ['extended constants', '(global i32 (i32.add (i32.const 1) (i32.const 1)))'],
  ['exported tables', '(export "t" (table 0))'],
  ['exported mutable globals', '(export "g" (global $heap))'],
]

const features: readonly PublishAttack[] = FEATURES.map(([feature, wat]) =>
  upload(`uses ${feature}`, 62, 'ERR_COMPONENT_CORE', () => aroundCore((text) => text.replace(/\)$/, `${wat})`))),
)

/** A panic of the tools must cost the gate's child and nothing else: a good publish right after works. */
const panics: Attack = {
  kind: 'act',
  group: 'malformed',
  number: 61,
  name: 'makes the tools panic, and a good publish follows at once',
  expected: survived(),
  act: async (arena) => {
    const good = await attackingGuest({ reducers: [] })
    // By the specification a function of an interface may only use types that the interface has named.
    const bad = await rewired(good, '(param "level" 1)', '(param "level" 0)')
    for (let round = 0; round < 3; round += 1) {
      const database = await arena.createDatabase()
      assert.equal(verdictOf(await arena.publish(database, bad)), 'ERR_COMPONENT_MALFORMED')
      assert.equal(verdictOf(await arena.publish(database, good)), 'ok')
    }
    return 'ok'
  },
}

const untyped: PublishAttack = upload('does not type-check', 64, 'ERR_COMPONENT_MALFORMED', async () =>
  rewired(await smallComponent(), '(i32.const 64)', '(i64.const 64)').catch(async () => rewired(await smallComponent(), 'i32.const 64', 'i64.const 64')),
)

const memoryOfGate: PublishAttack = upload('fills gigabytes when it is asked for its description', 14, 'ERR_DESCRIPTION', () =>
  attackingGuest({
    reducers: [],
    more: '(func (export "_initialize") (drop (memory.grow (i32.const 32000))) (memory.fill (i32.const 131072) (i32.const 1) (i32.const 2097086464)))',
  }),
)

export const malformedAttacks: readonly Attack[] = [...everyByte, ...shapes, ...names, ...features, panics, untyped, memoryOfGate]
