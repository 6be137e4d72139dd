/**
 * What a module's author says of who may see what (docs/policies.md, "Testing policies"): the tables of
 * `policies.test.md`, read and checked as far as the text alone allows. A table is known by its first column.
 *
 *   | person | claims | assurance |          who there is
 *   | who | call | kept as |                 what has happened before
 *   | rows of | where | sarah | bob |        who sees which rows
 *   | call | sarah | bob |                   what a call comes to, each time as if it were the only one
 *   | shown to strangers | why |             what is meant to be seen by anybody
 */
import { ASSURANCES } from '../identity.ts'
import type { Assurance } from '../identity.ts'
import { pipeTables } from './pipe-tables.ts'
import type { Cell, PipeTable, Place, Problem } from './pipe-tables.ts'
import { parseCall, parseWritten, WrittenError } from './written-call.ts'
import type { Written, WrittenCall } from './written-call.ts'

export interface Person extends Place {
  readonly name: string
  /** The subject of the login: the name, where nothing else is said. */
  readonly login: string
  readonly claims: Readonly<Record<string, string>>
  readonly assurance: Assurance
  /** Who acts in this one's name. */
  readonly actor: string | undefined
}

export interface Given extends Place {
  readonly who: string
  readonly call: WrittenCall
  readonly text: string
  readonly keptAs: string | undefined
}

/** How many of the rows there are somebody sees. */
export type Sight = 'yes' | 'no' | number

export type Outcome =
  /** It succeeds, whatever it gives. */
  | { readonly kind: 'ok' }
  | { readonly kind: 'error'; readonly code: string }
  /** It gives a list of so many. */
  | { readonly kind: 'rows'; readonly count: number }
  | { readonly kind: 'value'; readonly value: Written }

export type Case = Place & { readonly person: string; readonly expected: string } & (
    | { readonly kind: 'rows'; readonly table: Cell; readonly where: Cell; readonly sight: Sight }
    | { readonly kind: 'call'; readonly call: WrittenCall; readonly text: string; readonly outcome: Outcome }
  )

/** A table whose rows strangers may see. */
export interface Shown extends Place {
  readonly table: string
  readonly why: string
}

export interface Sheet {
  readonly people: readonly Person[]
  readonly given: readonly Given[]
  readonly cases: readonly Case[]
  readonly shown: readonly Shown[]
}

export const emptySheet: Sheet = { people: [], given: [], cases: [], shown: [] }

/** The sheet, and all that is wrong with it. */
export function parseSheet(text: string): { readonly sheet: Sheet; readonly problems: readonly Problem[] } {
  const { tables, problems } = pipeTables(text)
  const reader = new SheetReader([...problems])
  // What is named may stand below where it is named.
  for (const kind of ['person', 'who', undefined]) {
    for (const table of tables) if (kind === undefined || table.header[0]?.text === kind) reader.table(table, kind)
  }
  if (tables.length === 0 && problems.length === 0) reader.problem({ line: 1, column: 1 }, 'there is no table here: docs/policies.md shows one')
  return { sheet: reader.sheet(), problems: reader.problems.toSorted((left, right) => left.line - right.line || left.column - right.column) }
}

const NAME = /^[a-z][a-z0-9_]*$/

class SheetReader {
  readonly problems: Problem[]
  readonly #people = new Map<string, Person>()
  readonly #given: Given[] = []
  readonly #cases: Case[] = []
  readonly #shown: Shown[] = []
  readonly #kept = new Set<string>()

  constructor(problems: Problem[]) {
    this.problems = problems
  }

  problem({ line, column }: Place, message: string): void {
    this.problems.push({ line, column, message })
  }

