/**
 * What core module 0 of a component may be: imports of the world only and exactly typed, the exports
 * that the adapter calls, one memory, no start function, few table elements. The decoder has refused
 * every feature and instruction beyond the allow-list before this is asked.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { quoteName } from './binary-reader.ts'
import { functionTypeOf, signatureText, typeAt } from './core-module.ts'
import type { CoreExport, CoreImport, CoreModule } from './core-module.ts'
import { coreImportSignature, REALLOC, REALLOC_CORE, WORLD_EXPORTS } from './world.ts'

export const INITIALIZE = '_initialize'

/** The export that frees what `name` returned. */
export function postReturnOf(name: string): string {
  return `cabi_post_${name}`
}

const REQUIRED_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  [REALLOC, REALLOC_CORE],
  ...[...WORLD_EXPORTS].map(([name, { core }]) => [name, core] as const),
])

const OPTIONAL_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  [INITIALIZE, '() -> ()'],
  ...[...WORLD_EXPORTS.keys()].map((name) => [postReturnOf(name), '(i32) -> ()'] as const),
])

/** What linkers export by themselves; the host never reads them. */
const OPTIONAL_GLOBALS: ReadonlySet<string> = new Set(['__data_end', '__heap_base'])

/** The Rust bindings export their allocator under their own version's name as well. */
const RUST_REALLOC = /^cabi_realloc_wit_bindgen_[0-9_]{1,20}$/

/** @throws HostError ERR_COMPONENT_CORE, with the import, export or limit that is wrong. */
export function checkGuestModule(module: CoreModule): void {
  if (module.start !== undefined) {
    throw refused('a start function: it would run before the host counts. Compile with --exportStart _initialize')
  }
  checkImports(module)
  checkMemory(module)
  checkTables(module)
  checkCounts(module)
  checkRequiredExports(module)
  for (const [name, entry] of module.exports) checkExport(module, name, entry)
}

function checkImports(module: CoreModule): void {
  const seen = new Set<string>()
  for (const entry of module.imports) {
    const label = `${quoteName(entry.module)} ${quoteName(entry.name)}`
    checkImport(module, entry, label)
    if (seen.has(label)) throw refused(`the import ${label} twice`)
    seen.add(label)
  }
}

function checkImport(module: CoreModule, entry: CoreImport, label: string): void {
  const wanted = coreImportSignature(entry.module, entry.name)
  if (wanted === undefined || entry.kind !== 'function') throw refused(`the import ${label}: the world has no such function`)
  const found = signatureText(typeAt(module, entry.type))
  if (found !== wanted) throw refused(`the import ${label} as ${found}: it is ${wanted}`)
}

function checkMemory(module: CoreModule): void {
  const [memory, ...others] = module.memories
  if (memory === undefined || others.length > 0) throw refused(`${module.memories.length} memories: it has exactly one`)
  if (memory.min > limits.memoryPagesInitialMax) {
    throw refused(`${memory.min} initial pages of memory: at most ${limits.memoryPagesInitialMax} (64 KiB each)`)
  }
  if (memory.max !== undefined && (memory.max < memory.min || memory.max > limits.memoryPagesMax)) {
    throw refused(`a memory of ${memory.min} to ${memory.max} pages`)
  }
}

function checkTables(module: CoreModule): void {
  if (module.tables.length > 1) throw refused(`${module.tables.length} tables: at most one`)
  const entries = module.tables.reduce((sum, table) => sum + table.min, 0)
  const filled = module.elements.reduce((sum, segment) => sum + segment.functions.length, 0)
  if (Math.max(entries, filled) > limits.tableElementsMax) {
    throw refused(`${Math.max(entries, filled)} table elements: at most ${limits.tableElementsMax}`)
  }
}

/** Parts that cost a call time before it has burnt any fuel. */
function checkCounts({ globals, functions, data }: CoreModule): void {
  const counts = [
    ['globals', globals.length, limits.globalsMax],
    ['functions', functions.length, limits.functionsMax],
    ['data segments', data.length, limits.dataSegmentsMax],
  ] as const
  for (const [what, count, most] of counts) if (count > most) throw refused(`${count} ${what}: at most ${most}`)
}

function checkRequiredExports(module: CoreModule): void {
  const missing = ['memory', ...REQUIRED_FUNCTIONS.keys()].filter((name) => !module.exports.has(name))
  if (missing.length > 0) {
    throw new HostError('ERR_COMPONENT_CORE', `a module must export ${missing.join(', ')}`, { detail: { missing } })
  }
}

function checkExport(module: CoreModule, name: string, entry: CoreExport): void {
  const signature = REQUIRED_FUNCTIONS.get(name) ?? OPTIONAL_FUNCTIONS.get(name) ?? (RUST_REALLOC.test(name) ? REALLOC_CORE : undefined)
  if (signature !== undefined) return checkFunctionExport(module, name, entry, signature)
  if (name === 'memory' && entry.kind === 'memory' && entry.index === 0) return
  const global = entry.kind === 'global' ? module.globals[entry.index] : undefined
  if (OPTIONAL_GLOBALS.has(name) && global?.mutable === false) return
  throw refused(`the export ${quoteName(name)} (${entry.kind})`)
}

function checkFunctionExport(module: CoreModule, name: string, entry: CoreExport, wanted: string): void {
  if (entry.kind !== 'function') throw refused(`the export ${quoteName(name)} as a ${entry.kind}: it is a function`)
  const found = signatureText(functionTypeOf(module, entry.index))
  if (found !== wanted) throw refused(`the export ${quoteName(name)} as ${found}: it is ${wanted}`)
}

function refused(what: string): HostError {
  return new HostError('ERR_COMPONENT_CORE', `a module may not have ${what}`)
}
