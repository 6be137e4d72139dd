/** A policy that holds inside of one reducer only: the bank, really built and published. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { after, beforeEach, test } from 'node:test'

import type { Sender } from '../../host/index.ts'
import { openModule } from '../../host/testing.ts'

const module = await openModule(path.join(import.meta.dirname, '../../modules/bank'))
after(() => module.close())

let round = 0
let teller: Sender
let sarah: Sender
let bob: Sender

/** Sarah has 100.00, Bob nothing. */
beforeEach(async () => {
  round++
  teller = await module.as('teller', { claims: { role: 'teller' }, assurance: 'signed' })
  ;[sarah, bob] = await Promise.all([module.as(`sarah ${round}`), module.as(`bob ${round}`)])
  assert.deepEqual([await sarah.call('open_account'), await bob.call('open_account')], [1n, 1n])
  assert.equal(await teller.call('deposit', [sarah.identity, 1n, 10_000n]), true)
})

function balances(): unknown[] {
  return [sarah.query('balance', [sarah.identity, 1n]), bob.query('balance', [bob.identity, 1n])]
}

function pay(from: Sender, to: Sender, cents: bigint, accounts: readonly [bigint, bigint] = [1n, 1n]): Promise<unknown> {
  return from.call('transfer', [accounts[0], to.identity, accounts[1], cents])
}

test('a transfer moves money between two people, and both see the payment', async () => {
  await pay(sarah, bob, 2_500n)
  assert.deepEqual(balances(), [7_500n, 2_500n])
  const side = (sender: Sender, query: string): unknown[] => (sender.query(query, [10]) as { cents: bigint }[]).map(({ cents }) => cents)
  assert.deepEqual([side(sarah, 'paid'), side(sarah, 'received'), side(bob, 'paid'), side(bob, 'received')], [[2_500n], [], [], [2_500n]])
})

test("outside of the transfer the other's account is not there", async () => {
  await pay(sarah, bob, 1n)
  assert.equal(sarah.query('balance', [bob.identity, 1n]), -1n)
  assert.deepEqual(sarah.rows('accounts', { where: { holder: bob.identity } }), [])
  assert.deepEqual(sarah.rows('accounts').length, 1)
})

test('an account is never overdrawn, and a transfer that would is undone whole', async () => {
  await assert.rejects(pay(sarah, bob, 10_001n), { code: 'ERR_ROW_DENIED' })
  await assert.rejects(pay(bob, sarah, 1n), { code: 'ERR_ROW_DENIED' })
  assert.deepEqual(balances(), [10_000n, 0n])
  assert.deepEqual(sarah.query('paid', [10]), [])
})

test('nobody pays from an account of somebody else, or to one that is not there', async () => {
  await assert.rejects(pay(sarah, bob, 1n, [2n, 1n]), { message: 'you have no such account' })
  await assert.rejects(pay(sarah, bob, 1n, [1n, 2n]), { message: 'there is no such account' })
  assert.deepEqual(balances(), [10_000n, 0n])
})

test('only a teller whose token is signed deposits; for others the account is not there, even their own', async () => {
  const unsigned = await module.as('teller', { claims: { role: 'teller' }, assurance: 'claimed' })
  for (const somebody of [sarah, bob, unsigned]) assert.equal(await somebody.call('deposit', [sarah.identity, 1n, 5n]), false)
  assert.deepEqual(balances(), [10_000n, 0n])
})

test('the publish shows what holds inside of which reducer, and warns of what it opens', () => {
  const { grants, warnings } = module.report
  assert.deepEqual(grants.find(({ reducer }) => reducer === 'transfer')?.policies, [
    'read accounts where true',
    'update accounts where true',
    'insert payments where payer = sender and cents > 0',
  ])
  assert.deepEqual(grants.find(({ reducer }) => reducer === 'balance')?.policies, [])
  assert.deepEqual(warnings.slice(0, 2), [
    'inside of transfer, deposit whoever calls may read accounts where true',
    'inside of transfer, deposit whoever calls may update accounts where true',
  ])
})
