/** Walks over rows that a policy hides: what they cost is counted, and which terms an index still serves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HostError } from '../../host/errors.ts'
import type { SqlValue } from '../../host/plan/plan.ts'
import { print } from '../../host/plan/printer.ts'
import { checkPolicies } from '../../host/policy/check-policies.ts'
import { tablePolicies } from '../../host/policy/policy.ts'
import type { TablePolicies } from '../../host/policy/policy.ts'
import { PlanCache } from '../../host/reducer/plan-cache.ts'
import { TableAccess } from '../../host/reducer/table-access.ts'
import { contextOf, fileWith, tableOf } from '../plan/table-fixture.ts'
import { scopeOf } from '../reducer/row-scope.ts'

const table = tableOf({ owner: null, indexes: [{ columns: ['caller', 'at'] }] })
const [sarah, bob] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const everything = { direction: 'ascending', limit: undefined, terms: [] } as const

function policiesOf(expression: string): TablePolicies {
  const policies = [{ operation: 'read' as const, expression, check: undefined, restrictive: false, in: undefined }]
  const module = { tables: [{ name: table.name, policies, readableByPolicies: false }], reducers: [] }
  return tablePolicies(table, false, checkPolicies(module, { version: 1, tables: [table], nextId: 99 }).policies.get(table.name) ?? [])
}

function where(expression: string): string {
  return print({ kind: 'count', table, where: policiesOf(expression).inside(undefined).examined }).sql.replace(/.* WHERE (.*) LIMIT .*/, '$1')
}

test('rows that a policy hides count like those that it shows', () => {
  using file = fileWith(table)
  const access = new TableAccess({
    file,
    table,
    policies: policiesOf("caller = sender and role = 'a'"),
    plans: new PlanCache(),
    version: { schema: 1, policy: 1 },
  })
  const hiding = new TableAccess({ file, table, policies: policiesOf("role = 'a'"), plans: new PlanCache(), version: { schema: 1, policy: 1 } })
  for (let id = 1n; id <= 20n; id++) access.writer.insert([[id, id <= 5n ? sarah : bob, id % 2n === 0n ? 'a' : 'b', '', id] satisfies SqlValue[]])
  const examined = (by: TableAccess): number => {
    file.rowsExaminedLeft = 1_000
    by.scan(everything, 100, scopeOf(contextOf(sarah)))
    return 1_000 - file.rowsExaminedLeft
  }
  assert.equal(examined(hiding), 20)
  assert.equal(examined(access), 5, 'an index finds the rows of the sender, and the rest is asked of those')
  file.rowsExaminedLeft = 19
  assert.throws(
    () => hiding.count(everything, 100, scopeOf(contextOf(sarah))),
    (error) => error instanceof HostError && error.code === 'ERR_CALL_LIMIT',
  )
  file.rowsExaminedLeft = 20
  assert.equal(hiding.count(everything, 100, scopeOf(contextOf(sarah))), 10n)
})

test('terms that an index serves stand outside, in the form that is planned once', () => {
  assert.equal(where('caller = sender'), '"caller" = +?')
  assert.equal(where("caller = sender and role = 'a'"), '"caller" = +? AND CASE WHEN _step() THEN "role" = +? END')
  assert.equal(where('caller = sender or actor = caller'), 'CASE WHEN _step() THEN "caller" = +? OR "caller" = +? END')
  assert.equal(where('false'), '0')
})
