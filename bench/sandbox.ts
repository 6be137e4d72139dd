/**
 * What an instance costs a call: the claims module's insert without a database behind it, in a fresh
 * instance over a cleared memory, in one that is reset, in one that is used again and again (the unsafe
 * floor), and the bare instantiation; then how soon a runaway call ends.
 */
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'

import { rewriteCore } from '../host/module/rewrite/rewrite.ts'
import { pinEngineFlags } from '../host/sandbox/engine-flags.ts'
import { GuestModule } from '../host/sandbox/guest-module.ts'
import type { GuestOutcome } from '../host/sandbox/guest-module.ts'
import { CALL_LIMITS } from '../host/sandbox/meter.ts'
import { guestBench } from './guest-bench.ts'
import { interleave, ratio, report, spreadFigures } from './measure.ts'
import type { Candidate, Report } from './measure.ts'

const operationsOfCpu = 5_000

const RUNAWAYS: ReadonlyMap<string, string> = new Map([
  ['empty loop', '(loop $on (br $on))'],
  ['loop over memory', '(loop $on (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1))) (br $on))'],
  ['loop of memory.fill', '(loop $on (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $on))'],
  ['recursion', '(loop $on (drop (call $deep (i32.const 900))) (br $on))'],
])

export async function benchSandbox(): Promise<Report> {
  pinEngineFlags()
  const guest = await guestBench('modules/claims', 'remember_turn')
  const candidates: readonly Candidate[] = [
    { name: 'bare instance', run: () => guest.instantiate() },
    { name: 'fresh instance + insert', run: () => guest.fresh() },
    { name: 'reset instance + insert', run: () => guest.reset() },
    { name: 'reused instance + insert', run: () => guest.reused() },
  ]
  const spreads = await interleave(candidates, { rounds: 200, perRound: 50 })
  const figures = { ...spreadFigures(spreads), ...cpuFigures(candidates) }
  for (const [name, body] of RUNAWAYS) figures[`runaway ${name}, ms`] = await runawayMs(body)
  return report('sandbox', figures, {
    'fresh / bare': ratio(spreads, 'fresh instance + insert', 'bare instance'),
    'fresh / reused': ratio(spreads, 'fresh instance + insert', 'reused instance + insert'),
    'reset / reused': ratio(spreads, 'reset instance + insert', 'reused instance + insert'),
  })
}

/** Of the whole process, the collector's threads included. */
function cpuFigures(candidates: readonly Candidate[]): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const candidate of candidates) {
    const before = process.cpuUsage()
    for (let left = operationsOfCpu; left > 0; left -= 1) candidate.run()
    const { user, system } = process.cpuUsage(before)
    figures[`${candidate.name} CPU`] = (user + system) / operationsOfCpu
  }
  return figures
}

/** The best of three: the first runs in code that is not optimised yet. */
async function runawayMs(body: string): Promise<number> {
  const guest = await GuestModule.compile(rewriteCore(await parse(runawayText(body))))
  let bestMs = Infinity
  for (let left = 3; left > 0; left -= 1) {
    const start = performance.now()
    const outcome = runOnce(guest)
    bestMs = Math.min(bestMs, performance.now() - start)
    if (outcome.kind !== 'trapped' || outcome.error.code !== 'ERR_CALL_FUEL') throw new Error('a runaway call ended otherwise than by its fuel')
  }
  return bestMs
}

function runOnce(guest: GuestModule): GuestOutcome {
  return guest.run({ reducer: 0, context: new Uint8Array(0), tables: [], args: new Uint8Array(0), limits: CALL_LIMITS, log: () => undefined })
}

function runawayText(body: string): string {
  return `(module
    (memory (export "memory") 1)
    (func $deep (param i32) (result i32)
      (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "call") (param i32 i32 i32 i32 i32 i32 i32) (result i32) ${body} (i32.const 0)))`
}
