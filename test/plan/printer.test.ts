/** The one place where a plan becomes SQL: its texts, whole. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { and, columnOf, compare, isNull, parameter, sender } from '../../host/plan/plan.ts'
import type { Condition, Statement } from '../../host/plan/plan.ts'
import { keyCondition, print } from '../../host/plan/printer.ts'
import type { Column, Table } from '../../host/schema/schema.ts'
import { fileWith, tableOf, turnsWith } from './table-fixture.ts'

const table = tableOf({
  columns: [
    { name: 'id', type: 'u64' },
    { name: 'caller', type: 'identity' },
    { name: 'content', type: 'string' },
    { name: 'mood', type: 'i8?' },
    { name: 'score', type: 'f64' },
  ],
  indexes: [{ columns: ['content'] }],
  uniques: [
    { columns: ['score'], global: false },
    { columns: ['mood'], global: true },
  ],
})
const all = '"id", "caller", "content", "mood", "score"'

function column(name: string): Column {
  const found = table.columns.find((one) => one.name === name)
  assert(found !== undefined)
  return found
}

function sql(statement: Statement): string {
  return print(statement).sql
}

function where(condition: Condition): string {
  return sql({ kind: 'delete', table, where: condition }).replace('DELETE FROM "turns"', '').trim()
}

test('a select names its columns, its order and its limit', () => {
  const order = [
    { column: column('mood'), isDescending: false },
    { column: column('id'), isDescending: false },
  ]
  assert.equal(
    sql({ kind: 'select', table, where: { kind: 'true' }, order, hasLimit: true }),
    `SELECT ${all} FROM "turns" ORDER BY "mood" NULLS LAST, "id" LIMIT ?`,
  )
})

test('nulls come last ascending and first descending, as in PostgreSQL', () => {
  const order = [{ column: column('mood'), isDescending: true }]
  assert.equal(sql({ kind: 'select', table, where: { kind: 'true' }, order, hasLimit: false }), `SELECT ${all} FROM "turns" ORDER BY "mood" DESC NULLS FIRST`)
})

test('a count stops at the limit it is given', () => {
  assert.equal(sql({ kind: 'count', table, where: { kind: 'true' } }), 'SELECT count(*) FROM (SELECT 1 FROM "turns" LIMIT ?)')
})

test('rows are written whole and named by their key', () => {
  const byKey = keyCondition(table)
  assert.equal(sql({ kind: 'insert', table, rowCount: 1 }), `INSERT INTO "turns" (${all}) VALUES (?, ?, ?, ?, ?)`)
  assert.equal(sql({ kind: 'insert', table, rowCount: 2 }), `INSERT INTO "turns" (${all}) VALUES (?, ?, ?, ?, ?), (?, ?, ?, ?, ?)`)
  assert.equal(sql({ kind: 'delete', table, where: byKey }), 'DELETE FROM "turns" WHERE "caller" = +? AND "id" = +?')
  assert.equal(
    sql({ kind: 'update', table, where: byKey }),
    'UPDATE "turns" SET "id" = ?, "caller" = ?, "content" = ?, "mood" = ?, "score" = ? WHERE "caller" = +? AND "id" = +?',
  )
})

test('the largest key of an owner is asked for by name', () => {
  assert.equal(sql({ kind: 'max-key', table, where: compare(column('caller'), '=') }), 'SELECT max("id") FROM "turns" WHERE "caller" = +?')
})

test('a table is strict, without rowid, and ordered by owner and key', () => {
  assert.equal(
    sql({ kind: 'create-table', table }),
    'CREATE TABLE "turns" ("id" INTEGER NOT NULL, "caller" BLOB NOT NULL, "content" TEXT NOT NULL, "mood" INTEGER, "score" REAL NOT NULL, PRIMARY KEY ("caller", "id")) STRICT, WITHOUT ROWID',
  )
})

test('clustered columns stand between owner and key', () => {
  assert.match(sql({ kind: 'create-table', table: tableOf({ clustered: ['at'] }) }), /PRIMARY KEY \("caller", "at", "id"\)\) STRICT, WITHOUT ROWID$/)
})

test('an index begins with the owner unless it is unique among all owners', () => {
  const shown = table.indexes.map((index) => sql({ kind: 'create-index', table, index }).replace(/_index_\d+/, '_index_N'))
  assert.deepEqual(shown, [
    'CREATE UNIQUE INDEX "_index_N" ON "turns" ("caller", "score")',
    'CREATE UNIQUE INDEX "_index_N" ON "turns" ("mood")',
    'CREATE INDEX "_index_N" ON "turns" ("caller", "content", "id")',
  ])
})

test('the parentheses of a condition are those of its tree', () => {
  const [a, b, c] = [compare(column('id'), '='), compare(column('score'), '<'), compare(column('mood'), '>=')]
  const either: Condition = { kind: 'or', terms: [b, c] }
  assert.equal(where({ kind: 'and', terms: [a, either] }), 'WHERE "id" = +? AND ("score" < +? OR "mood" >= +?)')
  assert.equal(where({ kind: 'or', terms: [{ kind: 'and', terms: [a, b] }, c] }), 'WHERE ("id" = +? AND "score" < +?) OR "mood" >= +?')
})

test('a negation has parentheses, whatever it negates', () => {
  const [a, b] = [compare(column('id'), '='), isNull(column('mood'))]
  assert.equal(where({ kind: 'not', term: b }), 'WHERE NOT ("mood" IS NULL)')
  assert.equal(where({ kind: 'not', term: { kind: 'or', terms: [a, b] } }), 'WHERE NOT ("id" = +? OR "mood" IS NULL)')
  assert.equal(where({ kind: 'and', terms: [{ kind: 'not', term: a }, b] }), 'WHERE NOT ("id" = +?) AND "mood" IS NULL')
})

test('what is compared is bound or a column, never written', () => {
  const words = [columnOf(column('content')), { kind: 'literal', value: "it's" }, { kind: 'claim', name: 'role' }] as const
  assert.equal(where({ kind: 'in', operand: words[0], items: words.slice(1) }), 'WHERE "content" IN (?, ?)')
  assert.equal(where({ kind: 'compare', left: words[1], operator: '<>', right: words[2] }), 'WHERE ? <> +?')
  assert.equal(where({ kind: 'compare', left: words[0], operator: '<', right: words[0] }), 'WHERE "content" < "content"')
  assert.equal(where({ kind: 'and', terms: [{ kind: 'unknown' }, { kind: 'holds', operand: columnOf(column('mood')) }] }), 'WHERE NULL AND "mood"')
})

test("inside a look the row's columns have the name of their table, outside they need none", () => {
  const other = tableOf({ name: 'people' })
  const alias = '_1'
  const theirs = columnOf(other.columns[0] ?? column('id'), alias)
  const look: Condition = { kind: 'exists', table: other, alias, where: { kind: 'compare', left: theirs, operator: '=', right: columnOf(column('id')) } }
  const text = 'EXISTS (SELECT 1 FROM "people" AS "_1" WHERE _step("_1"."id") AND "_1"."id" = "turns"."id")'
  assert.equal(where({ kind: 'and', terms: [look, isNull(column('mood'))] }), `WHERE ${text} AND "mood" IS NULL`)
  assert.equal(
    sql({ kind: 'probe', exists: { ...look, where: { kind: 'compare', left: theirs, operator: '=', right: { kind: 'row', ordinal: 0 } } } }),
    'SELECT EXISTS (SELECT 1 FROM "people" AS "_1" WHERE _step("_1"."id") AND "_1"."id" = +?)',
  )
  const nested: Condition = { ...look, where: { kind: 'exists', table: other, alias: '_2', where: look.where } }
  assert.match(where(nested), /"_1" WHERE _step\("_1"\."id"\) AND EXISTS .* AS "_2" WHERE _step\("_2"\."id"\) AND "_1"\."id" = "turns"\."id"\)\)$/)
})

test('a row is counted before its policy is asked', () => {
  assert.equal(
    where({ kind: 'examined', condition: { kind: 'or', terms: [isNull(column('mood')), compare(column('id'), '=')] } }),
    'WHERE CASE WHEN _step() THEN "mood" IS NULL OR "id" = +? END',
  )
})

test('an empty AND is true and an empty OR is false', () => {
  assert.equal(where({ kind: 'and', terms: [] }), 'WHERE 1')
  assert.equal(where({ kind: 'or', terms: [] }), 'WHERE 0')
  assert.equal(where({ kind: 'false' }), 'WHERE 0')
})

test('AND leaves out what is always true', () => {
  const one = compare(column('id'), '=')
  assert.equal(and({ kind: 'true' }, one), one)
  assert.equal(where(and({ kind: 'true' }, one, isNull(column('mood')))), 'WHERE "id" = +? AND "mood" IS NULL')
})

test('every bound value says where it comes from, in the order of the question marks', () => {
  const condition = and(compare(column('id'), '='), compare(column('caller'), '=', sender), compare(column('score'), '<'))
  assert.deepEqual(print({ kind: 'select', table, where: condition, order: [], hasLimit: true }).operands, [parameter, sender, parameter, parameter])
})

test('names are quoted, so that even one which no catalogue has cannot leave its place', () => {
  const hostile: Table = { ...table, name: 'x"; DROP TABLE turns; --' }
  assert.equal(sql({ kind: 'delete', table: hostile, where: { kind: 'true' } }), 'DELETE FROM "x""; DROP TABLE turns; --"')
})

test('the default of a new column is what every row has that was there', () => {
  const literals: readonly (readonly [string, bigint | number | string | Uint8Array | null])[] = [
    ['string', 'it\'s "so"; --'],
    ['i64', -(2n ** 63n)],
    ['u64', 2n ** 63n - 1n],
    ['f64', 5],
    ['f64', -0.1],
    ['f64', Number.POSITIVE_INFINITY],
    ['f64', Number.NEGATIVE_INFINITY],
    ['f64', 5e-324],
    ['bytes', Buffer.from([0, 255])],
    ['bytes', Buffer.alloc(0)],
    ['bool', 1n],
    ['string?', null],
  ]
  for (const [type, literal] of literals) {
    const wider = tableOf({ columns: turnsWith({ name: 'added', type }) })
    const added = wider.columns.at(-1)
    assert(added !== undefined)
    using file = fileWith(tableOf())
    file.execute(`INSERT INTO turns VALUES (1, x'00', '', '', 0)`)
    file.execute(print({ kind: 'add-column', table: wider, column: added, literal }).sql)
    assert.deepEqual(file.statement('SELECT "added" FROM turns').row([]), [literal], type)
  }
})
