/**
 * Random statements over `notes` and `members`, as texts with marks where the two languages write a value
 * differently: ⟨kind:value⟩. What each side makes of a mark is in sql-sides.ts.
 */
import fc from 'fast-check'

import { columnsOf } from '../policy/random-policies.ts'
import type { Kind } from '../policy/random-policies.ts'

export interface SqlStatement {
  /** Without its order. */
  readonly head: string
  /** What was asked for. */
  readonly order: readonly string[]
  /** What the host adds to it, so that no two rows have one place. */
  readonly rest: readonly string[]
  readonly tail: string
  readonly columns: number
}

type Text = fc.Arbitrary<string>

const kinds = Object.keys(columnsOf) as Kind[]
const ordered = kinds.filter((kind) => kind !== 'identity')
const texts = ['', 'a', 'ab', 'B', 'é', 'e\u0301', '\uffff', '\u{10000}', "it''s", '%_', '\\\\', '\u{1f600}a', ' a ']

const join = (...parts: readonly (Text | string)[]): Text =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((all) => all.join(''))

function literal(kind: Kind): Text {
  switch (kind) {
    case 'bool':
      return fc.constantFrom('true', 'false')
    case 'integer':
      return fc.constantFrom('0', '1', '2', '3', '255', '-1', '9007199254740993', '9223372036854775807').map((one) => `⟨i:${one}⟩`)
    case 'float':
      return fc.constantFrom('0.0', '0.1', '-1.5', '1.5', '2.5', '1e10').map((one) => `⟨f:${one}⟩`)
    case 'text':
      return fc.constantFrom(...texts).map((one) => `'${one}'`)
    case 'timestamp':
      return fc.constantFrom('1970-01-01T00:00:00Z', '2026-11-22T09:30:00.000001Z').map((one) => `⟨t:${one}⟩`)
    case 'identity':
      return fc.constantFrom('⟨d:11⟩', '⟨d:22⟩', '⟨sender:⟩')
  }
}

/** The tables that a text may name. */
type Names = readonly string[]

function column(kind: Kind, names: Names): Text {
  const all = columnsOf[kind].map(([name]) => name)
  return fc.constantFrom(...names.flatMap((name) => all.map((one) => `${name}.${one}`)))
}

function expression(kind: Kind, names: Names, depth: number): Text {
  const leaf = fc.oneof({ weight: 5, arbitrary: column(kind, names) }, { weight: 2, arbitrary: literal(kind) })
  if (depth === 0) return leaf
  const inner = expression(kind, names, depth - 1)
  const some = [
    join('coalesce(', inner, ', ', inner, ')'),
    join('(CASE WHEN ', condition(names, depth - 1), ' THEN ', inner, ' ELSE ', inner, ' END)'),
    join('(CASE WHEN ', condition(names, depth - 1), ' THEN ', inner, ' END)'),
    join('nullif(', inner, ', ', inner, ')'),
  ]
  return fc.oneof(
    { weight: 4, arbitrary: leaf },
    ...some.map((arbitrary) => ({ weight: 1, arbitrary })),
    ...ofKind(kind, names, depth - 1).map((arbitrary) => ({ weight: 2, arbitrary })),
  )
}

function ofKind(kind: Kind, names: Names, depth: number): readonly Text[] {
  const inner = (one: Kind): Text => expression(one, names, depth)
  switch (kind) {
    case 'integer':
      return [
        join('(', inner('integer'), ' ', fc.constantFrom('+', '-', '*', '/', '%'), ' ', inner('integer'), ')'),
        join('(- ', inner('integer'), ')'),
        join('abs(', inner('integer'), ')'),
        join('⟨int:', fc.constantFrom('length', 'char_length'), '(', inner('text'), ')⟩'),
        join('⟨int:strpos(', inner('text'), ', ', inner('text'), ')⟩'),
      ]
    case 'float':
      return [
        join('(', inner('float'), ' ', fc.constantFrom('+', '-', '*', '/'), ' ', inner('float'), ')'),
        join('(', inner('integer'), ' ', fc.constantFrom('+', '-', '*'), ' ', inner('float'), ')'),
        join(fc.constantFrom('round', 'floor', 'ceil', 'abs'), '(', inner('float'), ')'),
      ]
    case 'text':
      return [
        join('(', inner('text'), ' || ', inner('text'), ')'),
        join(fc.constantFrom('lower', 'upper', 'trim', 'ltrim', 'rtrim'), '(', inner('text'), ')'),
        join('substr(', inner('text'), ', ', fc.constantFrom('-1', '0', '1', '2'), ', ', fc.constantFrom('0', '1', '2'), ')'),
        join('substring(', inner('text'), ' from ', fc.constantFrom('1', '2'), ')'),
        join('replace(', inner('text'), ', ', inner('text'), ', ', inner('text'), ')'),
      ]
    case 'bool':
      return [condition(names, depth).map((one) => `(${one})`)]
    default:
      return []
  }
}

