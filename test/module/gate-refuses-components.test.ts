import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { HostError } from '../../host/errors.ts'
import type { ErrorCode } from '../../host/errors.ts'
import { checkStructure } from '../../host/module/check-component.ts'
import { readComponentSections } from '../../host/module/component-sections.ts'
import { componentOf, coreModuleOf, guestComponent, guestCore, INITIALIZE, rewired, section } from './guests.ts'

const HEADER = Buffer.from('\0asm\x0d\0\x01\0', 'latin1')

/** Where the custom sections begin that tools write last: without those a component is still whole. */
function endOfDefinitions(whole: Uint8Array): number {
  return readComponentSections(whole).findLast((one) => one.id !== 0)?.content.end ?? 0
}

/** Asserts the refusal, and that its words are short and printable whatever the upload says. */
function assertRefused(component: Uint8Array, code: ErrorCode, words: RegExp): void {
  assert.throws(
    () => checkStructure(component),
    (error) => {
      assert.ok(error instanceof HostError)
      assert.equal(error.code, code, error.message)
      assert.match(error.message, words)
      assert.match(error.message, /^[ -~…]{1,600}$/)
      return true
    },
  )
}

let component: Uint8Array
let initialized: Uint8Array

before(async () => {
  component = await guestComponent()
  initialized = await guestComponent({ more: INITIALIZE })
})

describe('what is no component', () => {
  test('a component cut off at any byte is refused cleanly', () => {
    const whole = component.subarray(0, endOfDefinitions(component))
    checkStructure(whole)
    for (let size = 0; size < whole.length; size += 1) {
      assert.throws(
        () => checkStructure(whole.subarray(0, size)),
        (error) => error instanceof HostError,
        `cut at ${size}`,
      )
    }
  })

  test('a bare core module is told what to do', async () => {
    assertRefused(await guestCore(), 'ERR_COMPONENT_KIND', /"remembrancer build"/)
  })

  test('text, other formats and other layers are malformed', () => {
    for (const bytes of ['', '(component)', 'PK\x03\x04aaaaaaaaaaa', '\0asm\x0d\0\x02\0', '\0asm\x02\0\0\0', '\0asm']) {
      assertRefused(Buffer.from(bytes, 'latin1'), 'ERR_COMPONENT_MALFORMED', /header of a component/)
    }
  })

  test('bytes after a good component are malformed', () => {
    assertRefused(Buffer.concat([component, Buffer.from([0])]), 'ERR_COMPONENT_MALFORMED', /size of a section/)
  })

  test('more sections than any tool writes are malformed', () => {
    const padding = Array.from({ length: 1_001 }, () => section(0, 'x'))
    assertRefused(Buffer.concat([component, ...padding]), 'ERR_COMPONENT_MALFORMED', /at most 1000 sections/)
  })

  test('a count past the end is refused before anything is set aside for it', () => {
    const count = section(7, [0xff, 0xff, 0xff, 0xff, 0x0f])
    assertRefused(Buffer.concat([component, count]), 'ERR_COMPONENT_MALFORMED', /at most 0 types, found 4294967295/)
  })
})

