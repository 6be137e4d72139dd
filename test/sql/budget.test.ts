/** Whatever passes a row over, an index, a policy or a term, the row is counted: what a statement may go over is bounded by it. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import type { SqlRow, SqlValue } from '../../host/plan/plan.ts'
import { checkPolicies } from '../../host/policy/check-policies.ts'
import { tablePolicies } from '../../host/policy/policy.ts'
import { bind } from '../../host/reducer/table-access.ts'
import { compileStatement } from '../../host/sql/compile.ts'
import { loadParser } from '../../host/sql/parse-statement.ts'
import { places } from '../../host/sql/places.ts'
import { TableWriter } from '../../host/storage/table-writer.ts'
import { contextOf, createTable, fileWith } from '../plan/table-fixture.ts'
import { checkedPolicies, columns, people, schemaOf, tablesOf } from '../policy/random-policies.ts'

const rowCount = 500
const [person = Buffer.alloc(32)] = people
const context = contextOf(person)
const schema = schemaOf(null)
const [notes, members] = tablesOf(schema)
const file = fileWith(notes)
createTable(file, members)

before(async () => {
  await loadParser()
  const values: Readonly<Record<string, SqlValue>> = { bool: 0n, integer: 7n, float: 0.5, text: 'a', identity: person, timestamp: 7n }
  const rows = Array.from({ length: rowCount }, (_unused, index): SqlRow => [BigInt(index), ...columns.map(({ kind }) => values[kind] ?? null)])
  file.begin()
  new TableWriter(file, members).insert(rows)
  new TableWriter(file, notes).insert(rows)
})

/** The steps that a statement takes under a policy of reading over both tables' columns. */
function stepsOf(sql: string, policy: string): number {
  const description = { operation: 'read', expression: policy, restrictive: false, check: undefined, in: undefined } as const
  const ofNotes = tablePolicies(notes, false, checkedPolicies(schema, [description]))
  const module = { tables: [{ name: 'members', policies: [description], readableByPolicies: true }], reducers: [] }
  const ofMembers = checkPolicies(module, schema).policies.get('members') ?? []
  const tables = new Map([
    ['members', { table: members, policies: tablePolicies(members, false, policy.includes('exists') ? [] : ofMembers).inside(undefined).examined }],
    ['notes', { table: notes, policies: ofNotes.inside(undefined).examined }],
  ])
  const { printed } = compileStatement(sql, { tables })
  const values: SqlValue[] = []
  values[places.limit] = 10n
  values[places.offset] = 0n
  const budget = 1_000_000
  file.rowsExaminedLeft = budget
  assert.deepEqual(file.statement(printed.sql).rows(bind(printed.operands, values, context)), [], printed.sql)
  return budget - file.rowsExaminedLeft
}

const look = 'exists(members where members.small = notes.small and members.number < 0)'
const nothing: readonly (readonly [what: string, sql: string, policy: string])[] = [
  ['the policy', 'SELECT id FROM notes', 'big = 8'],
  ['a look of the policy', 'SELECT id FROM notes', look],
  ['a term inside of a look', 'SELECT id FROM notes WHERE id = 7', 'exists(members where members.small = notes.small and members.big = 8)'],
  [
    'a term inside of a look, over an or',
    'SELECT id FROM notes WHERE id = 7',
    "exists(members where members.small = notes.small and (members.big = 8 or members.word = 'b'))",
  ],
  ['a term that no index has', "SELECT id FROM notes WHERE word = 'b'", 'true'],
  ['a comparison that an index has and cannot serve', 'SELECT id FROM notes WHERE id <> id + 0 AND id <> -1', 'true'],
  ['the same, before a policy that looks', 'SELECT id FROM notes WHERE id <> -1 AND id IS NOT NULL', look],
  ['a range, in an order of another index', 'SELECT id FROM notes WHERE id > -1 AND big = 8 ORDER BY word', 'true'],
  ['a HAVING', 'SELECT small FROM notes GROUP BY small HAVING small > 7', 'true'],
  ['a HAVING that an index has, before a policy that it has not', 'SELECT small FROM members GROUP BY small HAVING small > 7', 'big = 7'],
  ['an EXISTS', 'SELECT id FROM notes WHERE NOT EXISTS (SELECT 1 FROM notes AS n WHERE n.word = notes.word)', 'true'],
]

for (const [what, sql, policy] of nothing) {
  test(`rows that ${what} passes over are counted`, () => {
    const steps = stepsOf(sql, policy)
    assert.ok(steps >= rowCount, `${steps} steps for ${rowCount} rows`)
  })
}

test('what is computed for a row is counted too: functions one by one, other expressions by 32', () => {
  const list = (expression: string, count: number): string => Array.from({ length: count }, () => expression).join(', ')
  const none = " WHERE word || 'x' = 'a'"
  assert.ok(stepsOf(`SELECT id FROM notes${none}`, 'true') >= 2 * rowCount)
  assert.ok(stepsOf(`SELECT id FROM notes WHERE ${list('big', 320).replaceAll(', ', ' = 7 AND ')} = 8`, 'true') >= 10 * rowCount)
  assert.ok(stepsOf('SELECT sum(id), sum(big), avg(small), sum(score) FROM notes HAVING count(*) = 0', 'true') >= 5 * rowCount)
})
