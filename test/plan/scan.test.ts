/** Scans against an oracle that knows only docs/row-format.md: all rows, a filter and a sort. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { HostError } from '../../host/errors.ts'
import type { SqlRow, SqlValue } from '../../host/plan/plan.ts'
import { planScan, scanShape } from '../../host/plan/scan.ts'
import type { Scan, ScanTerm } from '../../host/plan/scan.ts'
import { print } from '../../host/plan/printer.ts'
import type { Column, Table } from '../../host/schema/schema.ts'
import { accessOf, contextOf, fileWith, tableOf } from './table-fixture.ts'
import { scopeOf } from '../reducer/row-scope.ts'

const owners = [0x11, 0x22].map((byte) => Buffer.alloc(32, byte))
const sarah = Buffer.alloc(32, 0x11)
const asSarah = contextOf(sarah)

/** Few values of each type, so that rows are equal often, with those that sort unlike their neighbours. */
const valuesOf: Readonly<Record<string, readonly SqlValue[]>> = {
  u8: [0n, 1n, 2n, 255n],
  i64: [-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n],
  'i16?': [null, -1n, 0n, 1n],
  string: ['', 'B', 'a', 'ab', 'é', '\uffff', '\u{10000}'],
  'string?': [null, '', 'a'],
  f64: [Number.NEGATIVE_INFINITY, -1.5, 0, 1.5],
  'bytes?': [null, Buffer.alloc(0), Buffer.from([0]), Buffer.from([1, 0])],
  timestamp: [-1n, 0n, 1n],
  bool: [0n, 1n],
  'u8?': [null, 0n, 255n],
  'f64?': [null, -1.5, 1.5],
  'timestamp?': [null, 0n, 1n],
}

const types = Object.keys(valuesOf)

