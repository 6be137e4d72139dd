/** A policy has two forms, a filter for stored rows and an evaluator for written ones: they say the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { SqlRow } from '../../host/plan/plan.ts'
import { print } from '../../host/plan/printer.ts'
import { compilePolicy } from '../../host/policy/policy.ts'
import type { RowOperation } from '../../host/policy/policy.ts'
import type { Table } from '../../host/schema/schema.ts'
import { fileWith, tableOf } from '../plan/table-fixture.ts'

const operations: readonly RowOperation[] = ['read', 'insert', 'update', 'delete']
const owned = tableOf()
const ownerless = tableOf({ owner: null })

/** Identities that differ in few places, so that a comparison that stops early is found out. */
const identity = fc.tuple(fc.constantFrom(0, 15, 31), fc.constantFrom(0, 1, 255)).map(([place, byte]) => Buffer.alloc(32).fill(byte, place, place + 1))
const rows = fc.array(identity, { maxLength: 12 }).map((owners) => owners.map((owner, index): SqlRow => [BigInt(index + 1), owner, 'caller', 'hi', 0n]))

/** The ids that the filter lets through, as SQLite sees it. */
function filtered(table: Table, stored: readonly SqlRow[], operation: RowOperation, sender: Uint8Array): readonly unknown[] {
  using file = fileWith(table)
  for (const row of stored) file.statement(print({ kind: 'insert', table }).sql).run(row)
  const order = [{ column: table.key, isDescending: false }]
  const { sql, operands } = print({ kind: 'select', table, where: compilePolicy(table).using(operation), order, hasLimit: false })
  return file
    .statement(sql)
    .rows(operands.map(() => sender))
    .map(([id]) => id)
}

function admitted(table: Table, stored: readonly SqlRow[], operation: RowOperation, sender: Uint8Array): readonly unknown[] {
  const policy = compilePolicy(table)
  return stored.filter((row) => policy.admits(operation, row, { sender })).map(([id]) => id)
}

test('filter and evaluator let the same rows through, for every operation', () => {
  fc.assert(
    fc.property(fc.constantFrom(owned, ownerless), rows, identity, fc.constantFrom(...operations), (table, stored, sender, operation) => {
      assert.deepEqual(filtered(table, stored, operation, sender), admitted(table, stored, operation, sender))
    }),
    { numRuns: 60 },
  )
})

test("a row is its owner's and nobody else's", () => {
  const [sarah, bob] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  const row: SqlRow = [1n, sarah, 'caller', 'hi', 0n]
  for (const operation of operations) {
    assert.deepEqual([admitted(owned, [row], operation, sarah), admitted(owned, [row], operation, bob)], [[1n], []], operation)
  }
})

test('a table without an owner is closed, even for a row that its writer made', () => {
  const sarah = Buffer.alloc(32, 1)
  const row: SqlRow = [1n, sarah, 'caller', 'hi', 0n]
  for (const operation of operations) assert.deepEqual(admitted(ownerless, [row], operation, sarah), [], operation)
})

test("a row whose owner is no identity is nobody's", () => {
  for (const owner of [null, '', 0n, Buffer.alloc(31, 1), Buffer.alloc(33, 1)]) {
    assert.deepEqual(admitted(owned, [[1n, owner, 'caller', 'hi', 0n]], 'insert', Buffer.alloc(32, 1)), [])
  }
})
