/** The tables whose columns a part of a statement can name: those of its own FROM first, then those around it. */
import { nearNames } from '../near-names.ts'
import type { Column, Table } from '../schema/schema.ts'
import { StatementError } from './statement-error.ts'

export interface ScopeSource {
  /** As the statement names it. */
  readonly name: string
  readonly table: Table
  /** As the plan does: none of a module's names, and none of a policy's. */
  readonly alias: string
}

export interface Scope {
  readonly sources: readonly ScopeSource[]
  readonly outer: Scope | undefined
}

export interface FoundColumn {
  readonly source: ScopeSource
  readonly column: Column
}

/** @throws StatementError ERR_SQL_NAME */
export function findColumn(scope: Scope, qualifier: string | undefined, name: string, at: number | undefined): FoundColumn {
  for (let around: Scope | undefined = scope; around !== undefined; around = around.outer) {
    const named = around.sources.filter((source) => qualifier === undefined || source.name === qualifier)
    const found = named.flatMap((source) => source.table.columns.filter((column) => column.name === name).map((column) => ({ source, column })))
    const [first, second] = found
    if (second !== undefined) {
      throw new StatementError('ERR_SQL_NAME', `${shown(name)} is a column of ${found.map(({ source }) => source.name).join(' and ')}: write which`, at)
    }
    if (first !== undefined) return first
    if (qualifier !== undefined && named.length > 0) break
  }
  throw unknownColumn(scope, qualifier, name, at)
}

function unknownColumn(scope: Scope, qualifier: string | undefined, name: string, at: number | undefined): StatementError {
  const all = [...sourcesOf(scope)]
  const source = qualifier === undefined ? all : all.filter((one) => one.name === qualifier)
  if (source.length === 0) {
    const known = all.length === 0 ? 'the statement has no FROM' : `there is ${all.map((one) => one.name).join(', ')}`
    return new StatementError(
      'ERR_SQL_NAME',
      qualifier === undefined ? `no column ${shown(name)}: ${known}` : `no table ${shown(qualifier)} in this statement: ${known}`,
      at,
    )
  }
  const columns = source.flatMap(({ table }) => table.columns.map((column) => column.name))
  const near = nearNames(name, columns)
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there is ${[...new Set(columns)].join(', ')}`
  return new StatementError('ERR_SQL_NAME', `no column ${shown(name)}: ${hint}`, at)
}

function* sourcesOf(scope: Scope): Iterable<ScopeSource> {
  for (let around: Scope | undefined = scope; around !== undefined; around = around.outer) yield* around.sources
}

/** What a client wrote, short enough for a message. */
export function shown(name: string): string {
  return name.slice(0, 80)
}
