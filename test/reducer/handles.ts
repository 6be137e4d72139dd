/** A handle is the one way to a table, for one call, in one mode. */
import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'

import type { Sender } from '../../host/index.ts'
import { HandleTable } from '../../host/sandbox/handle-table.ts'
import type { GuestTable } from '../../host/sandbox/handle-table.ts'
import type { TestModule } from '../../host/testing.ts'
import { contentsOf, key, keys, notes, openLedger, refusal, scan } from './ledger.ts'

suite('handles', () => {
  let module: TestModule
  let sarah: Sender

  before(async () => {
    module = await openLedger()
    sarah = await module.as('sarah')
    await sarah.call('remember', { content: 'kept', score: 0 })
  })

  const operations = ['get', 'scan', 'count', 'insert', 'update', 'delete']

  test('small numbers, and numbers near the real one, are no handles', async () => {
    for (const operation of operations) {
      for (const handle of [0, 1, 2, 31, 2 ** 31, 2 ** 32 - 1])
        assert.match(await refusal(sarah.call('forged', { handle, operation })), /^ERR_HANDLE_INVALID/, `${operation} ${handle}`)
      for (let bit = 0; bit < 32; bit++)
        assert.match(await refusal(sarah.call('altered', { bits: 2 ** bit, operation })), /^ERR_HANDLE_INVALID/, `${operation} ${bit}`)
    }
  })

  test('the handle of an earlier call is none of this one', async () => {
    const handle = await sarah.call('handle_of')
    assert.match(await refusal(sarah.call('forged', { handle, operation: 'scan' })), /^ERR_HANDLE_INVALID/)
  })

  const modes: readonly (readonly [reducer: string, refused: readonly string[]])[] = [
    ['raw_read', ['insert', 'update', 'delete']],
    ['raw_append', ['get', 'scan', 'count', 'update', 'delete']],
  ]
  for (const [reducer, refused] of modes) {
    test(`${reducer} does what its mode says and is refused ${refused.join(', ')}`, async () => {
      const inputs: Readonly<Record<string, Uint8Array>> = {
        get: key(sarah.identity, 1n),
        scan: scan(),
        count: scan(),
        insert: notes({ content: 'not kept' }),
        update: notes({ id: 1n, content: 'changed' }),
        delete: keys(key(sarah.identity, 1n)),
      }
      const rowsBefore = contentsOf(sarah).length
      for (const operation of refused) assert.match(await refusal(sarah.call(reducer, { operation, input: inputs[operation] })), /^ERR_HANDLE_MODE/, operation)
      assert.equal(contentsOf(sarah).length, rowsBefore)
    })
  }

  test('a mode is checked before a byte of the input is read', async () => {
    assert.match(await refusal(sarah.call('raw_append', { operation: 'scan', input: Buffer.alloc(0) })), /^ERR_HANDLE_MODE/)
  })

  test('bytes outside the memory are refused, never cut', async () => {
    for (const [at, size] of [
      [2 ** 32 - 1, 1],
      [0, 2 ** 32 - 1],
      [2 ** 31, 2 ** 31],
      [1, 2 ** 32 - 1],
    ]) {
      for (const operation of operations)
        assert.match(await refusal(sarah.call('pointed', { operation, at, size })), /^ERR_CALL_(TRAPPED|LIMIT)/, `${operation} ${at} ${size}`)
    }
  })

  const closed: GuestTable = {
    get: () => new Uint8Array(0),
    scan: () => new Uint8Array(0),
    count: () => 0n,
    insert: () => new Uint8Array(0),
    update: () => 0,
    delete: () => 0,
  }

  function handlesOf(table: HandleTable): readonly number[] {
    return Array.from({ length: table.count }, (_unused, index) => table.handle(index))
  }

  test('a handle finds its table and no other', () => {
    const tables = [{ ...closed }, { ...closed }]
    const table = new HandleTable(tables)
    assert.deepEqual(
      handlesOf(table).map((handle) => tables.indexOf(table.table(handle))),
      [0, 1],
    )
  })

  test('a handle that was dropped is closed, for use and for dropping', () => {
    const table = new HandleTable([closed, closed])
    const [first = 0, second = 0] = handlesOf(table)
    table.drop(first)
    assert.throws(() => table.table(first), { code: 'ERR_HANDLE_CLOSED' })
    assert.throws(() => table.drop(first), { code: 'ERR_HANDLE_CLOSED' })
    assert.equal(table.table(second), closed)
  })

  test('handles of different calls differ', () => {
    const drawn = Array.from({ length: 2_000 }, () => handlesOf(new HandleTable([closed]))[0])
    assert.ok(new Set(drawn).size > 1_990)
  })

  test('a number with the sign bit is the handle that it is', () => {
    const table = new HandleTable([closed])
    const [handle = 0] = handlesOf(table)
    assert.equal(table.table(handle | 0), closed)
  })

  test('a call has at most 32 tables', () => {
    assert.equal(handlesOf(new HandleTable(Array.from({ length: 32 }, () => closed))).length, 32)
    assert.throws(() => new HandleTable(Array.from({ length: 33 }, () => closed)), { code: 'ERR_CALL_LIMIT' })
  })
})
