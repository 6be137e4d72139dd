/** The good components that mutants are made of: real modules, and guests by hand that use every part of the world. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { buildModule } from '../../host/module/build.ts'
import { attackingGuest } from '../attack/guest.ts'
import { tinyComponent } from '../attack/generated.ts'
import { INITIALIZE } from '../module/guests.ts'

const MODULES = ['../../modules/claims', '../../modules/counter', '../conformance/module']

/** A guest with control flow, all four number types and calls of every kind: what the rewriter has work with. */
const BUSY = `
  (func $floats (param f32 f64) (result f64) (f64.add (f64.promote_f32 (f32.sqrt (local.get 0))) (f64.mul (local.get 1) (f64.const -0))))
  (func $many (param i64) (result i64 i32) (i64.rotl (local.get 0) (i64.const 7)) (i32.wrap_i64 (local.get 0)))
  (func $factorial (param i64) (result i64)
    (if (result i64) (i64.le_u (local.get 0) (i64.const 1)) (then (i64.const 1)) (else (i64.mul (local.get 0) (call $factorial (i64.sub (local.get 0) (i64.const 1)))))))`

const BUSY_BODY = `
  (block $out (loop $on
    (br_if $out (i32.gt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.const 20)))
    (block $two (block $one (br_table $one $two $on (i32.rem_u (local.get $a) (i32.const 3)))) (local.set $b (i32.add (local.get $b) (i32.div_s (i32.const 100) (local.get $a)))))
    (br $on)))
  (local.set $wide (call $factorial (i64.const 10)))
  (call $many (local.get $wide)) (local.set $a) (local.set $wide)
  (f64.store (i32.const 1024) (call $floats (f32.const 2) (f64.const 3)))
  (memory.fill (i32.const 2048) (i32.const 7) (i32.const 64)) (memory.copy (i32.const 2100) (i32.const 2048) (i32.const 64))
  (drop (memory.grow (i32.const 1)))
  (drop (call_indirect (type $attack) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (i32.const 1)))
  (call $keep) (call $scan (call $first) (i32.const 512) (i32.const 6) (i32.const 128))
  (drop (call $count (call $first) (i32.const 512) (i32.const 6)))
  (call $write (i32.const 1) (i32.const 256) (i32.const 4))
  (i64.store (i32.const 1500) (local.get $wide)) (call $answer (i32.const 1500) (i32.const 8))`

/**
 * Writes the corpus to `folder`. The modules are optimised: small components are mutated faster and hold
 * less that nobody reads. Compiling them takes ten seconds, so that a quick corpus has the guests alone.
 */
export async function writeCorpus(folder: string, isQuick: boolean): Promise<void> {
  const components = [
    ...(await inTurn(isQuick ? [] : MODULES, async (path) => (await buildModule(new URL(path, import.meta.url).pathname, { optimize: true })).component)),
    await tinyComponent(),
    await attackingGuest({ reducers: [] }),
    await attackingGuest({
      reducers: [{ name: 'busy', tables: [{ table: 'notes', mode: 'write' }], result: 'u64', body: BUSY_BODY }],
      more: `${BUSY} ${INITIALIZE}`,
    }),
  ]
  for (const [index, component] of components.entries()) writeFileSync(join(folder, `${index}.wasm`), component)
}

async function inTurn<T, R>(values: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const value of values) results.push(await work(value))
  return results
}

export function readCorpus(folder: string): readonly Uint8Array[] {
  return readdirSync(folder)
    .toSorted()
    .map((name) => new Uint8Array(readFileSync(join(folder, name))))
}