describe('other worlds', () => {
  test('a component of another world is told what it imports', async () => {
    const wit = 'package a:b; interface files { open: func(name: string) -> list<u8>; } world w { import files; export run: func(); }'
    const other = await componentOf(await parse('(module (func (export "run")))'), wit, 'w')
    assertRefused(other, 'ERR_COMPONENT_WORLD', /may not export "run"/)
  })

  test('an import beside the world is refused by its name', async () => {
    const extra = await rewired(
      component,
      '(import "remembrancer:module/log@1.0.0"',
      '(import "wasi:cli/exit@0.2.0" (instance (type 0))) (import "remembrancer:module/log@1.0.0"',
    )
    assertRefused(extra, 'ERR_COMPONENT_WORLD', /may not import "wasi:cli\/exit@0\.2\.0"/)
  })

  test('an import of another version is of another world', async () => {
    assertRefused(await rewired(component, /log@1\.0\.0/g, 'log@1.0.1'), 'ERR_COMPONENT_WORLD', /log@1\.0\.1/)
  })

  test('an export beside the world is refused', async () => {
    const extra = await rewired(component, '(export $"#func', '(export "shell" (func $describe)) (export $"#func')
    assertRefused(extra, 'ERR_COMPONENT_WORLD', /may not export "shell"/)
  })

  test('an interface with one function of another type is of another world', async () => {
    const wider = await rewired(component, '(param "level" 1)', '(param "severity" 1)')
    assertRefused(wider, 'ERR_COMPONENT_WORLD', /"write" of "remembrancer:module\/log@1\.0\.0"/)
  })

  test('types that are not of the world are refused at the first one', async () => {
    for (const type of [
      '(record (field "a" u8))',
      '(tuple u8 u8)',
      '(option u8)',
      '(list string)',
      '(stream u8)',
      '(flags "a")',
      'string',
      '(enum "yes" "no")',
      '(result)',
    ]) {
      const foreign = await rewired(component, '(component', `(component (type ${type})`)
      assertRefused(foreign, 'ERR_COMPONENT_WORLD', /not of the world/)
    }
  })

  test('a small text that describes gigabytes is refused at its first type', async () => {
    const doubling = Array.from({ length: 40 }, (_, index) => `(type $t${index + 1} (tuple $t${index} $t${index}))`).join(' ')
    assertRefused(await parse(`(component (type $t0 (tuple u8)) ${doubling})`), 'ERR_COMPONENT_WORLD', /the type tuple/)
    const lists = Array.from({ length: 40 }, (_, index) => `(type $t${index + 1} (result $t${index} (error $t${index})))`).join(' ')
    assertRefused(await parse(`(component (type $t0 (list u8)) ${lists})`), 'ERR_COMPONENT_WORLD', /result<result/)
  })

  test('hostile names are refused and quoted harmlessly', async () => {
    const named = (name: string) => Buffer.concat([component, section(11, [1, 0], name, [1, 0, 0])])
    for (const name of ['__proto__', 'constructor', 'then', 'x"];marker();["', "x'\\", 'a\nb\x1b[31m', '\u2028\u202e', '\ufeffdescribe', 'y'.repeat(1_000)]) {
      assertRefused(named(name), 'ERR_COMPONENT_WORLD', /may not export/)
    }
    assertRefused(named('y'.repeat(100_000)), 'ERR_COMPONENT_MALFORMED', /at most 1024 bytes/)
    assertRefused(Buffer.concat([component, section(0, [2, 0xc3, 0x28])]), 'ERR_COMPONENT_MALFORMED', /UTF-8/)
  })
})

