/** What a publish changes by itself, what it refuses with a plan, and numbers that are given once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { emptySchema, formatChange, planSchema } from '../../host/schema/schema.ts'
import type { Schema, SchemaPlan } from '../../host/schema/schema.ts'
import { moduleJson, parse, turns, withColumn, withTable } from './description-fixture.ts'

const stored = planSchema(emptySchema, parse(moduleJson())).schema

function plan(json: unknown, current: Schema = stored): SchemaPlan {
  return planSchema(current, parse(json))
}

function changes(json: unknown): readonly string[] {
  const { changes: planned, refused } = plan(json)
  assert.deepEqual(refused, [])
  return planned.map(formatChange)
}

/** What a publish would say, each with what it needs instead. */
function refusals(json: unknown): readonly string[] {
  return plan(json).refused
}

function numbers(schema: Schema): readonly number[] {
  return schema.tables.flatMap((table) => [table.id, ...table.columns.map((column) => column.id), ...table.indexes.map((index) => index.id)])
}

test('the first publish creates its tables', () => {
  assert.deepEqual(planSchema(emptySchema, parse(moduleJson())).changes.map(formatChange), ['create table turns'])
})

test('the same module changes nothing and keeps the version', () => {
  const again = plan(moduleJson())
  assert.deepEqual([again.changes, again.refused, again.schema], [[], [], stored])
})

test('a schema that was stored and read again is the same', () => {
  const read = JSON.parse(JSON.stringify(stored)) as Schema
  assert.equal(plan(moduleJson(), read).schema.version, stored.version)
})

test('every change counts the version up by one', () => {
  assert.equal(stored.version, 1)
  assert.equal(plan(withTable({ indexes: [{ columns: ['role'] }] })).schema.version, 2)
})

test('a new table, a new index, and a column with a default or null come by themselves', () => {
  assert.deepEqual(changes(moduleJson({ tables: [turns, { ...turns, name: 'notes' }] })), ['create table notes'])
  assert.deepEqual(changes(withTable({ indexes: [{ columns: ['role', 'at'] }] })), ['create index on turns (role, at)'])
  assert.deepEqual(changes(withColumn({ name: 'score', type: 'u32', default: 0 })), ['add column turns.score'])
  assert.deepEqual(changes(withColumn({ name: 'mood', type: 'string?' })), ['add column turns.mood'])
})

test('a new column comes with the index that names it', () => {
  const json = withTable({ columns: [...turns.columns, { name: 'mood', type: 'string?' }], indexes: [{ columns: ['mood'] }] })
  assert.deepEqual(changes(json), ['add column turns.mood', 'create index on turns (mood)'])
})

test('columns in another order are another version and move no row', () => {
  const { schema, changes: planned } = plan(withTable({ columns: turns.columns.toReversed() }))
  assert.deepEqual([schema.version, planned], [2, []])
  assert.deepEqual(
    schema.tables[0]?.columns.map((column) => column.id),
    stored.tables[0]?.columns.map((column) => column.id).toReversed(),
  )
})

test('a number that was given is given to nothing else', () => {
  const grown = plan(withTable({ columns: [{ name: 'mood', type: 'string?' }, ...turns.columns], indexes: [{ columns: ['role'] }] })).schema
  const more = plan(
    moduleJson({
      tables: [
        ...['notes', 'people'].map((name) => ({ ...turns, name })),
        { ...turns, columns: [{ name: 'mood', type: 'string?' }, ...turns.columns], indexes: [{ columns: ['role'] }] },
      ],
    }),
    grown,
  ).schema
  assert.equal(new Set(numbers(more)).size, numbers(more).length)
  assert.ok(numbers(grown).every((number) => numbers(more).includes(number)))
  assert.ok(numbers(more).every((number) => number < more.nextId))
})

test('a column keeps its number when others come before it', () => {
  const numberOf = (schema: Schema, name: string): number | undefined => schema.tables[0]?.columns.find((column) => column.name === name)?.id
  const grown = plan(withTable({ columns: [{ name: 'mood', type: 'string?' }, ...turns.columns] })).schema
  for (const { name } of turns.columns) assert.equal(numberOf(grown, String(name)), numberOf(stored, String(name)))
})

test('a table or column that is gone would lose rows, and is refused', () => {
  assert.match(
    refusals(moduleJson({ tables: [], reducers: [] })).join(),
    /^table turns is gone from the module: its rows would be lost; keep the class, or drop the database$/,
  )
  assert.match(refusals(withTable({ columns: turns.columns.slice(0, -1) })).join(), /^column turns.at is gone: its values would be lost; keep the field$/)
})

test('a new column without a value for the rows that are there is refused', () => {
  assert.match(refusals(withColumn({ name: 'score', type: 'u32' })).join(), /no value for the rows that are there: give it @default/)
})

test('a column of another type is refused, nullable or not', () => {
  const retyped = (type: string): string =>
    refusals(withTable({ columns: turns.columns.map((column) => (column['name'] === 'role' ? { ...column, type } : column)) })).join()
  assert.match(retyped('bytes'), /^column turns.role is string and would become bytes: add a new column and fill it$/)
  assert.match(retyped('string?'), /^column turns.role is string and would become string\?/)
})

test('another default would change rows that never had a value of their own, and is refused', () => {
  const scored = plan(withColumn({ name: 'score', type: 'u32', default: 0 })).schema
  assert.match(plan(withColumn({ name: 'score', type: 'u32', default: 1 }), scored).refused.join(), /would change its default/)
  assert.match(plan(withColumn({ name: 'score', type: 'u32' }), scored).refused.join(), /would change its default/)
})

test('another key, owner or order would move every row, and is refused', () => {
  for (const change of [{ key: 'at', autoIncrement: false }, { autoIncrement: false }, { owner: null }, { clustered: ['at'] }]) {
    assert.match(refusals(withTable(change)).join(), /every row would have to move; make a new table and copy/)
  }
})

test('a new unique may be broken already, and is refused', () => {
  assert.match(refusals(withTable({ uniques: [{ columns: ['role'], global: false }] })).join(), /would get a unique \(role\)/)
})

test('a unique that changes its scope is refused', () => {
  const unique = plan(moduleJson({ tables: [{ ...turns, uniques: [{ columns: ['role'], global: false }] }] }), emptySchema).schema
  assert.match(
    plan(withTable({ uniques: [{ columns: ['role'], global: true }] }), unique).refused.join(),
    /would get a unique \(role\).*would lose its unique \(role\)/s,
  )
})

test('an index that is gone is refused', () => {
  const indexed = plan(withTable({ indexes: [{ columns: ['role'] }] })).schema
  assert.match(plan(moduleJson(), indexed).refused.join(), /^table turns would lose its index \(role\); keep it$/)
})

test('everything that is refused is said at once', () => {
  const json = moduleJson({ tables: [{ ...turns, columns: [...turns.columns.slice(0, -1), { name: 'score', type: 'u32' }] }] })
  assert.equal(refusals(json).length, 2)
})
