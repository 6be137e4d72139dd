/**
 * A report of the access log for people: grouped, then in full, as a table; or every row as CSV (RFC 4180), as JSON or
 * as one page of HTML that needs nothing else.
 */
import { tableLines } from '../value-text.ts'
import { nameOf, whoOf } from './report-answer.ts'
import type { AuditReport, AuditRow } from './report-answer.ts'

export const auditFormats = ['table', 'csv', 'json', 'html'] as const

export function reportDocument(report: AuditReport, format: (typeof auditFormats)[number]): readonly string[] {
  switch (format) {
    case 'table':
      return tableDocument(report)
    case 'csv':
      return [csvLine(fields), ...report.rows.map((row) => csvLine(valuesOf(report, row)))]
    case 'json':
      return JSON.stringify(report, null, 2).split('\n')
    case 'html':
      return htmlDocument(report)
  }
}

const fields = ['at', 'position', 'who', 'event', 'name', 'outcome', 'table', 'mode', 'rows', 'keys', 'channel', 'assurance', 'purpose', 'session', 'details']

function valuesOf(report: AuditReport, row: AuditRow): readonly string[] {
  return [
    row.at,
    String(row.position),
    whoOf(report, row),
    row.event,
    row.name,
    row.outcome,
    row.table_name,
    row.mode,
    String(row.row_count),
    keysOf(row),
    row.channel,
    row.assurance,
    row.purpose,
    row.session,
    row.details === '{}' ? '' : row.details,
  ]
}

function keysOf({ keys, digest, row_count }: AuditRow): string {
  return keys !== '' || row_count === 0 ? keys : `${row_count} rows${digest === '' ? '' : ` sha256:${digest.slice(0, 16)}`}`
}

interface Group {
  readonly who: string
  readonly what: string
  readonly table: string
  readonly mode: string
  times: number
  rows: number
  first: string
  last: string
}

/** By who, what and how: the first thing that somebody wants to know. */
function groupsOf(report: AuditReport): readonly Group[] {
  const groups = new Map<string, Group>()
  for (const row of report.rows) {
    const [who, what] = [whoOf(report, row), `${row.event} ${row.name}`.trim()]
    const key = JSON.stringify([who, what, row.table_name, row.mode, row.outcome])
    const known = groups.get(key)
    if (known === undefined) {
      const outcome = row.outcome === '' ? '' : ` (${row.outcome})`
      groups.set(key, { who, what: what + outcome, table: row.table_name, mode: row.mode, times: 1, rows: row.row_count, first: row.at, last: row.at })
    } else {
      known.times++
      known.rows += row.row_count
      known.last = row.at
    }
  }
  return [...groups.values()]
}

function tableDocument(report: AuditReport): readonly string[] {
  const title = `${report.rows.length} entries about ${nameOf(report, report.subject)}`
  if (report.rows.length === 0) return [title]
  const groups = groupsOf(report).map(({ who, what, table, mode, times, rows, first, last }) => ({
    who,
    what: cut(what),
    table,
    rows: mode === '' ? '' : `${rows} ${mode}`,
    times: String(times),
    first: dayTime(first),
    last: dayTime(last),
  }))
  const entries = report.rows.map((row) => ({
    at: dayTime(row.at),
    who: whoOf(report, row),
    what: cut(`${row.event} ${row.name}`.trim()),
    table: row.table_name,
    touched: row.mode === '' ? row.outcome : `${row.mode} ${cut(keysOf(row))}`,
    purpose: row.purpose,
    details: cut(detailsText(row)),
  }))
  return [title, '', ...tableLines(groups), '', ...tableLines(entries)]
}

/** Whose record it is stands above already. */
function detailsText({ details }: AuditRow): string {
  const texts = JSON.parse(details) as Readonly<Record<string, string>>
  return Object.entries(texts)
    .filter(([name]) => name !== 'identity' && name !== 'before')
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}

function dayTime(at: string): string {
  return at.slice(0, 19).replace('T', ' ')
}

function cut(text: string): string {
  return text.length <= shownCharactersMax ? text : `${text.slice(0, shownCharactersMax - 1)}…`
}

const shownCharactersMax = 48

/** A cell that a spreadsheet would take for a formula begins with a quote. */
function csvLine(values: readonly string[]): string {
  return values
    .map((value) => (/^[=+\-@\t]/.test(value) ? `'${value}` : value))
    .map((value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value))
    .join(',')
}

function htmlDocument(report: AuditReport): readonly string[] {
  const title = `Access log of ${nameOf(report, report.subject)}`
  const line = (cells: readonly string[], tag: string): string => `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>`,
    '<style>body{font:14px sans-serif}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:2px 6px;text-align:left;vertical-align:top}</style></head><body>',
    `<h1>${escaped(title)}</h1><p>${report.rows.length} entries, ${escaped(report.since)} to ${escaped(report.until)}</p>`,
    '<table>',
    line(fields, 'th'),
    ...report.rows.map((row) => line(valuesOf(report, row), 'td')),
    '</table></body></html>',
  ]
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
