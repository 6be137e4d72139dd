/**
 * A module's folder to a core Wasm module: asc in this process with the guest SDK's transform.
 * Call it in a process or thread that may be lost: when the compiler crashes it ends the one it is in.
 */
import asc from 'assemblyscript/asc'
import type { DiagnosticMessage } from 'assemblyscript/asc'

import { ABORT_ALIAS, ENTRY_PATH, ModuleTransform } from '../../guest-sdk/transform/index.ts'
import { diagnosticAt, formatDiagnostic, ModuleRefused } from '../../guest-sdk/transform/problems.ts'
import type { Diagnostic } from '../../guest-sdk/transform/problems.ts'
import { START_EXPORT } from '../../guest-sdk/transform/start.ts'
import { assert, HostError } from '../errors.ts'
import { moduleName, readModuleFile, requireModuleFolder } from './module-folder.ts'

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
  const { errors, warnings } = transform.problems
  const written = new Map<string, Uint8Array>()
  const { error, stats } = await asc.main([...OPTIONS, ...(options.optimize ? OPTIMIZED : [])], {
    readFile: (name) => readModuleFile(folder, name),
    writeFile: (name, contents) => void written.set(name, typeof contents === 'string' ? Buffer.from(contents) : contents),
    listFiles: () => [],
    reportDiagnostic: (message) => {
      if (message.category === ERROR) errors.push(diagnosticOf(message))
      if (message.category === WARNING) warnings.push(diagnosticOf(message))
    },
    transforms: [transform as unknown as asc.Transform],
  })
  if (errors.length > 0) throw refused(errors)
  if (error !== null) throw error instanceof ModuleRefused ? refused(errors) : error
  const core = written.get(OUT_FILE)
  assert(core !== undefined && transform.description !== undefined, 'a compilation without errors has a module')
  return {
    core,
    description: transform.description,
    warnings: warnings.map(formatDiagnostic),
    timings: {
      parseMs: stats.parseTime / 1e6,
      compileMs: stats.compileTime / 1e6,
      optimizeMs: stats.optimizeTime / 1e6,
    },
  }
}

function refused(errors: readonly Diagnostic[]): HostError {
  const diagnostics = errors.map(formatDiagnostic)
  const [first] = errors
  assert(first !== undefined, 'a refused module has an error')
  const { file, line, column } = first
  return new HostError('ERR_BUILD', diagnostics.join('\n'), { detail: { file, line, column, diagnostics } })
}

function diagnosticOf({ code, message, range }: DiagnosticMessage): Diagnostic {
  const text = `${message} (AS${code})`
  return range === null ? { file: ENTRY_PATH, line: 1, column: 1, message: text } : diagnosticAt(range as Parameters<typeof diagnosticAt>[0], text)
}
