/**
 * What a compiled module imports beside the host's own interfaces: AssemblyScript's library reaches for
 * a console, a clock and a seed that no module has. The import says what was used, and the author's
 * text says where.
 */
import type { Diagnostic } from '../../guest-sdk/transform/problems.ts'
import { quoteName } from './binary-reader.ts'
import { INDEX_FILE } from './module-folder.ts'

declare global {
  namespace WebAssembly {
    namespace Module {
      function imports(module: Module): { readonly module: string; readonly name: string }[]
    }
  }
}

const HOST_INTERFACE = /^remembrancer:module\//
/** What an author writes, and what there is instead; `imported` is how the library calls it. */
const ABSENT: readonly { readonly imported: RegExp; readonly written: RegExp; readonly message: string }[] = [
  { imported: /^console\./, written: /\bconsole\s*\.\s*\w+/, message: 'console.log is not there in a module: write ctx.log("…")' },
  { imported: /^trace$/, written: /\btrace\s*\(/, message: 'trace is not there in a module: write ctx.log("…")' },
  { imported: /^Date\.now$/, written: /\bDate\s*\.\s*now\b/, message: 'Date.now is not there in a module: take ctx.timestamp, the time of the call' },
  { imported: /^performance\./, written: /\bperformance\s*\.\s*now\b/, message: 'performance.now is not there in a module: take ctx.timestamp' },
  {
    imported: /^seed$/,
    written: /\bMathf?\s*\.\s*random\b|\bNativeMathf?\s*\.\s*random\b/,
    message: 'Math.random is not there in a module: write ctx.random()',
  },
  { imported: /^crypto\./, written: /\bcrypto\s*\.\s*\w+/, message: 'crypto is not there in a module: write ctx.random() or ctx.randomU64()' },
]
/** Comments and texts, in which these words mean nothing. A template stays: code stands in it. */
const NO_CODE = /\/\/.*|\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g

/** One error for each thing imported that no host gives; `texts` are the author's files by their names. */
export function absentImports(core: Uint8Array, texts: ReadonlyMap<string, string>): readonly Diagnostic[] {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(new Uint8Array(core)))
  const messages = imports.filter(({ module }) => !HOST_INTERFACE.test(module)).map(({ module, name }) => diagnosticOf(module, name, texts))
  return [...new Map(messages.map((one) => [one.message, one])).values()]
}

function diagnosticOf(module: string, name: string, texts: ReadonlyMap<string, string>): Diagnostic {
  const absent = module === 'env' ? ABSENT.find(({ imported }) => imported.test(name)) : undefined
  if (absent !== undefined) return { ...placeOf(absent.written, texts), message: absent.message }
  const message = `${quoteName(`${module}.${name}`)} is imported and no host gives it: a module reaches only ctx and the tables that its functions take`
  return { ...PLACE_UNKNOWN, message }
}

const PLACE_UNKNOWN = { file: INDEX_FILE, line: 1, column: 1 }

/** Where it is first written; what an author's library hides behind another name is told for the whole module. */
function placeOf(written: RegExp, texts: ReadonlyMap<string, string>): Omit<Diagnostic, 'message'> {
  for (const [file, text] of texts) {
    const code = text.replace(NO_CODE, (found) => found.replace(/[^\n]/g, ' '))
    const index = code.search(written)
    if (index === -1) continue
    const before = code.slice(0, index).split('\n')
    return { file, line: before.length, column: (before.at(-1) ?? '').length + 1 }
  }
  return PLACE_UNKNOWN
}
