/** What a table's policies say together: by whom a row is seen, inserted, changed, deleted, and inside of which reducers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { SqlRow } from '../../host/plan/plan.ts'
import { print } from '../../host/plan/printer.ts'
import { checkPolicies } from '../../host/policy/check-policies.ts'
import type { PolicyContext } from '../../host/policy/context.ts'
import { tablePolicies } from '../../host/policy/policy.ts'
import type { RowOperation, TablePolicies } from '../../host/policy/policy.ts'
import type { Scan, ScanTerm } from '../../host/plan/scan.ts'
import { PlanCache } from '../../host/reducer/plan-cache.ts'
import { bind, TableAccess } from '../../host/reducer/table-access.ts'
import type { PolicyDescription } from '../../host/schema/description.ts'
import type { Table } from '../../host/schema/schema.ts'
import { contextOf, fileWith, tableOf } from '../plan/table-fixture.ts'
import { scopeOf } from '../reducer/row-scope.ts'

const operations: readonly RowOperation[] = ['read', 'insert', 'update', 'delete']
const owned = tableOf()
const ownerless = tableOf({ owner: null })
const [sarah, bob] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]

type Written = Pick<PolicyDescription, 'operation' | 'expression'> & Partial<PolicyDescription>

function policiesOf(table: Table, written: readonly Written[], isSettable = false): TablePolicies {
  const policies = written.map((one) => ({ check: undefined, restrictive: false, in: undefined, ...one }))
  const reducers = [...new Set(policies.flatMap((one) => one.in ?? []))].map((name) => ({ name, tables: [{ table: table.name, mode: 'write' as const }] }))
  const module = { tables: [{ name: table.name, policies, readableByPolicies: false }], reducers }
  const { policies: checked, problems } = checkPolicies(module, { version: 1, tables: [table], nextId: 99 })
  assert.deepEqual(problems, [])
  return tablePolicies(table, isSettable, checked.get(table.name) ?? [])
}

function turnOf(owner: Uint8Array, role = 'caller'): SqlRow {
  return [1n, owner, role, 'hi', 0n]
}

/** What the caller may do with the row: the operations that would find it, or leave it. */
function allowed(table: Table, policies: TablePolicies, row: SqlRow, context: PolicyContext): readonly RowOperation[] {
  const policy = policies.inside(context.reducer)
  const never = (): boolean => false
  using file = fileWith(table)
  file.statement(print({ kind: 'insert', table, rowCount: 1 }).sql).run(row)
  return operations.filter((operation) => {
    if (operation === 'insert') return policy.admits(operation, row, context, never)
    const { sql, operands } = print({ kind: 'select', table, where: policy.using(operation), order: [], hasLimit: false })
    const isSeen = file.statement(sql).row(bind(operands, [], context)) !== undefined
    return isSeen && (operation !== 'update' || policy.admits(operation, row, context, never))
  })
}

test("a row is its owner's and nobody else's", () => {
  const policies = policiesOf(owned, [])
  assert.deepEqual(allowed(owned, policies, turnOf(sarah), contextOf(sarah)), operations)
  assert.deepEqual(allowed(owned, policies, turnOf(sarah), contextOf(bob)), [])
})

test('a table without an owner is closed, even for a row that its writer made', () => {
  assert.deepEqual(allowed(ownerless, policiesOf(ownerless, []), turnOf(sarah), contextOf(sarah)), [])
})

test("a row whose owner is no identity is nobody's", () => {
  const policy = policiesOf(owned, []).inside(undefined)
  for (const owner of [null, '', 0n, Buffer.alloc(31, 1), Buffer.alloc(33, 1)]) {
    assert.equal(
      policy.admits('insert', [1n, owner, 'caller', 'hi', 0n], contextOf(sarah), () => false),
      false,
    )
  }
})

test('a permissive policy widens, for its operation only', () => {
  const policies = policiesOf(owned, [{ operation: 'read', expression: "role = 'agent'" }])
  assert.deepEqual(allowed(owned, policies, turnOf(sarah, 'agent'), contextOf(bob)), ['read'])
  assert.deepEqual(allowed(owned, policies, turnOf(sarah, 'caller'), contextOf(bob)), [])
})

test('a restrictive policy narrows what others admit, and opens nothing by itself', () => {
  const narrowed = policiesOf(owned, [{ operation: 'all', expression: "channel = 'http'", restrictive: true }])
  assert.deepEqual(allowed(owned, narrowed, turnOf(sarah), contextOf(sarah, { channel: 'http' })), operations)
  assert.deepEqual(allowed(owned, narrowed, turnOf(sarah), contextOf(sarah, { channel: 'process' })), [])
  const alone = policiesOf(ownerless, [{ operation: 'all', expression: 'true', restrictive: true }])
  assert.deepEqual(allowed(ownerless, alone, turnOf(sarah), contextOf(sarah)), [])
})

