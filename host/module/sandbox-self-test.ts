/**
 * Tried at each start, before any module of a stranger: does this engine stop what must be stopped? A
 * module that recurses, loops and fills memory without end is rewritten, compiled and run like any other,
 * with a little fuel. It takes a few milliseconds, once in a process.
 */
import { HostError } from '../errors.ts'
import { pinEngineFlags } from '../sandbox/engine-flags.ts'
import { GuestModule } from '../sandbox/guest-module.ts'
import { CALL_LIMITS } from '../sandbox/meter.ts'
import { rewriteCore } from './rewrite/rewrite.ts'

/**
 * `(module
 *   (memory (export "memory") 1)
 *   (func $deep (call $deep))
 *   (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
 *   (func (export "call") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
 *     (block $fill (block $loop (block $recurse (br_table $recurse $loop $fill (local.get 0)))
 *       (call $deep))
 *       (loop $on (br $on)))
 *     (loop $on (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $on))
 *     (unreachable)))`
 */
const ENDLESS = Buffer.from(
  'AGFzbQEAAAABFwNgAABgBH9/f38Bf2AHf39/f39/fwF/AwQDAAECBQMBAAEHIAMGbWVtb3J5AgAMY2FiaV9yZWFsbG9jAAEEY2FsbAACCjYDBAAQAAsEAEEICyoAAkACQAJAIAAOAgABAgsQAAsDQAwACwsDQEEAQQFBgIAE/AsADAALAAs=',
  'base64',
)

/** What the module is asked for, by its number, and what must come of it. */
const TRIALS = [
  { what: 'endless recursion', code: 'ERR_CALL_DEPTH' },
  { what: 'an endless loop', code: 'ERR_CALL_FUEL' },
  { what: 'an endless loop of memory.fill', code: 'ERR_CALL_FUEL' },
] as const

const trialFuel = 1_000_000

let passed: Promise<void> | undefined

/**
 * Makes this process fit to run modules of strangers, or says that it is not.
 *
 * @param flags `pinned` for a process that is the host's own; `kept` in somebody else's.
 * @throws HostError ERR_INTERNAL when a limit does not hold on this engine.
 */
export async function prepareSandbox(flags: 'pinned' | 'kept'): Promise<void> {
  if (flags === 'pinned') pinEngineFlags()
  passed ??= runTrials()
  await passed
}

async function runTrials(): Promise<void> {
  const guest = await GuestModule.compile(rewriteCore(new Uint8Array(ENDLESS)))
  for (const [reducer, { what, code }] of TRIALS.entries()) {
    const nothing = new Uint8Array(0)
    const outcome = guest.run({ reducer, context: nothing, tables: [], args: nothing, limits: { ...CALL_LIMITS, fuel: trialFuel }, log: () => undefined })
    if (outcome.kind === 'trapped' && outcome.error.code === code) continue
    const found = outcome.kind === 'trapped' ? outcome.error.code : outcome.kind
    throw new HostError('ERR_INTERNAL', `${what} ended with ${found}, not with ${code}: modules cannot be run safely on this version of Node`)
  }
}