describe('other wirings', () => {
  test('nested components, instances, core types, starts and values are refused, however deep', async () => {
    let nested = Buffer.from(HEADER)
    for (let depth = 0; depth < 100; depth += 1) nested = Buffer.concat([HEADER, section(4, nested)])
    assertRefused(nested, 'ERR_COMPONENT_WIRING', /nested components/)
    for (const extra of ['(core type (func))', '(component $c) (instance (instantiate $c))']) {
      assertRefused(await rewired(component, '(component', `(component ${extra}`), 'ERR_COMPONENT_WIRING', /nested components|core types/)
    }
    for (const id of [4, 5, 9, 12]) assertRefused(Buffer.concat([component, section(id, [0])]), 'ERR_COMPONENT_WIRING', /may not have/)
    assertRefused(Buffer.concat([component, section(13, [0])]), 'ERR_COMPONENT_MALFORMED', /section 13/)
  })

  test('a function under the name of another is refused', async () => {
    const swapped = await rewired(
      component,
      /\(export "\[method\]table\.delete" \(func \$[^)]*\)\)/,
      '(export "[method]table.delete" (func $"indirect-remembrancer:module/tables@1.0.0-[method]table.update"))',
    )
    assertRefused(swapped, 'ERR_COMPONENT_WIRING', /"\[method\]table\.delete" .* ends in another function/)
  })

  test('a fixup that fills a slot with another function is refused', async () => {
    assertRefused(await rewired(component, /func 0 1 2/, 'func 1 0 2'), 'ERR_COMPONENT_WIRING', /ends in another function/)
  })

  test('a shim whose table may grow, or is larger than what fills it, is refused', async () => {
    for (const limits of ['8 9', '8', '9 9', '7 8']) {
      const other = await rewired(component, '(table (;0;) 8 8 funcref)', `(table (;0;) ${limits} funcref)`)
      assertRefused(other, 'ERR_COMPONENT_WIRING', /none that|does not fill/)
    }
  })

  test('a shim that does anything but forward is refused', async () => {
    for (const more of ['nop', 'unreachable', 'local.get 0 drop', 'i32.const 0 drop']) {
      const busy = await rewired(component, /i32\.const 0\s+call_indirect/, `${more} i32.const 0 call_indirect`)
      assertRefused(busy, 'ERR_COMPONENT_WIRING', /none that/)
    }
  })

  test('a shim with memory, data or a start of its own is refused', async () => {
    for (const more of ['(memory 1)', '(memory 1) (data (i32.const 0) "x")', '(func $s) (start $s)', '(global i32 (i32.const 0))']) {
      const larger = await rewired(component, '(export "$imports" (table 0))', `(export "$imports" (table 0)) ${more}`)
      assertRefused(larger, 'ERR_COMPONENT_WIRING', /none that/)
    }
  })

  test('core modules that are instantiated twice or never are refused', async () => {
    const twice = await rewired(component, '(core instance $actual', '(core instance (instantiate $wit-component-shim-module)) (core instance $actual')
    assertRefused(twice, 'ERR_COMPONENT_WIRING', /instantiated twice/)
    const idle = await rewired(component, '(core instance $actual', '(core module (func)) (core instance $actual')
    assertRefused(idle, 'ERR_COMPONENT_WIRING', /never instantiated/)
  })

  test('an export that is not the guest function of that name is refused', async () => {
    const crossed = await rewired(
      component,
      /\(alias core export \$main "describe" \(core func \$describe/,
      '(alias core export $main "cabi_realloc" (core func $describe',
    )
    assertRefused(crossed, 'ERR_COMPONENT_WIRING', /the guest's own describe/)
  })

  test('another memory, allocator or post-return than the guest’s own is refused', async () => {
    const realloc = await rewired(component, /\(alias core export \$main "cabi_realloc"/, '(alias core export $main "call"')
    assertRefused(realloc, 'ERR_COMPONENT_WIRING', /the guest's own cabi_realloc/)
    const postReturn = await rewired(component, /\(alias core export \$main "cabi_post_call"/, '(alias core export $main "cabi_post_describe"')
    assertRefused(postReturn, 'ERR_COMPONENT_WIRING', /the guest's own cabi_post_call/)
    const memory = await rewired(component, /\(alias core export \$main "memory"/, '(alias core export $main "call"')
    assertRefused(memory, 'ERR_COMPONENT_WIRING', /the guest's own memory/)
  })

  test('a post-return that the component leaves out is refused: hosts would differ', async () => {
    assertRefused(await rewired(component, ' (post-return $cabi_post_call)', ''), 'ERR_COMPONENT_WIRING', /cabi_post_call that is not/)
  })

  test('an _initialize that is never called, or another start, is refused', async () => {
    assertRefused(await rewired(initialized, /\(start \d+\)/, ''), 'ERR_COMPONENT_WIRING', /0 calls of _initialize/)
    assertRefused(
      await rewired(initialized, '(import "main" "_initialize"', '(import "main" "describe"'),
      'ERR_COMPONENT_WIRING',
      /the guest's own _initialize/,
    )
  })

  test('other string encodings, async, callbacks and other built-ins are refused', async () => {
    for (const option of ['string-encoding=utf16', 'string-encoding=latin1+utf16', 'async']) {
      const other = await rewired(
        component,
        /\(canon lift \(core func \$describe\) \(memory \$memory\)/,
        `(canon lift (core func $describe) (memory $memory) ${option}`,
      )
      assertRefused(other, 'ERR_COMPONENT_WIRING', /may not have (strings|async)/)
    }
    for (const builtin of ['task.cancel', 'context.get i32 0', 'thread.yield']) {
      const other = await rewired(component, '(core instance $actual', `(core func (canon ${builtin})) (core instance $actual`)
      assertRefused(other, 'ERR_COMPONENT_WIRING', /canonical functions other than/)
    }
  })

  test('aliases of outer things and of core globals are refused', async () => {
    assertRefused(await rewired(component, '(core instance $actual', '(alias outer 0 0 (type)) (core instance $actual'), 'ERR_COMPONENT_WIRING', /aliases/)
    assertRefused(
      await rewired(component, '(core instance $actual', '(alias core export $main "x" (core global)) (core instance $actual'),
      'ERR_COMPONENT_WIRING',
      /aliases/,
    )
  })

  test('a component without a core module is refused', async () => {
    assertRefused(await parse('(component)'), 'ERR_COMPONENT_WIRING', /this component has none/)
  })

  test('two guests in one component are refused', async () => {
    const second = Buffer.concat([component, section(1, coreModuleOf(component)), section(2, [1, 0, 3, 0])])
    assertRefused(second, 'ERR_COMPONENT_WIRING', /none that/)
  })
})
