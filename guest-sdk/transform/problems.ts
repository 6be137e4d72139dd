/** What is wrong with a module, as its author reads it: `index.ts:12:3 Turn.score: …`. */
import type { Node, Range } from 'assemblyscript'

import { isGenerated } from './graft.ts'

export interface Diagnostic {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** The errors and warnings of one build. Phases go on after an error, so that one build shows them all. */
export class Problems {
  readonly errors: Diagnostic[] = []
  readonly warnings: Diagnostic[] = []

  error(node: Node, message: string): void {
    this.errors.push(diagnosticAt(node.range, message))
  }

  warn(node: Node, message: string): void {
    this.warnings.push(diagnosticAt(node.range, message))
  }

  get hasErrors(): boolean {
    return this.errors.length > 0
  }
}

/** Ends a compilation after a phase that found errors; they are in the Problems. */
export class ModuleRefused extends Error {}

export function diagnosticAt({ source, start }: Range, message: string): Diagnostic {
  if (isGenerated(source)) return { file: source.normalizedPath, line: 1, column: 1, message: `in the code that the decorators make: ${message}` }
  const line = source.lineAt(start)
  return { file: source.normalizedPath, line, column: source.columnAt(), message }
}

export function formatDiagnostic({ file, line, column, message }: Diagnostic): string {
  return `${file}:${line}:${column} ${message}`
}

/** `; did you mean @table?` for the nearest of `known` that is at most two letters away. */
export function suggestion(name: string, known: readonly string[], prefix = ''): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= 2)
    .sort((left, right) => left.distance - right.distance)
  return nearest === undefined ? '' : `; did you mean ${prefix}${nearest.candidate}?`
}

/** Levenshtein's distance, one row of the matrix at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1]
    for (const [index, other] of [...to].entries()) {
      const replaced = (row[index] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