test('what is unknown admits nothing, and neither does its opposite', () => {
  for (const expression of ["claim('team') = role", "not claim('team') = role", 'null', 'not null', "role in ('x', null)", "role not in ('x', null)"]) {
    assert.deepEqual(allowed(ownerless, policiesOf(ownerless, [{ operation: 'all', expression }]), turnOf(sarah), contextOf(sarah)), [], expression)
  }
})

test('an insert for another is denied by @owner, whatever else opens the table, unless the owner is settable', () => {
  const open: readonly Written[] = [{ operation: 'all', expression: 'true' }]
  assert.deepEqual(allowed(owned, policiesOf(owned, open), turnOf(sarah), contextOf(bob)), ['read', 'update', 'delete'])
  assert.deepEqual(allowed(owned, policiesOf(owned, open, true), turnOf(sarah), contextOf(bob)), operations)
  assert.deepEqual(allowed(owned, policiesOf(owned, [], true), turnOf(sarah), contextOf(bob)), [])
})

test('the check is of the row that a write leaves, the expression of the one it finds', () => {
  const policies = policiesOf(ownerless, [
    { operation: 'read', expression: 'true' },
    { operation: 'update', expression: "role = 'open'", check: "role = 'open' or role = 'closed'" },
  ])
  const policy = policies.inside(undefined)
  const leaves = (role: string): boolean => policy.admits('update', turnOf(sarah, role), contextOf(sarah), () => false)
  assert.deepEqual([leaves('open'), leaves('closed'), leaves('lost')], [true, true, false])
  assert.deepEqual(allowed(ownerless, policies, turnOf(sarah, 'open'), contextOf(sarah)), ['read', 'update'])
  assert.deepEqual(allowed(ownerless, policies, turnOf(sarah, 'closed'), contextOf(sarah)), ['read'])
})

test('an update may not put a row out of its own sight', () => {
  const policies = policiesOf(ownerless, [
    { operation: 'read', expression: "role = 'open'" },
    { operation: 'update', expression: 'true' },
  ])
  assert.equal(
    policies.inside(undefined).admits('update', turnOf(sarah, 'closed'), contextOf(sarah), () => false),
    false,
  )
})

test('a policy that is limited to a reducer holds inside of it and nowhere else', () => {
  const policies = policiesOf(owned, [{ operation: 'all', expression: 'true', in: ['transfer'] }])
  const inside = (reducer: string | undefined): readonly RowOperation[] => allowed(owned, policies, turnOf(sarah), contextOf(bob, { reducer }))
  assert.deepEqual([inside('transfer'), inside('other'), inside(undefined), inside('')], [['read', 'update', 'delete'], [], [], []])
})

test("a scan of a table with an owner is about the sender's own rows, and about another's when it names them", () => {
  using file = fileWith(owned)
  const policies = policiesOf(owned, [{ operation: 'read', expression: "role = 'agent'" }])
  const access = new TableAccess({ file, table: owned, policies, plans: new PlanCache(), version: { schema: 1, policy: 1 } })
  access.writer.insert([turnOf(sarah), turnOf(bob, 'agent'), turnOf(bob, 'caller').with(0, 2n)])
  const scan = (...terms: readonly ScanTerm[]): unknown[] => {
    const asked: Scan = { direction: 'ascending', limit: undefined, terms }
    const rows = access.scan(asked, 10, scopeOf(contextOf(sarah)))
    assert.equal(access.count(asked, 10, scopeOf(contextOf(sarah))), BigInt(rows.length))
    return rows.map(([id, caller, role]) => [id, (caller as Buffer)[0], role])
  }
  const byOwner = (owner: Uint8Array): ScanTerm => ({ column: owned.owner ?? owned.key, operator: '=', value: owner })
  assert.deepEqual(scan(), [[1n, 1, 'caller']])
  assert.deepEqual(scan(byOwner(bob)), [[1n, 2, 'agent']])
})

test('a restrictive policy that is limited to a reducer narrows there only', () => {
  const policies = policiesOf(owned, [{ operation: 'delete', expression: 'false', restrictive: true, in: ['tidy'] }])
  assert.deepEqual(allowed(owned, policies, turnOf(sarah), contextOf(sarah, { reducer: 'tidy' })), ['read', 'insert', 'update'])
  assert.deepEqual(allowed(owned, policies, turnOf(sarah), contextOf(sarah)), operations)
})

test('sender, actor, assurance, channel and claims are those of the call', () => {
  const is = (expression: string, changes: Partial<PolicyContext>): boolean =>
    allowed(ownerless, policiesOf(ownerless, [{ operation: 'read', expression }]), turnOf(sarah), contextOf(sarah, changes)).length > 0
  assert.deepEqual([is('actor = caller', {}), is('actor = caller', { actor: bob }), is('sender = caller', { actor: bob })], [true, false, true])
  const assured = (['none', 'claimed', 'provider', 'signed'] as const).map((assurance) => is("assurance >= 'provider'", { assurance }))
  assert.deepEqual(assured, [false, false, true, true])
  assert.deepEqual([is("claim('role') = 'admin'", { claims: { role: 'admin' } }), is("claim('role') = 'admin'", {})], [true, false])
  assert.equal(is("claim('constructor') is null", {}), true)
})
