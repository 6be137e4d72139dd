/**
 * A module's folder to a core Wasm module: asc in this process with the guest SDK's transform.
 * Call it in a process or thread that may be lost: when the compiler crashes it ends the one it is in.
 */
import { Range } from 'assemblyscript'
import type { DiagnosticMessage } from 'assemblyscript'
import asc from 'assemblyscript/asc'

import { ABORT_ALIAS, ENTRY_PATH, ModuleTransform } from '../../guest-sdk/transform/index.ts'
import { diagnosticAt, formatDiagnostic } from '../../guest-sdk/transform/problems.ts'
import type { Diagnostic } from '../../guest-sdk/transform/problems.ts'
import { START_EXPORT } from '../../guest-sdk/transform/start.ts'
import { assert, HostError } from '../errors.ts'
import { absentImports } from './build-imports.ts'
import { INDEX_FILE, moduleName, readModuleFile, requireModuleFolder } from './module-folder.ts'

export interface CompiledModule {
  readonly core: Uint8Array
  /** The module description, as `describe` returns it. */
  readonly description: Uint8Array
  readonly warnings: readonly string[]
  readonly timings: { readonly parseMs: number; readonly compileMs: number; readonly optimizeMs: number }
}

const OUT_FILE = 'module.wasm'
/** DiagnosticCategory of assemblyscript, an enum that exists only while it is compiled itself. */
const WARNING = 2
const ERROR = 3

const OPTIONS = [ENTRY_PATH, '--outFile', OUT_FILE, '--runtime', 'stub', '--exportStart', START_EXPORT, '--use', ABORT_ALIAS]
const OPTIMIZED = ['--optimizeLevel', '3', '--shrinkLevel', '0']

/** @throws HostError ERR_BUILD with every error that the compiler found. */
export async function compileModule(folder: string, options: { readonly optimize: boolean }): Promise<CompiledModule> {
  await requireModuleFolder(folder)
  const transform = new ModuleTransform(await moduleName(folder))
  const run = new CompilerRun(folder, transform)
  const { error, stats } = await asc.main([...OPTIONS, ...(options.optimize ? OPTIMIZED : [])], run.api)
  const { errors, warnings } = run.diagnostics()
  if (errors.length > 0) throw refused(errors)
  if (error !== null) throw error
  const { core } = run
  assert(core !== undefined && transform.description !== undefined, 'a compilation without errors has a module')
  const absent = absentImports(core, run.texts)
  if (absent.length > 0) throw refused(absent)
  const { parseTime, compileTime, optimizeTime } = stats
  const timings = { parseMs: parseTime / 1e6, compileMs: compileTime / 1e6, optimizeMs: optimizeTime / 1e6 }
  return { core, description: transform.description, warnings: warnings.map(formatDiagnostic), timings }
}

/** The files and messages of one run of asc. */
class CompilerRun {
  core: Uint8Array | undefined
  /** What was read for this compilation, by the name that the compiler has for it. */
  readonly texts = new Map<string, string>()
  readonly #transform: ModuleTransform
  readonly #reported: asc.DiagnosticMessage[] = []
  readonly api: asc.APIOptions

  constructor(folder: string, transform: ModuleTransform) {
    this.#transform = transform
    this.api = {
      readFile: (name) => this.#read(folder, name),
      writeFile: (_name, contents) => void (this.core = typeof contents === 'string' ? Buffer.from(contents) : contents),
      listFiles: () => [],
      reportDiagnostic: (message) => void this.#reported.push(message),
      // asc takes any object that has the hooks; its types know only its own class.
      transforms: [transform as unknown as asc.Transform],
    }
  }

  async #read(folder: string, name: string): Promise<string | null> {
    const text = await readModuleFile(folder, name)
    if (text !== null) this.texts.set(name, text)
    return text
  }

  /** What asc reports has no lines, so they come from the parser's own messages once there is one. */
  diagnostics(): { readonly errors: readonly Diagnostic[]; readonly warnings: readonly Diagnostic[] } {
    const { compilerMessages, problems } = this.#transform
    const messages = compilerMessages ?? this.#reported
    const found = messages.map((message) => ({ category: message.category, diagnostic: this.#diagnostic(message) }))
    const ofCategory = (category: number): Diagnostic[] => found.filter((one) => one.category === category).map((one) => one.diagnostic)
    return { errors: [...problems.errors, ...ofCategory(ERROR)], warnings: [...problems.warnings, ...ofCategory(WARNING)] }
  }

  #diagnostic({ code, message, range }: DiagnosticMessage | asc.DiagnosticMessage): Diagnostic {
    const text = `${message} (AS${code})`
    if (range === null) return { file: INDEX_FILE, line: 1, column: 1, message: text }
    if (range instanceof Range) return diagnosticAt(range, text)
    const file = range.source.normalizedPath
    const before = (this.texts.get(file) ?? '').slice(0, range.start).split('\n')
    return { file, line: before.length, column: (before.at(-1) ?? '').length + 1, message: text }
  }
}

function refused(errors: readonly Diagnostic[]): HostError {
  const diagnostics = errors.map(formatDiagnostic)
  const [first] = errors
  assert(first !== undefined, 'a refused module has an error')
  const { file, line, column } = first
  return new HostError('ERR_BUILD', diagnostics.join('\n'), { detail: { file, line, column, diagnostics } })
}
