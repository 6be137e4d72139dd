/** The files of test/vectors/wasm-spec, written by the WebAssembly Community Group. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { runScript } from './run-script.ts'
import type { ScriptReport } from './run-script.ts'

const folder = join(import.meta.dirname, '..', 'vectors', 'wasm-spec')

export async function runSuite(files: readonly string[] = []): Promise<readonly (ScriptReport & { readonly file: string })[]> {
  const reports: (ScriptReport & { readonly file: string })[] = []
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.wast'))) {
    if (files.length > 0 && !files.includes(file)) continue
    reports.push({ file, ...(await runScript(readFileSync(join(folder, file), 'utf8'))) })
  }
  return reports
}
