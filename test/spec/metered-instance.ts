/** Any module, rewritten with its own exports and run with fuel, depth and memory of the host's. */
import { HostError } from '../../host/errors.ts'
import { BinaryReader } from '../../host/module/binary-reader.ts'
import { decodeCoreModule } from '../../host/module/core-module.ts'
import type { CoreModule } from '../../host/module/core-module.ts'
import { rewriteModule } from '../../host/module/rewrite/rewrite.ts'
import { HOST_IMPORTS, MEMORY_IMPORT } from '../../host/sandbox/door.ts'
import { CALL_LIMITS, Meter } from '../../host/sandbox/meter.ts'

const FUEL = 2_000_000_000

export class MeteredInstance {
  readonly decoded: CoreModule
  readonly exports: Readonly<Record<string, unknown>>
  readonly #meter = new Meter()

  /**
   * @throws HostError for what the decoder refuses, an Error when the rewriter made something invalid,
   * what instantiation throws.
   */
  constructor(bytes: Uint8Array, imports: WebAssembly.Imports) {
    this.decoded = decodeCoreModule(new BinaryReader(bytes))
    if (this.decoded.memories.length > 1 || this.decoded.tables.length > 1) throw new HostError('ERR_COMPONENT_CORE', 'a guest has one memory and one table')
    const rewritten = rewriteModule(this.decoded, 'each')
    if (!WebAssembly.validate(rewritten)) throw new Error('the rewriter made an invalid module')
    const [memory] = this.decoded.memories
    const host: WebAssembly.ModuleImports = { ...this.#meter.imports }
    if (memory !== undefined) host[MEMORY_IMPORT] = new WebAssembly.Memory({ initial: memory.min, maximum: memory.max ?? 65_536 })
    this.refill()
    this.exports = new WebAssembly.Instance(new WebAssembly.Module(rewritten), { ...imports, [HOST_IMPORTS]: host }).exports
  }

  refill(): void {
    this.#meter.start({ ...CALL_LIMITS, fuel: FUEL }, 0)
  }

  get burnt(): number {
    return this.#meter.burnt
  }

  /** The code of the limit that a trap came from, or undefined for a trap of the module's own. */
  limitOf(cause: unknown): string | undefined {
    return this.#meter.trapCause(cause)?.code
  }
}
