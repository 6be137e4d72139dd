/**
 * The compiler's transform: decorators become code and a module description.
 *
 *   collect   which classes and functions are declared to the host
 *   check     what they mean, and everything that is wrong with them
 *   codec     constructors, packing and unpacking, the columns behind `where`
 *   exports   `describe` and `call`
 *   manifest  the description that `describe` returns
 */
import binaryen from 'assemblyscript/binaryen'
import type { DiagnosticMessage, Parser } from 'assemblyscript'

import { check } from './check.ts'
import { refusePolicies } from './check-policy.ts'
import { emitCodec } from './codec.ts'
import { collect } from './collect.ts'
import { emitExports } from './exports.ts'
import { manifestJson } from './manifest.ts'
import { ModuleRefused, Problems } from './problems.ts'
import { dropEmptyStart, startAllocatorLazily } from './start.ts'

/** The entry file, which only the compiler sees: it lies beside the author's index.ts. */
export const ENTRY_PATH = '$module.ts'
export const ENTRY_TEXT = 'import "./index";\nimport "remembrancer/guest-sdk";\nimport "remembrancer/guest-sdk/abort";\n'
/** What `abort` is inside the compiled module. */
export const ABORT_ALIAS = 'abort=~lib/remembrancer/guest-sdk/abort/abort'

/** One compilation's transform, in the form that asc takes; `problems` and `description` are its results. */
export class ModuleTransform {
  readonly problems = new Problems()
  description: Uint8Array | undefined
  /** What the compiler itself finds wrong, once it has parsed every file. */
  compilerMessages: readonly DiagnosticMessage[] | undefined
  readonly #moduleName: string

  constructor(moduleName: string) {
    this.#moduleName = moduleName
  }

  /** @throws ModuleRefused after a phase that found errors. */
  afterParse(parser: Parser): void {
    this.compilerMessages = parser.diagnostics
    const entry = parser.sources.find((source) => source.normalizedPath === ENTRY_PATH)
    if (entry === undefined) throw new Error(`${ENTRY_PATH} is not part of the compilation`)
    const declarations = collect(
      parser.sources.filter((source) => !source.isLibrary && source !== entry),
      this.problems,
    )
    const model = check(declarations, this.problems)
    if (!this.problems.hasErrors) refusePolicies(model, this.problems)
    if (this.problems.hasErrors) throw new ModuleRefused('the module has errors')
    this.description = new TextEncoder().encode(manifestJson(this.#moduleName, model))
    emitCodec(model)
    emitExports(entry, model, this.description)
    startAllocatorLazily(parser)
  }

  afterCompile(module: binaryen.Module): void {
    dropEmptyStart(module, binaryen)
  }
}
