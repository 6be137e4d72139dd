/** Values for people: rows as a table, everything else as JSON over several lines. */
import { printable } from '../printable.ts'

type Row = Readonly<Record<string, unknown>>

export function valueLines(value: unknown): readonly string[] {
  if (value === undefined) return []
  if (typeof value === 'string') return value.split('\n')
  if (isRows(value)) return tableLines(value)
  return JSON.stringify(value, null, 2).split('\n')
}

/** Columns as wide as their widest cell in the form in which it is printed; the names of the first row's fields above them. */
export function tableLines(rows: readonly Row[]): readonly string[] {
  const names = Object.keys(rows[0] ?? {})
  const cells = [names, ...rows.map((row) => names.map((name) => cell(row[name])))]
  const widths = names.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)))
  return cells.map((line) =>
    line
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function isRows(value: unknown): value is readonly Row[] {
  return Array.isArray(value) && value.length > 0 && value.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row))
}

function cell(value: unknown): string {
  return printable(typeof value === 'string' ? value.replaceAll('\n', ' ') : JSON.stringify(value ?? null))
}