  sheet(): Sheet {
    return { people: [...this.#people.values()], given: this.#given, cases: this.#cases, shown: this.#shown }
  }

  /** `kind` when only tables of that kind are read now. */
  table(table: PipeTable, kind: string | undefined): void {
    const [first] = table.header
    switch (first?.text) {
      case 'person':
        return kind === 'person' ? this.#persons(table) : undefined
      case 'who':
        return kind === 'who' ? this.#givens(table) : undefined
      case 'rows of':
        return this.#rowCases(table)
      case 'call':
        return this.#callCases(table)
      case 'shown to strangers':
        return this.#showns(table)
      default:
        if (first !== undefined)
          this.problem(first, `no table of cases begins with ${JSON.stringify(first.text)}: it is person, who, rows of, call or shown to strangers`)
    }
  }

  #persons({ header, rows }: PipeTable): void {
    const at = this.#columns(header, ['person', 'login', 'claims', 'assurance', 'actor'])
    for (const row of rows) {
      const [first] = row
      if (first === undefined) continue
      const text = (name: string): string | undefined => row[at.get(name) ?? -1]?.text || undefined
      const name = this.#newName(first)
      const assurance = ASSURANCES.find((one) => one === (text('assurance') ?? 'none'))
      if (assurance === undefined) this.problem(row[at.get('assurance') ?? 0] ?? first, `an assurance is one of ${ASSURANCES.join(', ')}`)
      const claims = this.#claims(row[at.get('claims') ?? -1])
      const { line, column } = first
      this.#people.set(name, { name, login: text('login') ?? name, claims, assurance: assurance ?? 'none', actor: text('actor'), line, column })
    }
    for (const person of this.#people.values()) {
      if (person.actor !== undefined && !this.#people.has(person.actor))
        this.problem(person, `there is no person ${person.actor} who could act for ${person.name}`)
    }
  }

  #givens({ header, rows }: PipeTable): void {
    const at = this.#columns(header, ['who', 'call', 'kept as'])
    for (const row of rows) {
      const [who, call, kept] = ['who', 'call', 'kept as'].map((name) => row[at.get(name) ?? -1])
      if (who === undefined || call === undefined) continue
      this.#requirePerson(who)
      const parsed = this.#call(call)
      const keptAs = kept === undefined || kept.text === '' ? undefined : this.#newName(kept)
      if (parsed !== undefined) this.#given.push({ who: who.text, call: parsed, text: call.text, keptAs, line: call.line, column: call.column })
      if (keptAs !== undefined) this.#kept.add(keptAs)
    }
  }

  #rowCases({ header, rows }: PipeTable): void {
    if (header[1]?.text !== 'where') return this.problem(header[1] ?? header[0] ?? start, 'after rows of comes where, and then a column for each person')
    for (const cell of header.slice(2)) this.#requirePerson(cell)
    for (const [table, where, ...cells] of rows) {
      if (table === undefined || where === undefined) continue
      for (const { name, at } of namesInSql(where.text)) this.#requireName(where, name, at)
      for (const [index, cell] of cells.entries()) {
        if (cell.text === '') continue
        const sight = sightOf(cell.text)
        if (sight === undefined) this.problem(cell, 'yes (all of these rows), no (none), or how many of them')
        else this.#cases.push({ kind: 'rows', ...placed(cell, header[index + 2]), table, where, sight })
      }
    }
  }

