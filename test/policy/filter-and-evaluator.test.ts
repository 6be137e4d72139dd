/** A policy has two forms, a filter for stored rows and an evaluator for written ones: they say the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { Condition, SqlRow, SqlValue } from '../../host/plan/plan.ts'
import { and } from '../../host/plan/plan.ts'
import { print } from '../../host/plan/printer.ts'
import type { PolicyContext } from '../../host/policy/context.ts'
import { tablePolicies } from '../../host/policy/policy.ts'
import { PlanCache } from '../../host/reducer/plan-cache.ts'
import { bind, TableAccess } from '../../host/reducer/table-access.ts'
import type { Table } from '../../host/schema/schema.ts'
import type { DatabaseFile } from '../../host/storage/database-file.ts'
import { createTable, fileWith } from '../plan/table-fixture.ts'
import { checkedPolicies, contexts, owners, policies, rows, schemaOf, tablesOf } from './random-policies.ts'

const version = { schema: 1, policy: 1 }

/** The ids that the filter lets through, as SQLite sees it. */
function filtered(file: DatabaseFile, table: Table, where: Condition, context: PolicyContext): readonly SqlValue[] {
  const { sql, operands } = print({ kind: 'select', table, where, order: [{ column: table.key, isDescending: false }], hasLimit: false })
  return file
    .statement(sql)
    .rows(bind(operands, [], context))
    .map(([id]) => id ?? null)
}

test('filter and evaluator let the same rows through: 5,000 random policies, every type, nulls and extremes', () => {
  let passed = 0
  let compared = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...owners),
      rows,
      rows,
      fc.array(fc.tuple(policies, contexts), { minLength: 25, maxLength: 25 }),
      (owner, stored, inner, cases) => {
        const schema = schemaOf(owner)
        const [notes, members] = tablesOf(schema)
        using file = fileWith(notes)
        createTable(file, members)
        const access = (of: readonly [Table, ReturnType<typeof tablePolicies>]): TableAccess =>
          new TableAccess({ file, table: of[0], policies: of[1], plans: new PlanCache(), version })
        file.begin()
        access([members, tablePolicies(members, false, [])]).writer.insert(inner)
        access([notes, tablePolicies(notes, false, [])]).writer.insert(stored)
        for (const [descriptions, context] of cases) {
          const all = tablePolicies(notes, true, checkedPolicies(schema, descriptions))
          const one = access([notes, all])
          const policy = all.inside(undefined)
          const visible = filtered(file, notes, and(policy.using('read'), policy.using('update')), context)
          // No policy has a check of its own: an update may leave exactly the rows that it may see.
          const admitted = stored.filter((row) => one.admits('update', row, context)).map(([id]) => id)
          assert.deepEqual(visible, admitted, JSON.stringify(descriptions.map(({ expression }) => expression)))
          compared += stored.length
          passed += admitted.length
        }
        file.rollback()
      },
    ),
    { numRuns: 200 },
  )
  assert.ok(passed > compared / 20 && passed < compared * 0.95, `${passed} of ${compared} rows were let through`)
})

test('a text is compared by its code points, which is not the order of its UTF-16', () => {
  const schema = schemaOf(null)
  const [notes] = tablesOf(schema)
  const [policy] = checkedPolicies(schema, [{ operation: 'all', expression: "word > '\uffff'", check: undefined, restrictive: false, in: undefined }])
  assert(policy !== undefined)
  const row = (word: string): SqlRow => notes.columns.map((column): SqlValue => (column.name === 'word' ? word : 0n))
  const admits = (word: string): boolean =>
    tablePolicies(notes, false, [policy])
      .inside(undefined)
      .admits('insert', row(word), fc.sample(contexts, 1)[0] as PolicyContext, () => false)
  assert.deepEqual([admits('\u{10000}'), admits('\ufffe'), admits('\uffff')], [true, false, false])
})
