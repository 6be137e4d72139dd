/**
 * Guessed handles: 2^20 for each way in which the world lets a guest use one. A real guest makes the guesses through the real imports;
 * only that a refusal ends the call is taken away, so that one call can guess half a million times.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { checkComponent } from '../../host/module/check-component.ts'
import { GuestModule } from '../../host/sandbox/guest-module.ts'
import type { GuestTable } from '../../host/sandbox/handle-table.ts'
import { attackingGuest } from './guest.ts'

const GUESSES = 2 ** 20

/** Each use of a handle that the world knows; $a is the guess. */
const USES: readonly (readonly [what: string, code: string])[] = [
  ['get', '(call $get (local.get $a) (i32.const 1024) (i32.const 40) (i32.const 128))'],
  ['scan', '(call $scan (local.get $a) (i32.const 512) (i32.const 6) (i32.const 128))'],
  ['count', '(drop (call $count (local.get $a) (i32.const 512) (i32.const 6)))'],
  ['insert', '(call $insert (local.get $a) (i32.const 256) (i32.const 52) (i32.const 128))'],
  ['update', '(drop (call $update (local.get $a) (i32.const 256) (i32.const 52)))'],
  ['delete', '(drop (call $delete (local.get $a) (i32.const 1020) (i32.const 4)))'],
  ['drop', '(call $drop (local.get $a))'],
]

/** The arguments are the first guess and the step to the next; the call's own handle is no guess and is left out. */
function guessing(use: string): string {
  return `(local.set $a (i32.load (local.get $args)))
    (loop $on
      (if (i32.ne (local.get $a) (call $first)) (then ${use}))
      (local.set $a (i32.add (local.get $a) (i32.load offset=4 (local.get $args))))
      (br_if $on (i32.lt_u (local.tee $b (i32.add (local.get $b) (i32.const 1))) (i32.const ${GUESSES / WALKS.length}))))`
}

/** Every number from 0, and numbers spread over all 32 bits by an odd step. */
const WALKS: readonly (readonly [first: number, step: number])[] = [
  [0, 1],
  [0x9e37_79b9, 0x9e37_79b1],
]

let guest: GuestModule
let entered = 0
let refused = 0

const Instance = WebAssembly.Instance
const { stackTraceLimit } = Error

before(async () => {
  const { core } = await checkComponent(await attackingGuest({ reducers: USES.map(([what, use]) => ({ name: `guess_${what}`, body: guessing(use) })) }))
  guest = await GuestModule.compile(core)
  // A million errors are made, and nobody reads where.
  Error.stackTraceLimit = 0
  Reflect.set(WebAssembly, 'Instance', new Proxy(Instance, { construct: (target, [module, imports]) => Reflect.construct(target, [module, goingOn(imports)]) }))
})

after(() => {
  Error.stackTraceLimit = stackTraceLimit
  Reflect.set(WebAssembly, 'Instance', Instance)
})

/** The host's own imports, but a refusal is counted and the guest goes on. */
function goingOn(imports: Record<string, Record<string, unknown>>): object {
  return Object.fromEntries(
    Object.entries(imports).map(([name, members]) => [name, name.includes('/tables@') ? Object.fromEntries(Object.entries(members).map(swallowing)) : members]),
  )
}

function swallowing([name, member]: readonly [string, unknown]): [string, unknown] {
  if (typeof member !== 'function') return [name, member]
  const nothing = name.endsWith('.count') ? 0n : 0
  return [
    name,
    (...parameters: unknown[]): unknown => {
      try {
        return member(...parameters)
      } catch {
        refused += 1
        return nothing
      }
    },
  ]
}

/** Whoever gets in here had a handle. */
const table: GuestTable = {
  get: () => enter(new Uint8Array(4)),
  scan: () => enter(new Uint8Array(4)),
  count: () => enter(0n),
  insert: () => enter(new Uint8Array(0)),
  update: () => enter(0),
  delete: () => enter(0),
}

function enter<T>(answer: T): T {
  entered += 1
  return answer
}

for (const [place, [what]] of USES.entries()) {
  test(`2^20 guessed handles to ${what} enter no host method`, () => {
    entered = 0
    refused = 0
    for (const walk of WALKS) {
      const outcome = guest.run({
        // Two reducers stand before them in every attacking guest.
        reducer: 2 + place,
        context: new Uint8Array(64),
        tables: [table],
        args: new Uint8Array(new Uint32Array(walk).buffer),
        limits: { fuel: 2 ** 31 - 1, memoryPages: 16, depth: 10_000 },
        log: (): void => undefined,
      })
      assert.equal(outcome.kind, 'ok')
    }
    assert.equal(entered, 0)
    // The call's own handle may have been among the numbers.
    assert.ok(refused >= GUESSES - WALKS.length, `${refused} were refused`)
  })
}
