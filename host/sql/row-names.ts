/**
 * What the access log asks of each row of an answer: which rows it was made of. What names them is selected behind the
 * columns of the answer, so that LIMIT, OFFSET and ORDER BY need no guess.
 */
import { nameColumns } from '../plan/plan.ts'
import type { Value } from '../plan/query.ts'
import type { ScopeSource } from './scope.ts'

/** The row of one source: `count` values from `at` on. */
export interface RowName {
  readonly source: number
  readonly at: number
  readonly count: number
}

/** `number`: the one that touched rows of the source come with. */
export function rowNames(
  sources: readonly (ScopeSource & { readonly number: number })[],
  columnCount: number,
): { readonly values: readonly Value[]; readonly names: readonly RowName[] } {
  const values: Value[] = []
  const names = sources.map(({ table, alias, number }) => {
    const columns = nameColumns(table)
    const at = columnCount + values.length
    values.push(...columns.map((column): Value => ({ kind: 'column', column, alias })))
    return { source: number, at, count: columns.length }
  })
  return { values, names }
}
