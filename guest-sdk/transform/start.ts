/**
 * Two changes to what AssemblyScript would emit, both because every call is a fresh instance and pays
 * again for what runs or is exported at its start.
 */
import type { Parser, Source } from 'assemblyscript'
import type binaryen from 'assemblyscript/binaryen'

import { parseStatements } from './graft.ts'

/** The export that the component's wiring calls where a module has top-level code. */
export const START_EXPORT = '_initialize'

const ALLOCATOR = '~lib/rt/stub'
const FIRST_ADDRESS = /@lazy let startOffset: usize = (.+);/
const EAGER = '@lazy let offset: usize = startOffset;'
const LAZY = '@lazy let offset: usize = 0;'
const FIRST_USE = 'let block = changetype<BLOCK>(offset);'

/**
 * The runtime's allocator computes its first address in the start function. Computed at the first
 * allocation instead, a module without top-level code has nothing to start.
 */
export function startAllocatorLazily(parser: Parser): void {
  const source = parser.sources.find((one) => one.internalPath === ALLOCATOR)
  const firstAddress = source === undefined ? undefined : FIRST_ADDRESS.exec(source.text)?.[1]
  if (source === undefined || firstAddress === undefined || !source.text.includes(EAGER) || !source.text.includes(FIRST_USE)) {
    throw new Error(`${ALLOCATOR} of this assemblyscript is not the one that is known; pin its version`)
  }
  const lazy = source.text.replace(EAGER, LAZY).replace(FIRST_USE, `if (offset == 0) offset = ${firstAddress};\n  ${FIRST_USE}`)
  replaceStatements(source, lazy)
}

function replaceStatements(source: Source, text: string): void {
  source.statements.splice(0, source.statements.length, ...parseStatements(source, text))
}

/** Drops the export of a start function that does nothing. */
export function dropEmptyStart(module: binaryen.Module, library: typeof binaryen): void {
  const start = library.getFunctionInfo(module.getFunction('~start'))
  if (library.getExpressionId(start.body) === library.NopId) module.removeExport(START_EXPORT)
}
