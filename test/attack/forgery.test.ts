/**
 * Guessed handles, 2^20 of each kind, each used in every way that the world knows. A real guest makes the guesses through the real imports;
 * only that a refusal ends the call is taken away, so that one call can guess a million times.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { checkComponent } from '../../host/module/check-component.ts'
import { GuestModule } from '../../host/sandbox/guest-module.ts'
import type { GuestTable } from '../../host/sandbox/handle-table.ts'
import { attackingGuest } from './guest.ts'

const GUESSES = 2 ** 20

/** Each use of a handle that the world knows, turn by turn; $a is the guess. */
const USES: readonly string[] = [
  '(call $get (local.get $a) (i32.const 1024) (i32.const 40) (i32.const 128))',
  '(call $scan (local.get $a) (i32.const 512) (i32.const 6) (i32.const 128))',
  '(drop (call $count (local.get $a) (i32.const 512) (i32.const 6)))',
  '(call $insert (local.get $a) (i32.const 256) (i32.const 52) (i32.const 128))',
  '(drop (call $update (local.get $a) (i32.const 256) (i32.const 52)))',
  '(drop (call $delete (local.get $a) (i32.const 1020) (i32.const 4)))',
  '(call $drop (local.get $a))',
]

/** The arguments are the first guess and the step to the next; the call's own handle is no guess and is left out. */
const GUESSING = `(local.set $a (i32.load (local.get $args)))
  (loop $on
    ${USES.map(
      (use) => `(if (i32.ne (local.get $a) (call $first)) (then ${use}))
    (local.set $a (i32.add (local.get $a) (i32.load offset=4 (local.get $args))))`,
    ).join('\n')}
    (br_if $on (i32.lt_u (local.tee $b (i32.add (local.get $b) (i32.const ${USES.length}))) (i32.const ${GUESSES}))))`

let guest: GuestModule
let entered = 0
let refused = 0

/** Every number from 0, and numbers spread over all 32 bits by an odd step. */
const WALKS: readonly (readonly [kind: string, first: number, step: number])[] = [
  ['counted from 0', 0, 1],
  ['spread over all numbers', 0x9e37_79b9, 0x9e37_79b1],
]

const Instance = WebAssembly.Instance
const { stackTraceLimit } = Error

before(async () => {
  const { core } = await checkComponent(await attackingGuest({ reducers: [{ name: 'guess', body: GUESSING }] }))
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

for (const [kind, first, step] of WALKS) {
  test(`2^20 guessed handles, ${kind}, enter no host method`, () => {
    entered = 0
    refused = 0
    const call = {
      // Two reducers stand before it in every attacking guest.
      reducer: 2,
      context: new Uint8Array(64),
      tables: [table],
      args: new Uint8Array(new Uint32Array([first, step]).buffer),
      limits: { fuel: 2 ** 31 - 1, memoryPages: 16, depth: 10_000 },
      log: (): void => undefined,
    }
    const outcome = guest.run(call)
    assert.equal(outcome.kind, 'ok')
    assert.equal(entered, 0)
    // The call's own handle may have been among the numbers.
    assert.ok(refused >= GUESSES - 1, `${refused} were refused`)
  })
}