function condition(names: Names, depth: number): Text {
  const comparison = fc.constantFrom(...kinds).chain((kind) => {
    const value = expression(kind, names, Math.max(0, depth - 1))
    return fc.oneof(
      { weight: 4, arbitrary: join(value, ' ', fc.constantFrom('=', '<>', '!=', '<', '<=', '>', '>='), ' ', value) },
      { weight: 1, arbitrary: join(value, ' IN (', literal(kind), ', ', literal(kind), ')') },
      { weight: 1, arbitrary: join(value, ' NOT IN (', value, ', ', literal(kind), ')') },
      { weight: 1, arbitrary: join(column(kind, names), fc.constantFrom(' IS NULL', ' IS NOT NULL')) },
      { weight: 1, arbitrary: join(value, fc.constantFrom(' BETWEEN ', ' NOT BETWEEN '), value, ' AND ', value) },
    )
  })
  const like = join(
    column('text', names),
    fc.constantFrom(' LIKE ', ' NOT LIKE '),
    fc.constantFrom("'%'", "'a%'", "'_'", "'%\\%%'", "'%_a'", "'e%'", "''", "'%a%b%'", "'_%_'"),
  )
  const truth = join(column('bool', names), fc.constantFrom('', ' IS TRUE', ' IS NOT TRUE', ' IS FALSE', ' IS UNKNOWN'))
  const mixed = join(expression('integer', names, 0), ' ', fc.constantFrom('<', '>', '='), ' ', expression('float', names, 0))
  const leaf = fc.oneof({ weight: 5, arbitrary: comparison }, { weight: 1, arbitrary: like }, { weight: 1, arbitrary: truth }, { weight: 1, arbitrary: mixed })
  if (depth === 0) return leaf
  const term = condition(names, depth - 1)
  const [first = 'notes'] = names
  const look = fc.constantFrom(...kinds).chain((kind) => {
    const served = join('x.', columnsOf[kind][0][0], ' = ', first, '.', columnsOf[kind][0][0])
    return join('EXISTS (SELECT 1 FROM members AS x WHERE ', served, ' AND ', condition(['x', ...names], 0), ')')
  })
  const list = fc
    .constantFrom(...kinds)
    .chain((kind) =>
      join(
        column(kind, names),
        fc.constantFrom(' IN ', ' NOT IN '),
        '(SELECT x.',
        fc.constantFrom(...columnsOf[kind].map(([name]) => name)),
        ' FROM members AS x)',
      ),
    )
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 2, arbitrary: join('(', term, ' AND ', term, ')') },
    { weight: 2, arbitrary: join('(', term, ' OR ', term, ')') },
    { weight: 1, arbitrary: join('NOT (', term, ')') },
    { weight: 1, arbitrary: look },
    { weight: 1, arbitrary: list },
  )
}

interface From {
  readonly text: string
  readonly names: Names
  /** What tells the rows apart, in order. */
  readonly keys: readonly string[]
}

function froms(owner: 'person' | null): fc.Arbitrary<From> {
  const notesKeys = (name: string): string[] => [...(owner === null ? [] : [`${name}.${owner}`]), `${name}.id`]
  const joined = fc.constantFrom(...kinds).map((kind): From => {
    const [[by]] = columnsOf[kind]
    return { text: `notes AS n JOIN members AS m ON m.${by} = n.${by}`, names: ['n', 'm'], keys: [...notesKeys('n'), 'm.number'] }
  })
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant({ text: 'notes', names: ['notes'], keys: notesKeys('notes') }) },
    { weight: 1, arbitrary: fc.constant({ text: 'notes AS n', names: ['n'], keys: notesKeys('n') }) },
    { weight: 2, arbitrary: joined },
  )
}

const where = (names: Names): Text =>
  fc.oneof({ weight: 1, arbitrary: fc.constant('') }, { weight: 4, arbitrary: condition(names, 2).map((one) => ` WHERE ${one}`) })
