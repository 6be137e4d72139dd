/** The two modules of this repository, built as they are published. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after } from 'node:test'

import { buildModule } from '../../host/module/build.ts'
import { openHost } from '../../host/open-host.ts'
import type { LocalDatabase } from '../../host/index.ts'

const data = mkdtempSync(path.join(tmpdir(), 'remembrancer-'))
const host = await openHost({ data })
after(async () => {
  await host.close()
  rmSync(data, { recursive: true, force: true })
})

async function published(name: string): Promise<LocalDatabase> {
  const { component } = await buildModule(path.join(import.meta.dirname, '../../modules', name), { optimize: true })
  const database = await host.database(name, { create: true })
  await database.publish(component)
  return database
}

const claims = await published('claims')
const sarah = await claims.as({ subject: 'sarah' })
const agentForSarah = await claims.as({ subject: 'sarah' }, { actor: { subject: 'agent' } })
const bob = await claims.as({ subject: 'bob' })

test('a first-time caller is greeted without a name', () => {
  assert.equal(sarah.query('greeting'), 'Welcome. How can I help?')
})

test('a caller is greeted by the last name given and the last claim that is open', async () => {
  await sarah.call('introduce', ['Sara'])
  await sarah.call('introduce', ['Sarah'])
  assert.equal(sarah.query('greeting'), 'Welcome back, Sarah. How can I help?')
  assert.equal(await sarah.call('open_claim', ['water damage', 'the water in your basement']), 1n)
  assert.equal(sarah.query('greeting'), 'Welcome back, Sarah. Is this about the water in your basement?')
  assert.equal(bob.query('greeting'), 'Welcome. How can I help?')
})

test('nobody can speak as the agent with a token of their own', async () => {
  await sarah.call('remember_turn', ['There is water in my basement.'])
  await agentForSarah.call('remember_turn', ['I am sorry to hear that.'])
  const turns = sarah.query('last_turns', [10])
  assert(Array.isArray(turns))
  assert.deepEqual(
    turns.map(({ role, content }) => `${role}: ${content}`),
    ['caller: There is water in my basement.', 'agent: I am sorry to hear that.'],
  )
})

test('recall is one view of name, claim and last turns, of the caller alone', async () => {
  const { name, claim, turns } = sarah.query('recall', [1]) as { name: unknown; claim: { kind: string }; turns: { content: string }[] }
  assert.deepEqual([name, claim.kind, turns.map((turn) => turn.content)], ['Sarah', 'water damage', ['I am sorry to hear that.']])
  assert.deepEqual(bob.query('recall', [1]), { name: null, claim: null, turns: [] })
})

test('what is too long or empty is not kept', async () => {
  await assert.rejects(sarah.call('remember_turn', ['x'.repeat(4_001)]), { code: 'ERR_CALL_FAILED', message: 'a turn is at most 4,000 characters' })
  await assert.rejects(sarah.call('introduce', ['']), { code: 'ERR_CALL_FAILED' })
})

test('each caller has counters of their own', async () => {
  const counters = await published('counter')
  const [one, other] = [await counters.as({ subject: 'one' }), await counters.as({ subject: 'other' })]
  assert.deepEqual(
    [await one.call('increment', ['calls', 2n]), await one.call('increment', ['calls', -5n]), await other.call('increment', ['calls', 1n])],
    [2n, -3n, 1n],
  )
  assert.deepEqual([one.query('read', ['calls']), one.query('read', ['none'])], [-3n, 0n])
  assert.deepEqual(one.query('list'), [{ caller: one.identity, name: 'calls', value: -3n }])
})
