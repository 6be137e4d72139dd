/** A call happens whole or not at all, and sees what it wrote while it runs. */
import assert from 'node:assert/strict'
import { before, beforeEach, suite, test } from 'node:test'

import type { Sender } from '../../host/index.ts'
import type { TestModule } from '../../host/testing.ts'
import { contentsOf, key, keys, notes, openLedger, refusal, scan } from './ledger.ts'

suite('whole or not at all', () => {
  let module: TestModule
  let sarah: Sender
  let people = 0

  before(async () => {
    module = await openLedger()
  })
  beforeEach(async () => {
    sarah = await module.as(`atomic sarah ${++people}`)
  })

  test('a call reads what it wrote: inserts, updates, deletes, through keys, indexes and counts', async () => {
    assert.deepEqual(await sarah.call('read_own_writes'), ['1:first 2:second', '1:changed 3:third', '3:third', '2'])
  })

  for (const [ending, code] of [
    ['fail', 'ERR_CALL_FAILED'],
    ['trap', 'ERR_CALL_TRAPPED'],
    ['recurse', 'ERR_CALL_DEPTH'],
  ] as const) {
    test(`a call that ends with ${ending} leaves nothing, although its reads had applied its writes`, async () => {
      await sarah.call('remember', { content: 'kept', score: 7 })
      assert.match(await refusal(sarah.call('write_and_end', { ending })), new RegExp(`^${code}`))
      assert.deepEqual(contentsOf(sarah), ['kept'])
      assert.deepEqual(sarah.rows('names'), [])
    })

    test(`after a call that ended with ${ending} the next one works and counts on without a gap`, async () => {
      assert.equal(await sarah.call('remember', { content: 'before', score: 0 }), 1n)
      await refusal(sarah.call('write_and_end', { ending }))
      assert.equal(await sarah.call('remember', { content: 'after', score: 0 }), 2n)
    })
  }

  test('the message of ctx.fail reaches its caller', async () => {
    assert.equal(await refusal(sarah.call('refuse', { message: 'a name is at least one letter' })), 'ERR_CALL_FAILED: a name is at least one letter')
  })

  test('calls that fail among others in one batch take nobody with them', async () => {
    const endings = ['fail', 'trap', 'recurse', 'fail', 'trap']
    const calls = endings.flatMap((ending, index) => [
      refusal(sarah.call('write_and_end', { ending })),
      sarah.call('remember', { content: `kept ${index}`, score: 0 }),
    ])
    await Promise.all(calls)
    assert.deepEqual(contentsOf(sarah), ['kept 0', 'kept 1', 'kept 2', 'kept 3', 'kept 4'])
  })

  test('a row that is deleted and inserted again in one call is the new one', async () => {
    await sarah.call('remember', { content: 'old', score: 0 })
    await sarah.call('raw_write', { operation: 'delete', input: keys(key(sarah.identity, 1n)) })
    assert.equal(await sarah.call('remember', { content: 'new', score: 0 }), 2n)
    assert.deepEqual(contentsOf(sarah), ['new'])
  })

  test('a row named twice in one list is deleted once', async () => {
    await sarah.call('remember', { content: 'old', score: 0 })
    const twice = keys(key(sarah.identity, 1n), key(sarah.identity, 1n))
    assert.deepEqual(await sarah.call('raw_write', { operation: 'delete', input: twice }), Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0]))
  })

  test('a result that is not what the reducer declared undoes the call', async () => {
    assert.match(await refusal(sarah.call('plant_tree', { depth: 100 })), /^ERR_RESULT_MALFORMED/)
    assert.deepEqual(contentsOf(sarah), [])
  })

  test('a list with bytes left over is refused whole', async () => {
    for (const [operation, input] of [
      ['insert', notes({ content: 'a' })],
      ['update', notes({ id: 1n })],
      ['delete', keys(key(sarah.identity, 1n))],
      ['scan', scan()],
      ['get', key(sarah.identity, 1n)],
    ] as const) {
      assert.match(await refusal(sarah.call('raw_write', { operation, input: Buffer.concat([input, Buffer.from([0])]) })), /^ERR_ROW_MALFORMED/, operation)
    }
    assert.deepEqual(contentsOf(sarah), [])
  })

  test('bytes that are no scan, key or batch are refused', async () => {
    for (const operation of ['get', 'scan', 'count', 'insert', 'update', 'delete']) {
      for (const input of [Buffer.alloc(0), Buffer.alloc(3, 255), Buffer.alloc(41, 1)]) {
        assert.match(await refusal(sarah.call('raw_write', { operation, input })), /^ERR_(ROW_MALFORMED|CALL_LIMIT)/, `${operation} ${input.toString('hex')}`)
      }
    }
  })

  test('a scan by a column, operator or direction that is none is refused', async () => {
    const none = [3, 255, 255, 255, 255, 0]
    for (const bytes of [none, [0, 1, 0, 0, 0, 1, 9, 0, 0], [0, 1, 0, 0, 0, 1, 0, 0, 6], [0, 1, 0, 0, 0, 9]]) {
      assert.match(await refusal(sarah.call('raw_read', { operation: 'scan', input: scan(...bytes) })), /^ERR_ROW_MALFORMED/)
    }
  })

  test('the time of calls stands still while one runs and never goes back', async () => {
    module.setTime('2026-11-22T09:30:00Z')
    const first = sarah.query('now') as bigint
    module.setTime('2026-11-22T08:00:00Z')
    assert.equal(sarah.query('now'), first)
    module.setTime('2026-11-22T09:30:01Z')
    assert.equal(sarah.query('now'), first + 1_000_000n)
  })

  test('every call draws numbers of its own', () => {
    assert.equal(new Set(Array.from({ length: 50 }, () => sarah.query('draw'))).size, 50)
  })
})
