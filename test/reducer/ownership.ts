/** Every row is its owner's: on every read, on every write, before any constraint. */
import assert from 'node:assert/strict'
import { before, beforeEach, suite, test } from 'node:test'

import type { Sender } from '../../host/index.ts'
import type { TestModule } from '../../host/testing.ts'
import { contentsOf, countOf, key, keys, notes, openLedger, refusal, rowsOf, scan } from './ledger.ts'

suite('whose a row is', () => {
  let module: TestModule
  let sarah: Sender
  let bob: Sender
  let names = 0

  before(async () => {
    module = await openLedger()
  })

  /** Two new people, each with a note of their own, numbered 1 and 2. */
  beforeEach(async () => {
    names++
    sarah = await module.as(`ownership sarah ${names}`)
    bob = await module.as(`ownership bob ${names}`)
    await sarah.call('remember', { content: 'the water in the basement', score: 1 })
    await bob.call('remember', { content: 'a car in a flood', score: 1 })
    await bob.call('remember', { content: 'the same car', score: 2 })
  })

  test('a scan gives the rows of its sender only', async () => {
    assert.deepEqual(rowsOf(await sarah.call('raw_read', { operation: 'scan', input: scan() })), [
      { id: 1n, caller: sarah.identity, content: 'the water in the basement', score: 1 },
    ])
  })

  test('a scan that names another owner gives nothing, like one of an owner who is not there', async () => {
    const byOwner = (owner: string): Uint8Array => Buffer.concat([Buffer.from([0, 255, 255, 255, 255, 1, 1, 0, 1]), Buffer.from(owner, 'hex')])
    assert.deepEqual(rowsOf(await sarah.call('raw_read', { operation: 'scan', input: byOwner(bob.identity) })), [])
    assert.deepEqual(rowsOf(await sarah.call('raw_read', { operation: 'scan', input: byOwner('ff'.repeat(32)) })), [])
  })

  test('a count counts the rows of its sender only', () => {
    assert.equal(sarah.query('count_over', { times: 1 }), 1n)
    assert.equal(bob.query('count_over', { times: 1 }), 2n)
  })

  test("another sender's row looks like a row that is not there", () => {
    assert.equal(sarah.query('note_of', { owner: bob.identity, id: 1n }), null)
    assert.equal(sarah.query('note_of', { owner: bob.identity, id: 99n }), null)
    assert.notEqual(bob.query('note_of', { owner: bob.identity, id: 1n }), null)
  })

  test("updating or deleting another's row finds nothing and changes nothing", async () => {
    const hers = notes({ id: 1n, caller: bob.identity, content: 'mine now' })
    assert.equal(countOf(await sarah.call('raw_write', { operation: 'update', input: hers })), 0n)
    assert.equal(countOf(await sarah.call('raw_write', { operation: 'delete', input: keys(key(bob.identity, 1n)) })), 0n)
    assert.deepEqual(contentsOf(bob), ['a car in a flood', 'the same car'])
  })

  test("a row inserted without an owner, or with the sender as its owner, is the sender's", async () => {
    await sarah.call('raw_append', { operation: 'insert', input: notes({ content: 'filled in' }, { caller: sarah.identity, content: 'said so' }) })
    assert.deepEqual(contentsOf(sarah), ['the water in the basement', 'filled in', 'said so'])
  })

  test('inserting for somebody else is denied, whoever that is', async () => {
    for (const owner of [bob.identity, 'ff'.repeat(32)]) {
      assert.match(await refusal(sarah.call('raw_append', { operation: 'insert', input: notes({ caller: owner }) })), /^ERR_ROW_DENIED/)
    }
    assert.equal(contentsOf(bob).length, 2)
  })

  test('the policy is asked before any constraint, so a denied insert learns nothing of the key', async () => {
    const taken = await refusal(sarah.call('raw_append', { operation: 'insert', input: notes({ caller: bob.identity, id: 1n }) }))
    const free = await refusal(sarah.call('raw_append', { operation: 'insert', input: notes({ caller: bob.identity, id: 0n }) }))
    assert.match(taken, /^ERR_ROW_DENIED/)
    assert.equal(taken, free)
  })

  test('one row for somebody else denies the whole batch', async () => {
    await refusal(sarah.call('raw_append', { operation: 'insert', input: notes({ content: 'mine' }, { caller: bob.identity }) }))
    assert.equal(contentsOf(sarah).length, 1)
  })

  test('an agent that acts for Sarah writes rows of Sarah', async () => {
    const agent = await module.as(`ownership sarah ${names}`, { actor: { subject: 'agent' } })
    await agent.call('remember', { content: 'noted', score: 0 })
    assert.equal(contentsOf(sarah).at(-1), 'noted')
    assert.deepEqual(contentsOf(await module.as('agent')), [])
  })

  test('a unique holds within an owner and says nothing of other owners', async () => {
    await bob.call('take', { name: 'car', nick: 'wreck', badge: null })
    await sarah.call('take', { name: 'car', nick: 'wreck', badge: null })
    assert.match(await refusal(sarah.call('take', { name: 'boat', nick: 'wreck', badge: null })), /^ERR_ROW_DUPLICATE: names has a row with this nick already$/)
  })

  test('a key holds within an owner', async () => {
    await sarah.call('take', { name: 'car', nick: null, badge: null })
    assert.match(await refusal(sarah.call('take', { name: 'car', nick: null, badge: null })), /^ERR_ROW_DUPLICATE: names has a row with this name already$/)
  })

  test('nulls are not alike to a unique', async () => {
    await sarah.call('take', { name: 'one', nick: null, badge: null })
    await sarah.call('take', { name: 'two', nick: null, badge: null })
    assert.equal(sarah.rows('names').length, 2)
  })

  test('a global unique holds among all owners, and its refusal shows no row', async () => {
    const badge = `badge ${names}`
    await bob.call('take', { name: 'secret name', nick: 'secret nick', badge })
    assert.equal(await refusal(sarah.call('take', { name: 'mine', nick: null, badge })), 'ERR_ROW_DUPLICATE: names has a row with this badge already')
  })

  test('an update may keep its own unique values and not take those of another row', async () => {
    await sarah.call('take', { name: 'one', nick: 'uno', badge: null })
    await sarah.call('take', { name: 'two', nick: 'due', badge: null })
    assert.equal(await sarah.call('rename', { name: 'one', nick: 'uno', badge: null }), true)
    assert.match(await refusal(sarah.call('rename', { name: 'two', nick: 'uno', badge: null })), /^ERR_ROW_DUPLICATE/)
  })

  test('ids count for each caller from 1', () => {
    const ids = (sender: Sender): unknown[] => sender.rows('notes').map((row) => row['id'])
    assert.deepEqual([ids(sarah), ids(bob)], [[1n], [1n, 2n]])
  })

  test('an id that the guest chose is refused where the host counts', async () => {
    assert.match(await refusal(sarah.call('raw_append', { operation: 'insert', input: notes({ id: 7n }) })), /^ERR_ROW_MALFORMED/)
  })
})
