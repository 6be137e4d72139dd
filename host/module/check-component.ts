/**
 * The whole check of one component, in the order that lets nothing see bytes which the step before has
 * not accepted: our parser, the wiring, the core module, V8, jco's tools, and last the module itself.
 * Runs in the gate's child (gate-child.ts).
 */
import { createHash } from 'node:crypto'
import { HostError } from '../errors.ts'
import { rewrittenSizeBytesMax } from '../limits.ts'
import { BinaryReader, malformedAt } from './binary-reader.ts'
import { decodeComponent } from './component.ts'
import { decodeCoreModule, withoutCustomSections } from './core-module.ts'
import type { CoreModule } from './core-module.ts'
import { readDescription } from './describe.ts'
import { checkGuestModule } from './guest-rules.ts'
import { rewriteModule } from './rewrite/rewrite.ts'
import { checkWorld } from './wit.ts'
import { checkWiring } from './wiring.ts'

export interface CheckedComponent {
  /** Core module 0, rewritten: what runs. */
  readonly core: Uint8Array
  /** Core module 0 as it was, without its custom sections. */
  readonly source: Uint8Array
  /** What `describe` returned: bytes that nobody has read yet. */
  readonly description: Uint8Array
  /** SHA-256 of the component, as 64 hex digits. */
  readonly componentHash: string
  /** Milliseconds of each step. */
  readonly timings: Readonly<Record<string, number>>
}

/** @throws HostError, and whatever jco's tools throw. */
export async function checkComponent(bytes: Uint8Array): Promise<CheckedComponent> {
  const timer = new StepTimer()
  const guest = checkStructure(bytes, timer)
  const source = withoutCustomSections(guest)
  if (!WebAssembly.validate(source)) throw malformedAt(guest.span.start, 'a core module that WebAssembly accepts')
  timer.lap('validate')
  const core = rewrite(guest)
  timer.lap('rewrite')
  await checkWorld(bytes)
  timer.lap('wit')
  const description = await readDescription(core)
  timer.lap('describe')
  const componentHash = createHash('sha256').update(bytes).digest('hex')
  timer.lap('hash')
  return { core, source, description, componentHash, timings: timer.timings }
}

/** A module at the edge of what V8 takes may be past it when it has grown by its charges. */
function rewrite(guest: CoreModule): Uint8Array<ArrayBuffer> {
  const core = rewriteModule(guest)
  if (core.length > rewrittenSizeBytesMax) {
    throw new HostError('ERR_COMPONENT_CORE', `the module has ${core.length} bytes when it is metered: at most ${rewrittenSizeBytesMax}`)
  }
  if (WebAssembly.validate(core)) return core
  throw new HostError('ERR_COMPONENT_CORE', 'the module cannot be metered: a function has too many parameters, locals or instructions')
}

/**
 * What needs no engine: parser, wiring and the guest's own structure. Pure, and bounded by the size of
 * the bytes.
 *
 * @returns core module 0.
 */
export function checkStructure(bytes: Uint8Array, timer = new StepTimer()): CoreModule {
  const component = decodeComponent(bytes)
  timer.lap('parse')
  const [span] = component.coreModules
  if (span === undefined) throw new HostError('ERR_COMPONENT_WIRING', 'a module must hold a core module: this component has none')
  const guest = decodeCoreModule(new BinaryReader(bytes, span.start, span.end))
  checkGuestModule(guest)
  timer.lap('core')
  checkWiring(component, guest)
  timer.lap('wiring')
  return guest
}

class StepTimer {
  readonly #timings = new Map<string, number>()
  #lastMs = performance.now()

  lap(step: string): void {
    const nowMs = performance.now()
    this.#timings.set(step, nowMs - this.#lastMs)
    this.#lastMs = nowMs
  }

  get timings(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#timings)
  }
}
