/**
 * What may come next in a statement: after FROM and JOIN a table, after `t.` a column of what t is, else columns of
 * the tables that the statement names, tables, functions and words of the language.
 */
import type { DatabaseSchema } from '../database-schema.ts'
import { COMMANDS } from './meta-command.ts'

type Tables = DatabaseSchema['tables']

const words = `SELECT DISTINCT FROM WHERE JOIN ON AND OR NOT IN IS NULL TRUE FALSE BETWEEN LIKE EXISTS CASE WHEN THEN ELSE END AS
  GROUP BY HAVING ORDER ASC DESC NULLS FIRST LAST LIMIT OFFSET`.split(/\s+/)
const functions = `sender() identity( count( sum( avg( min( max( coalesce( nullif( abs( round( floor( ceil( lower( upper( length( substr( trim(
  replace( strpos( starts_with( date_trunc( extract(`.split(/\s+/)

/** As readline's completer: what may stand in place of the end of `line`. `before` is the statement's earlier lines. */
export function completions(line: string, before: string, tables: Tables): readonly [hits: string[], end: string] {
  if (before === '' && line.startsWith('\\')) return commandCompletions(line, tables)
  const [end = ''] = /[A-Za-z0-9_.]*$/.exec(line) ?? []
  const text = `${before}\n${line}`
  const known = tables.map(({ name }) => name)
  const head = text.slice(0, text.length - end.length)
  const [, qualifier] = /^([A-Za-z0-9_]+)\.[A-Za-z0-9_]*$/.exec(end) ?? []
  if (qualifier !== undefined) {
    const columns = columnsOf(qualifier, text, tables)
    return [
      starting(
        columns.map((column) => `${qualifier}.${column}`),
        end,
      ),
      end,
    ]
  }
  if (/\b(?:from|join)\s+$/i.test(head)) return [starting(known, end), end]
  const named = namedTables(text, known)
  const columns = tables.filter(({ name }) => named.length === 0 || named.includes(name)).flatMap((table) => table.columns.map(({ name }) => name))
  return [starting([...columns, ...known, ...functions, ...words], end), end]
}

function commandCompletions(line: string, tables: Tables): readonly [string[], string] {
  const [, end] = /^\\d\s+([A-Za-z0-9_]*)$/.exec(line) ?? []
  if (end !== undefined)
    return [
      starting(
        tables.map(({ name }) => name),
        end,
      ),
      end,
    ]
  return [
    starting(
      COMMANDS.map(({ name }) => name),
      line,
    ),
    line,
  ]
}

/** Each once. Words of the language are written as they were begun. */
function starting(candidates: readonly string[], end: string): string[] {
  const wanted = end.toLowerCase()
  const found = [...new Set(candidates)].filter((candidate) => candidate.toLowerCase().startsWith(wanted))
  const isLower = end !== '' && end === end.toLowerCase()
  return found.map((candidate) => (isLower && candidate === candidate.toUpperCase() ? candidate.toLowerCase() : candidate))
}

function namedTables(text: string, known: readonly string[]): readonly string[] {
  const after = [...text.matchAll(/\b(?:from|join)\s+([A-Za-z0-9_]+)/gi)].map(([, name = '']) => name.toLowerCase())
  return known.filter((name) => after.includes(name))
}

/** Of a table, or of one that the statement gives this name. */
function columnsOf(qualifier: string, text: string, tables: Tables): readonly string[] {
  const aliases = [...text.matchAll(/\b(?:from|join)\s+([A-Za-z0-9_]+)\s+(?:as\s+)?([A-Za-z0-9_]+)/gi)]
  const name = aliases.find(([, , alias = '']) => alias.toLowerCase() === qualifier.toLowerCase())?.[1] ?? qualifier
  return tables.find((table) => table.name === name.toLowerCase())?.columns.map((column) => column.name) ?? []
}
