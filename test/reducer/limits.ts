/** What one call may read, write, count, log, say and return. */
import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'

import * as limits from '../../host/limits.ts'
import type { Sender } from '../../host/index.ts'
import type { TestModule } from '../../host/testing.ts'
import { contentsOf, keys, notes, openLedger, refusal, scan } from './ledger.ts'

suite('limits of a call', () => {
  let module: TestModule
  /** With 10,000 notes, written once. */
  let rich: Sender
  let people = 0

  before(async () => {
    module = await openLedger()
    rich = await module.as('rich')
    await rich.call('insert_over', { batch: notes(...Array.from({ length: 1_000 }, () => ({}))), times: limits.rowOperationsPerCallMax / 1_000 })
  })

  function somebody(): Promise<Sender> {
    return module.as(`somebody ${++people}`)
  }

  test('a call changes at most 10,000 rows', async () => {
    const sarah = await somebody()
    const batch = notes(...Array.from({ length: 1_000 }, () => ({})))
    assert.match(await refusal(sarah.call('insert_over', { batch, times: limits.rowOperationsPerCallMax / 1_000 + 1 })), /^ERR_CALL_LIMIT: a call may change/)
    assert.deepEqual(contentsOf(sarah), [])
    assert.equal(rich.rows('notes').length, limits.rowOperationsPerCallMax)
  })

  test('a list that only says it is longer than a call may change is refused', async () => {
    const count = Buffer.from([0xff, 0xff, 0xff, 0xff])
    for (const operation of ['insert', 'update', 'delete']) {
      assert.match(await refusal((await somebody()).call('raw_write', { operation, input: count })), /^ERR_CALL_LIMIT/, operation)
    }
  })

  test('a call reads at most 100,000 rows, however it asks for them', () => {
    assert.equal(rich.query('scan_over', { scan: scan(), times: 10 }), 100_000n)
  })

  test('the row after the last that a call may read is refused', async () => {
    assert.match(await refusal(() => rich.query('scan_over', { scan: scan(), times: 11 })), /^ERR_CALL_LIMIT: a call may read at most 100000 rows/)
  })

  test('a call counts at most a million rows', async () => {
    assert.equal(rich.query('count_over', { times: 100 }), 1_000_000n)
    assert.match(await refusal(() => rich.query('count_over', { times: 101 })), /^ERR_CALL_LIMIT: a call may count at most 1000000 rows/)
  })

  test('a row has at most 256 KiB', async () => {
    const sarah = await somebody()
    const fixed = 8 + 32 + 4 + 4
    await sarah.call('remember_many', { count: 1, size: limits.rowSizeBytesMax - fixed })
    assert.match(await refusal(sarah.call('remember_many', { count: 1, size: limits.rowSizeBytesMax - fixed + 1 })), /^ERR_ROW_TOO_LARGE/)
    assert.equal(contentsOf(sarah).length, 1)
  })

  test('a call writes at most 16 MiB of rows', async () => {
    const sarah = await somebody()
    const batch = notes(...Array.from({ length: 4 }, () => ({ content: 'x'.repeat(250_000) })))
    assert.match(await refusal(sarah.call('insert_over', { batch, times: 17 })), /^ERR_CALL_LIMIT: a call may move/)
    assert.deepEqual(contentsOf(sarah), [])
  })

  test('a call reads at most 16 MiB of rows, and stops while it reads', async () => {
    const sarah = await somebody()
    const batch = notes(...Array.from({ length: 4 }, () => ({ content: 'x'.repeat(250_000) })))
    for (let part = 0; part < 2; part++) await sarah.call('insert_over', { batch, times: 9 })
    assert.match(await refusal(() => sarah.query('scan_over', { scan: scan(), times: 1 })), /^ERR_CALL_LIMIT/)
    assert.equal(sarah.query('scan_over', { scan: scan(2, 10, 0, 0, 0, 0), times: 1 }), 10n)
  })

  test('what a guest gives the host is measured before it is read', async () => {
    for (const operation of ['get', 'scan', 'count', 'insert', 'update', 'delete']) {
      const pages = Math.ceil(limits.rowBytesPerCallMax / 65_536) + 1
      assert.match(await refusal((await somebody()).call('grown', { operation, pages })), /^ERR_CALL_LIMIT/, operation)
    }
  })

  test('a result has at most 4 MiB', async () => {
    const sarah = await somebody()
    assert.equal((sarah.query('zeros', { size: limits.resultSizeBytesMax - 4 }) as Uint8Array).length, limits.resultSizeBytesMax - 4)
    assert.match(await refusal(() => sarah.query('zeros', { size: limits.resultSizeBytesMax })), /^ERR_RESULT_TOO_LARGE/)
  })

  test('a result nests at most 64 deep', async () => {
    const sarah = await somebody()
    assert.notEqual(sarah.query('tree_of', { depth: 32 }), undefined)
    assert.match(await refusal(() => sarah.query('tree_of', { depth: 33 })), /^ERR_RESULT_MALFORMED/)
  })

  test('a call logs at most 64 KiB; the rest is counted', async () => {
    const sarah = await somebody()
    const seen = module.log.length
    await sarah.call('say', { message: 'x'.repeat(1_000), times: 1_000 })
    const lines = module.log.slice(seen)
    const kept = Math.floor(limits.logBytesPerCallMax / (1_000 + limits.logLineBytes))
    assert.equal(lines.length, kept + 1)
    assert.equal(lines.at(-1)?.message, `${1_000 - kept} more messages of this call were dropped: a call may log 65536 bytes`)
  })

  test('a line costs something even when it is empty', async () => {
    const sarah = await somebody()
    const seen = module.log.length
    await sarah.call('say', { message: '', times: 100_000 })
    assert.equal(module.log.length - seen, limits.logBytesPerCallMax / limits.logLineBytes + 1)
  })

  test('a log counts bytes, not characters', async () => {
    const sarah = await somebody()
    const seen = module.log.length
    await sarah.call('say', { message: '€'.repeat(1_000), times: 100 })
    assert.ok(module.log.slice(seen).reduce((size, line) => size + Buffer.byteLength(line.message), 0) <= limits.logBytesPerCallMax + 200)
  })

  test('a message of 8 KiB is the longest in a log, and is cut between characters', async () => {
    const sarah = await somebody()
    await sarah.call('say', { message: `x${'€'.repeat(4_000)}`, times: 1 })
    assert.equal(module.log.at(-1)?.message, `x${'€'.repeat(Math.floor((limits.logMessageBytesMax - 1) / 3))}`)
  })

  test('what a query logs is shown as well', async () => {
    const seen = module.log.length
    const sarah = await somebody()
    await refusal(() => sarah.query('scan_over', { scan: scan(), times: 0 }))
    await refusal(() => sarah.query('tree_of', { depth: 100 }))
    await refusal(() => rich.query('scan_over', { scan: scan(), times: 11 }))
    assert.match(module.log.at(-1)?.message ?? '', /^ERR_CALL_LIMIT/)
    assert.ok(module.log.length > seen)
  })

  test('a failure says at most 4 KiB', async () => {
    const message = (await refusal((await somebody()).call('refuse', { message: 'x'.repeat(10_000) }))).replace('ERR_CALL_FAILED: ', '')
    assert.equal(message, 'x'.repeat(limits.failMessageBytesMax))
  })

  test('an update or delete of rows that are not there costs no operation', async () => {
    const sarah = await somebody()
    const none = keys(...Array.from({ length: 100 }, () => Buffer.alloc(40, 1)))
    assert.deepEqual(await sarah.call('raw_write', { operation: 'delete', input: none }), new Uint8Array(8))
    assert.deepEqual(await sarah.call('raw_write', { operation: 'update', input: notes({ id: 9n }) }), new Uint8Array(8))
  })

  test('rows in process are refused past 100,000 rather than cut', async () => {
    const sarah = await somebody()
    const batch = notes(...Array.from({ length: 1_000 }, () => ({})))
    for (let part = 0; part < 10; part++) await sarah.call('insert_over', { batch, times: 10 })
    assert.equal(sarah.rows('notes').length, 100_000)
    await sarah.call('remember', { content: 'one more', score: 0 })
    assert.match(await refusal(() => sarah.rows('notes')), /^ERR_CALL_LIMIT/)
    assert.equal(sarah.rows('notes', { latest: 1 })[0]?.['content'], 'one more')
  })
})