const limits = fc.constantFrom('', '', ' LIMIT 1', ' LIMIT 3', ' LIMIT 2 OFFSET 1', ' OFFSET 2', ' LIMIT 0')
const direction = fc.constantFrom('', ' ASC', ' DESC', ' DESC NULLS LAST', ' ASC NULLS FIRST')

/** The host goes on in the last direction that was asked for. */
function inDirectionOf(order: readonly string[], keys: readonly string[]): string[] {
  const isDescending = order.at(-1)?.includes(' DESC') ?? false
  return keys.map((key) => `${key}${isDescending ? ' DESC' : ''}`)
}

function plain({ text, names, keys }: From): fc.Arbitrary<SqlStatement> {
  const value = fc.constantFrom(...kinds).chain((kind) => expression(kind, names, 2))
  const sort = fc.constantFrom(...kinds).chain((kind) => join(expression(kind, names, 0), direction))
  return fc
    .tuple(
      fc.array(value, { minLength: 1, maxLength: 3 }),
      where(names),
      fc.array(
        sort.filter((one) => !one.startsWith('⟨') && !one.startsWith("'") && !/^(true|false)/.test(one)),
        { maxLength: 2 },
      ),
      limits,
    )
    .map(([values, rows, order, tail]) => ({
      head: `SELECT ${values.join(', ')} FROM ${text}${rows}`,
      order,
      rest: inDirectionOf(order, keys),
      tail,
      columns: values.length,
    }))
}

function distinct({ text, names }: From): fc.Arbitrary<SqlStatement> {
  return fc.tuple(fc.constantFrom(...kinds), fc.constantFrom(...kinds)).chain(([one, other]) =>
    fc.tuple(column(one, names), column(other, names), where(names), direction, limits).map(([first, second, rows, down, tail]) => ({
      head: `SELECT DISTINCT ${first}, ${second} FROM ${text}${rows}`,
      order: [`${first}${down}`],
      rest: inDirectionOf([`${first}${down}`], [second]),
      tail,
      columns: 2,
    })),
  )
}

function aggregated(names: Names): Text {
  return fc.oneof(
    fc.constant('count(*)'),
    fc.constantFrom(...kinds).chain((kind) => join('count(', fc.constantFrom('', 'DISTINCT '), column(kind, names), ')')),
    fc.constantFrom(...ordered.filter((kind) => kind !== 'bool')).chain((kind) => join(fc.constantFrom('min', 'max'), '(', expression(kind, names, 1), ')')),
    join('⟨sum:', column('integer', names), '⟩'),
    join(
      '⟨avg:',
      fc.constantFrom(...names).map((name) => `${name}.small`),
      '⟩',
    ),
    join(
      'sum(⟨dyadic:',
      fc.constantFrom(...names).map((name) => `${name}.small`),
      '⟩)',
    ),
  )
}

function grouped({ text, names }: From): fc.Arbitrary<SqlStatement> {
  return fc.constantFrom(...kinds).chain((kind) =>
    fc
      .tuple(
        column(kind, names),
        aggregated(names),
        aggregated(names),
        where(names),
        fc.constantFrom('', ' HAVING count(*) > 1', ' HAVING min(⟨name⟩.small) < 3 OR count(*) = 1'),
        direction,
        limits,
      )
      .map(([group, first, second, rows, having, down, tail]) => ({
        head: `SELECT ${group}, ${first}, ${second} FROM ${text}${rows} GROUP BY ${group}${having.replace('⟨name⟩', names[0] ?? '')}`,
        order: [`${group}${down}`],
        rest: [],
        tail,
        columns: 3,
      })),
  )
}

function total({ text, names }: From): fc.Arbitrary<SqlStatement> {
  return fc
    .tuple(aggregated(names), aggregated(names), where(names))
    .map(([first, second, rows]) => ({ head: `SELECT ${first}, ${second} FROM ${text}${rows}`, order: [], rest: [], tail: '', columns: 2 }))
}

export function statements(owner: 'person' | null): fc.Arbitrary<SqlStatement> {
  return froms(owner).chain((from) =>
    fc.oneof(
      { weight: 5, arbitrary: plain(from) },
      { weight: 1, arbitrary: distinct(from) },
      { weight: 2, arbitrary: grouped(from) },
      { weight: 1, arbitrary: total(from) },
    ),
  )
}