/** Tables of a counted or a spoken key, perhaps clustered, with up to three indexes of up to three columns. */
const tables: fc.Arbitrary<Table> = fc
  .record({
    columns: fc.uniqueArray(fc.constantFrom(...types), { minLength: 3, maxLength: 5 }),
    picks: fc.array(fc.array(fc.nat(4), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
    clustered: fc.option(fc.nat(4)),
  })
  .map(({ columns, picks, clustered }) => {
    const named = columns.map((type, index) => ({ name: `c${index}`, type }))
    const lists = picks.map((pick) => [...new Set(pick.map((index) => `c${index % columns.length}`))])
    const distinct = [...new Map(lists.map((list) => [list.join(), list])).values()]
    const order = named.filter((_column, index) => clustered === index && !columns[index]?.endsWith('?')).map((column) => column.name)
    return tableOf({
      columns: [{ name: 'caller', type: 'identity' }, ...named, { name: 'id', type: 'u64' }],
      clustered: order,
      indexes: distinct.map((list) => ({ columns: list })),
    })
  })

function valueOf(column: Column): fc.Arbitrary<SqlValue> {
  return fc.constantFrom(...(valuesOf[`${column.type.scalar}${column.type.nullable ? '?' : ''}`] ?? [0n, 1n, 2n, 3n]))
}

/** Rows of both owners; their ids count up, like the host's. */
function rowsOf(table: Table): fc.Arbitrary<SqlRow[]> {
  const row = fc.tuple(fc.constantFrom(...owners), ...table.columns.slice(1, -1).map(valueOf))
  return fc.array(row, { minLength: 5, maxLength: 25 }).map((rows) => rows.map((values, index): SqlRow => [...values, BigInt(index + 1)]))
}

const operators: readonly ScanTerm['operator'][] = ['any', '=', '<', '<=', '>', '>=']

function termOf(column: Column, allowed: readonly ScanTerm['operator'][]): fc.Arbitrary<ScanTerm> {
  return fc
    .tuple(fc.constantFrom(...allowed), valueOf(column))
    .map(([operator, value]): ScanTerm => ({ column, operator, value: operator === 'any' ? null : value }))
}

/** Equal on the first columns of something that is ordered, and perhaps a range over the next. */
function servedTerms(table: Table): fc.Arbitrary<ScanTerm[]> {
  const lists = [[...table.clustered, table.key], ...table.indexes.map((index) => [...index.columns, table.key])]
  return fc.tuple(fc.constantFrom(...lists), fc.nat(3), fc.nat(2)).chain(([list, equalCount, rangeCount]) => {
    const equal = list.slice(0, equalCount).map((column) => termOf(column, ['=']))
    const ranged = list.slice(equalCount, equalCount + 1).flatMap((column) => Array.from({ length: rangeCount }, () => termOf(column, operators)))
    return fc.tuple(...equal, ...ranged).map((terms) => [...terms])
  })
}

function anyTerms(table: Table): fc.Arbitrary<ScanTerm[]> {
  return fc.array(
    fc.constantFrom(...table.columns.slice(1)).chain((column) => termOf(column, operators)),
    { maxLength: 3 },
  )
}

function scanOf(table: Table): fc.Arbitrary<Scan> {
  return fc.record({
    direction: fc.constantFrom('ascending', 'descending', 'latest'),
    limit: fc.option(fc.nat(12), { nil: undefined }),
    terms: fc.oneof({ weight: 3, arbitrary: servedTerms(table) }, { weight: 1, arbitrary: anyTerms(table) }),
  })
}

const cases = tables.chain((table) =>
  fc.record({ table: fc.constant(table), rows: rowsOf(table), scans: fc.array(scanOf(table), { minLength: 8, maxLength: 8 }) }),
)

// ---- the oracle ----------------------------------------------------------------------------------

/** The columns by which the document orders the scan, or undefined when it says that no index serves it. */
function documentedOrder(table: Table, scan: Scan): readonly Column[] | undefined {
  const equal = new Set(scan.terms.filter((term) => term.operator === '=').map((term) => term.column))
  const ranged = new Set(scan.terms.filter((term) => term.operator !== '=').map((term) => term.column))
  const lists = [[...table.clustered, table.key], [table.key], ...table.indexes.map((index) => [...index.columns, table.key])]
  const list = lists.find((columns) => {
    const named = [...equal, ...[...ranged].filter((column) => !equal.has(column))]
    const isPrefix = [...equal].every((column) => columns.slice(0, equal.size).includes(column))
    return ranged.size <= 1 && isPrefix && named.every((column, index) => index < equal.size || columns[index] === column)
  })
  return list === undefined ? undefined : [...list, table.key]
}

function expected(table: Table, rows: readonly SqlRow[], scan: Scan, order: readonly Column[]): readonly SqlRow[] {
  const valueIn = (row: SqlRow, column: Column): SqlValue => row[table.columns.indexOf(column)] ?? null
  const kept = rows.filter((row) => sarah.equals(row[0] as Buffer) && scan.terms.every((term) => holds(valueIn(row, term.column), term)))
  const ascending = kept.toSorted(
    (left, right) => order.map((column) => inOrder(valueIn(left, column), valueIn(right, column))).find((result) => result !== 0) ?? 0,
  )
  const count = scan.limit ?? kept.length
  if (scan.direction === 'ascending') return ascending.slice(0, count)
  const newest = ascending.toReversed().slice(0, count)
  return scan.direction === 'latest' ? newest.toReversed() : newest
}

function holds(value: SqlValue, { operator, value: wanted }: ScanTerm): boolean {
  if (operator === 'any') return true
  if (operator === '=' && wanted === null) return value === null
  if (value === null || wanted === null) return false
  const result = inOrder(value, wanted)
  return { '=': result === 0, '<': result < 0, '<=': result <= 0, '>': result > 0, '>=': result >= 0 }[operator]
}

/** Nulls last, texts by their UTF-8 bytes. */
function inOrder(left: SqlValue, right: SqlValue): number {
  if (left === null || right === null) return Number(left === null) - Number(right === null)
  if (isText(left) || isText(right)) return Buffer.compare(Buffer.from(left as string), Buffer.from(right as string))
  return left < right ? -1 : Number(left > right)
}

function isText(value: SqlValue): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array
}

function isServed(table: Table, scan: Scan): boolean {
  try {
    planScan(table, scan)
    return true
  } catch (error) {
    if (error instanceof HostError && error.code === 'ERR_NO_INDEX') return false
    throw error
  }
}

// ---- properties ----------------------------------------------------------------------------------

test('a scan is served exactly when the document says so, and then gives what a filter and a sort over all rows give', () => {
  let served = 0
  fc.assert(
    fc.property(cases, ({ table, rows, scans }) => {
      using file = fileWith(table)
      const access = accessOf(file, table)
      access.writer.insert(rows)
      for (const scan of scans) {
        const order = documentedOrder(table, scan)
        assert.equal(isServed(table, scan), order !== undefined, scanText(scan))
        if (order === undefined) continue
        served++
        assert.deepEqual(access.scan(scan, 1_000, scopeOf(asSarah)), expected(table, rows, scan, order), scanText(scan))
        assert.equal(access.count(scan, 1_000, scopeOf(asSarah)), BigInt(expected(table, rows, { ...scan, limit: undefined }, order).length), scanText(scan))
      }
    }),
    { numRuns: 100 },
  )
  assert.ok(served > 100, `only ${served} scans were served`)
})

test('a served scan reads an index of the sender and sorts only for the sake of nulls', () => {
  fc.assert(
    fc.property(cases, ({ table, scans }) => {
      using file = fileWith(table)
      const policy = accessOf(file, table).policy(asSarah)
      for (const scan of scans.filter((one) => isServed(table, one) && one.terms.every((term) => term.value !== null || term.operator === 'any'))) {
        const { where, order } = planScan(table, scan)
        const { sql, operands } = print({ kind: 'select', table, where: { kind: 'and', terms: [where, policy.using('read')] }, order, hasLimit: true })
        const steps = file
          .statement(`EXPLAIN QUERY PLAN ${sql}`)
          .rows(operands.map(() => null))
          .map((row) => String(row[3]))
        assert.match(steps[0] ?? '', /^SEARCH turns USING (PRIMARY KEY|(COVERING )?INDEX _index_\d+) \(caller=\?/, sql)
        const hasNulls = order.some((one) => one.column.type.nullable)
        assert.deepEqual(
          steps.slice(1).filter(() => !hasNulls),
          [],
          `${sql} ${steps.join()}`,
        )
      }
    }),
    { numRuns: 100 },
  )
})

// ---- facts ---------------------------------------------------------------------------------------

const indexed = tableOf({
  columns: [
    { name: 'caller', type: 'identity' },
    { name: 'mood', type: 'i16?' },
    { name: 'role', type: 'string' },
    { name: 'id', type: 'u64' },
  ],
  indexes: [{ columns: ['mood'] }, { columns: ['role', 'mood'] }],
})
const [, mood, role] = indexed.columns as [Column, Column, Column]

function scan(...terms: readonly ScanTerm[]): Scan {
  return { direction: 'ascending', limit: undefined, terms }
}

function scanText({ direction, limit, terms }: Scan): string {
  return `${direction} ${limit ?? 'all'}: ${terms.map((term) => `${term.column.name} ${term.operator} ${String(term.value)}`).join(', ')}`
}

test('a range up to null gives nothing, before and after a range of the same shape up to a value', () => {
  using file = fileWith(indexed)
  const access = accessOf(file, indexed)
  access.writer.insert([[sarah, 1n, 'caller', 1n]])
  const below = (value: SqlValue): number => access.scan(scan({ column: mood, operator: '<', value }), 10, scopeOf(asSarah)).length
  assert.deepEqual([below(null), below(5n), below(null)], [0, 1, 0])
})

test('nulls come last, and first when the newest come first', () => {
  using file = fileWith(indexed)
  const access = accessOf(file, indexed)
  for (const [index, value] of [1n, null, -1n].entries()) access.writer.insert([[sarah, value, 'caller', BigInt(index)]])
  const byMood = scan({ column: mood, operator: 'any', value: null })
  const moods = (direction: Scan['direction']): unknown[] => access.scan({ ...byMood, direction }, 10, scopeOf(asSarah)).map((row) => row[1])
  assert.deepEqual(
    [moods('ascending'), moods('descending'), moods('latest')],
    [
      [-1n, 1n, null],
      [null, 1n, -1n],
      [-1n, 1n, null],
    ],
  )
})

test('a column named twice fills one place of an index', () => {
  const twice = scan({ column: mood, operator: '=', value: 1n }, { column: mood, operator: '=', value: 1n })
  const table = tableOf({
    columns: indexed.columns.map(({ name, type }) => ({ name, type: `${type.scalar}${type.nullable ? '?' : ''}` })),
    indexes: [{ columns: ['role', 'mood'] }],
  })
  assert.ok(isServed(indexed, twice))
  assert.ok(!isServed(table, { ...twice, terms: twice.terms.map((term) => ({ ...term, column: table.columns[1] as Column })) }))
})

test('what no index serves is refused and says which index would', () => {
  const byRole = scan({ column: mood, operator: '>', value: 1n }, { column: role, operator: '>', value: 'a' })
  assert.throws(() => planScan(indexed, byRole), {
    code: 'ERR_NO_INDEX',
    message: 'no index of turns serves a scan by mood, role: a scan can range over one column',
  })
  const unindexed = tableOf()
  assert.throws(() => planScan(unindexed, scan({ column: unindexed.columns[2] as Column, operator: '=', value: 'a' })), {
    message: 'no index of turns serves a scan by role: add @index("role") to the class',
  })
})

test('an index over all owners serves only its whole key: a range would walk the rows of others', () => {
  const table = tableOf({ uniques: [{ columns: ['role', 'content'], global: true }] })
  const [, , byRole, byContent] = table.columns as [Column, Column, Column, Column]
  assert.ok(isServed(table, scan({ column: byRole, operator: '=', value: 'a' }, { column: byContent, operator: '=', value: 'b' })))
  assert.ok(!isServed(table, scan({ column: byRole, operator: '=', value: 'a' })))
  assert.ok(!isServed(table, scan({ column: byRole, operator: 'any', value: null })))
})

test('scans of different statements have different shapes', () => {
  const some = (operator: ScanTerm['operator'], value: SqlValue): string => scanShape(scan({ column: mood, operator, value }))
  assert.equal(new Set([some('=', 1n), some('=', null), some('<', 1n), some('<', null), some('any', null)]).size, 5)
  assert.equal(some('=', 1n), some('=', 2n))
})
