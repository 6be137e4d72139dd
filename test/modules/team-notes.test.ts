/** Policies that look into other tables: the team notes, really built and published. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { after, beforeEach, test } from 'node:test'

import type { Sender } from '../../host/index.ts'
import { openModule } from '../../host/testing.ts'

const module = await openModule(path.join(import.meta.dirname, '../../modules/team-notes'))
after(() => module.close())

const denied = { code: 'ERR_ROW_DENIED' }
let round = 0
let admin: Sender
let sarah: Sender
let bob: Sender
let lead: Sender
let team: unknown
let other: unknown

/** Two teams: Sarah and a lead are in one, Bob is in the other. */
beforeEach(async () => {
  round++
  admin = await module.as('admin', { claims: { role: 'admin' }, assurance: 'signed' })
  ;[sarah, bob, lead] = await Promise.all([module.as(`sarah ${round}`), module.as(`bob ${round}`), module.as(`lead ${round}`)])
  team = await admin.call('found_team', [`claims ${round}`])
  other = await admin.call('found_team', [`floods ${round}`])
  await admin.call('add_member', [team, sarah.identity, false])
  await admin.call('add_member', [team, lead.identity, true])
  await admin.call('add_member', [other, bob.identity, false])
})

function notesOf(sender: Sender, of: unknown = team): unknown[] {
  const notes = sender.query('last_notes', [of, 10])
  assert(Array.isArray(notes))
  return notes.map((note: { text: string }) => note.text)
}

test("members read their team's notes, and nobody else does", async () => {
  await sarah.call('write_note', [team, 'the pipe burst on Monday'])
  assert.deepEqual([notesOf(sarah), notesOf(lead), notesOf(bob), notesOf(admin)], [['the pipe burst on Monday'], ['the pipe burst on Monday'], [], []])
  assert.deepEqual([sarah.query('count_notes', [team]), bob.query('count_notes', [team])], [1n, 0n])
  assert.deepEqual([sarah.rows('notes').length, bob.rows('notes').length], [1, 0])
})

test('a team that one is not in looks like one that is not there', () => {
  const names = (sender: Sender): unknown => (sender.query('teams') as { name: string }[]).map(({ name }) => name)
  assert.deepEqual([names(sarah), names(bob)], [[`claims ${round}`], [`floods ${round}`]])
})

test('a policy that looks into another table sees what the same call has written there', async () => {
  assert.equal(await admin.call('start_team', [`pipes ${round}`, 'welcome']), 1n)
  await assert.rejects(sarah.call('start_team', [`mine ${round}`, 'welcome']), denied)
})

test('who leaves a team sees nothing of it from the same moment on', async () => {
  await sarah.call('write_note', [team, 'a secret'])
  assert.equal(await lead.call('leave_team', [team]), 0n)
  assert.deepEqual([notesOf(lead), notesOf(sarah)], [[], ['a secret']])
})

test('membership decides from the next call on', async () => {
  await sarah.call('write_note', [team, 'first'])
  await admin.call('add_member', [team, bob.identity, false])
  assert.deepEqual(notesOf(bob), ['first'])
  assert.equal(await admin.call('remove_member', [team, bob.identity]), true)
  assert.deepEqual(notesOf(bob), [])
})

test('nobody adds themselves to a team, claims to be an admin without a signature, or ends the membership of others', async () => {
  await assert.rejects(bob.call('add_member', [team, bob.identity, true]), denied)
  const unproven = await module.as('admin', { claims: { role: 'admin' }, assurance: 'claimed' })
  await assert.rejects(unproven.call('add_member', [team, bob.identity, true]), denied)
  assert.equal(await bob.call('remove_member', [team, sarah.identity]), false)
})

test('a note is written to a team of the writer, under the name of the writer', async () => {
  await assert.rejects(bob.call('write_note', [team, 'hello']), denied)
  await assert.rejects(admin.call('write_note', [team, 'hello']), denied)
})

test('a note is changed by its author, and for everybody else is not there', async () => {
  const id = await sarah.call('write_note', [team, 'draft'])
  for (const somebody of [lead, bob]) {
    assert.equal(await somebody.call('edit_note', [id, 'mine']), false)
    assert.equal(await somebody.call('delete_note', [id]), false)
  }
  assert.equal(await sarah.call('edit_note', [id, 'final']), true)
  assert.deepEqual(notesOf(lead), ['final'])
})

test('a note cannot be moved to where its author would not see it', async () => {
  const id = await sarah.call('write_note', [team, 'stays'])
  await assert.rejects(sarah.call('move_note', [id, other]), denied)
  await admin.call('add_member', [other, sarah.identity, false])
  assert.equal(await sarah.call('move_note', [id, other]), true)
  assert.deepEqual([notesOf(lead), notesOf(bob, other)], [[], ['stays']])
})

test('what leads write about a note is hidden from its author, down to whether it is there', async () => {
  const id = await sarah.call('write_note', [team, 'a claim'])
  await lead.call('review_note', [id, 'fraud?'])
  assert.deepEqual([lead.query('verdict_on', [id]), sarah.query('verdict_on', [id]), bob.query('verdict_on', [id])], ['fraud?', null, null])
  // The policy is asked before the key: who may not write a review does not learn that there is one.
  await assert.rejects(sarah.call('review_note', [id, 'fine']), denied)
  await assert.rejects(sarah.call('review_note', [id as bigint ^ 1n, 'fine']), denied)
})

test('ids without an owner are random, so that they tell nobody how many there are', async () => {
  const ids = [await sarah.call('write_note', [team, 'one']), await sarah.call('write_note', [team, 'two'])] as bigint[]
  assert.ok(ids.every((id) => id > 1_000_000n && id < 2n ** 63n) && ids[0] !== ids[1], String(ids))
})

test('the publish shows the policies, and of which table policies may read', () => {
  assert.deepEqual(module.report.warnings, [])
  assert.ok(module.report.policiesAdded.includes('notes: update where author = sender'), module.report.policiesAdded.join('\n'))
  assert.ok(module.report.policiesAdded.includes('members: readable by policies of other tables'))
})