  #callCases({ header, rows }: PipeTable): void {
    for (const cell of header.slice(1)) this.#requirePerson(cell)
    for (const [call, ...cells] of rows) {
      const parsed = call === undefined ? undefined : this.#call(call)
      if (call === undefined || parsed === undefined) continue
      for (const [index, cell] of cells.entries()) {
        const outcome = cell.text === '' ? undefined : this.#outcome(cell)
        if (outcome !== undefined) this.#cases.push({ kind: 'call', ...placed(cell, header[index + 1]), call: parsed, text: call.text, outcome })
      }
    }
  }

  #outcome(cell: Cell): Outcome | undefined {
    const { text } = cell
    if (text === 'ok') return { kind: 'ok' }
    if (text === 'denied') return { kind: 'error', code: 'ERR_ROW_DENIED' }
    if (text === 'fails') return { kind: 'error', code: 'ERR_CALL_FAILED' }
    if (/^ERR_[A-Z_]+$/.test(text)) return { kind: 'error', code: text }
    const count = /^(\d+) rows?$/.exec(text)?.[1]
    if (count !== undefined) return { kind: 'rows', count: Number(count) }
    const value = this.#written(cell, parseWritten, 'ok, denied, fails, an error code, as in 3 rows, or the result as JSON')
    if (value === undefined) return undefined
    for (const { name, at } of namesIn(value)) this.#requireName(cell, name, at)
    return { kind: 'value', value }
  }

  #call(cell: Cell): WrittenCall | undefined {
    const call = this.#written(cell, parseCall)
    for (const { name, at } of call?.args.flatMap(namesIn) ?? []) this.#requireName(cell, name, at)
    return call
  }

  #requireName({ line, column }: Cell, name: string, at: number): void {
    if (this.#people.has(name) || this.#kept.has(name)) return
    const known = [...this.#people.keys(), ...this.#kept].map((one) => `$${one}`)
    this.problem({ line, column: column + at }, `nothing is called $${name}; there is ${known.join(', ') || 'nothing yet'}`)
  }

  #showns({ header, rows }: PipeTable): void {
    const at = this.#columns(header, ['shown to strangers', 'why'])
    for (const [name, ...rest] of rows) {
      const why = rest[(at.get('why') ?? 1) - 1]?.text ?? ''
      if (name === undefined) continue
      if (why === '') this.problem(name, `say why anybody may see ${name.text}`)
      else this.#shown.push({ table: name.text, why, line: name.line, column: name.column })
    }
  }

  /** Where each of the columns stands. The first must be there: it named the table. */
  #columns(header: readonly Cell[], known: readonly string[]): ReadonlyMap<string, number> {
    for (const cell of header) if (!known.includes(cell.text)) this.problem(cell, `the columns of this table are ${known.join(', ')}`)
    return new Map(header.map((cell, index) => [cell.text, index]))
  }

  #claims(cell: Cell | undefined): Readonly<Record<string, string>> {
    if (cell === undefined || cell.text === '') return {}
    const pairs = cell.text.split(',').map((pair) => /^\s*([^=\s]+)=(.*?)\s*$/.exec(pair))
    if (pairs.includes(null)) this.problem(cell, 'claims are written as in role=admin, region=north')
    return Object.fromEntries(pairs.flatMap((pair) => (pair === null ? [] : [[pair[1] ?? '', pair[2] ?? '']])))
  }

  #requirePerson(cell: Cell): void {
    if (!this.#people.has(cell.text)) this.problem(cell, `there is no person ${cell.text}; there is ${[...this.#people.keys()].join(', ') || 'none'}`)
  }

  /** Of a person or of what a call gave: `$name` is either. */
  #newName(cell: Cell): string {
    if (!NAME.test(cell.text)) this.problem(cell, 'a name is a small letter, then small letters, digits and _')
    else if (this.#people.has(cell.text) || this.#kept.has(cell.text)) this.problem(cell, `${cell.text} names something else already`)
    return cell.text
  }

  #written<T>(cell: Cell, parse: (text: string) => T, otherwise?: string): T | undefined {
    try {
      return parse(cell.text)
    } catch (error) {
      if (!(error instanceof WrittenError)) throw error
      this.problem({ line: cell.line, column: cell.column + error.at }, otherwise ?? error.message)
      return undefined
    }
  }
}

const start: Place = { line: 1, column: 1 }

function placed(cell: Cell, person: Cell | undefined): Place & { readonly person: string; readonly expected: string } {
  return { line: cell.line, column: cell.column, person: person?.text ?? '', expected: cell.text }
}

function namesIn(written: Written): readonly { readonly name: string; readonly at: number }[] {
  switch (written.kind) {
    case 'value':
      return []
    case 'name':
      return [written]
    case 'list':
      return written.items.flatMap(namesIn)
    case 'object':
      return written.fields.flatMap(([, value]) => namesIn(value))
  }
}

/** `$name` outside of quotes. */
const NAME_IN_SQL = /'(?:[^']|'')*'|\$([a-z_][a-z0-9_]*)/g

export function namesInSql(text: string): readonly { readonly name: string; readonly at: number }[] {
  return [...text.matchAll(NAME_IN_SQL)].flatMap(({ 1: name, index }) => (name === undefined ? [] : [{ name, at: index }]))
}

/** The text with each of its names as `replace` gives it. */
export function withNamesInSql(text: string, replace: (name: string) => string): string {
  return text.replaceAll(NAME_IN_SQL, (whole, name: string | undefined) => (name === undefined ? whole : replace(name)))
}

function sightOf(text: string): Sight | undefined {
  if (text === 'yes' || text === 'no') return text
  return /^\d+$/.test(text) ? Number(text) : undefined
}
