/** What leaves a record, and what the record says. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import type { ReadAccess } from '../../host/access-log/access-record.ts'
import type { Sender } from '../../host/index.ts'
import { Clinic } from './clinic.ts'
import { touchLines } from './records.ts'

let clinic: Clinic
before(async () => {
  clinic = await Clinic.open()
})
after(() => clinic[Symbol.asyncDispose]())

let people = 0
async function somebody(options: Parameters<Clinic['database']['as']>[1] = {}): Promise<Sender> {
  return clinic.database.as({ subject: `somebody ${++people}` }, options)
}

function said({ event, name, outcome }: ReadAccess): readonly string[] {
  return [event, name, outcome]
}

test('a call leaves who called, in whose name, why, by which version, and what it wrote', async () => {
  const agent = await somebody()
  const sarah = await somebody({ actor: agent.identity, purpose: 'claims', session: 'call 7', assurance: 'claimed' })
  await sarah.call('write', ['Dear diary'])
  const record = await clinic.last()
  assert.deepEqual(said(record), ['call', 'write', ''])
  assert.deepEqual([record.sender, record.actor, record.assurance, record.channel], [sarah.identity, agent.identity, 'claimed', 'process'])
  assert.deepEqual([record.purpose, record.session, record.version, record.policyVersion], ['claims', 'call 7', 1, 1])
  assert.deepEqual(touchLines(record), ['inserted diary 1'])
  assert.deepEqual([record.touches[0]?.owner, record.touches[0]?.subject], [sarah.identity, sarah.identity])
  assert.ok(record.fuel > 0)
})

test('rows that a call reads, changes and deletes are told apart', async () => {
  const sarah = await somebody()
  await sarah.call('write_many', [5])
  await sarah.call('rewrite', [2, 'anew'])
  assert.deepEqual(touchLines(await clinic.last()), ['returned diary 2', 'updated diary 2'])
  await sarah.call('tear_out', [4])
  assert.deepEqual(touchLines(await clinic.last()), ['deleted diary 4'])
  await sarah.call('rewrite', [99, 'of nothing'])
  assert.deepEqual(touchLines(await clinic.last()), [])
  sarah.query('entry_of', [3])
  assert.deepEqual(touchLines(await clinic.last()), ['returned diary 3'])
})

test('host-side reads, queries and statements leave the rows that they gave', async () => {
  const sarah = await somebody()
  await sarah.call('write_many', [4])
  sarah.rows('diary', { latest: 2 })
  assert.deepEqual([said(await clinic.last()), touchLines(await clinic.last())], [['rows', 'diary', ''], ['returned diary 3 4']])
  sarah.query('entries')
  assert.deepEqual([said(await clinic.last()), touchLines(await clinic.last())], [['query', 'entries', ''], ['returned diary 1 2 3 4']])
  sarah.query('entry_count')
  assert.deepEqual(touchLines(await clinic.last()), ['examined diary 1 2 3 4'])
  sarah.sql("SELECT text FROM diary WHERE text <> 'a secret word' AND id < 3")
  const record = await clinic.last()
  assert.deepEqual(said(record), ['sql', 'SELECT text FROM diary WHERE text <> ? AND id < ?', ''])
  assert.deepEqual(touchLines(record), ['returned diary 1 2'])
})

test('what was refused leaves why, and no row that it did not touch', async () => {
  const sarah = await somebody()
  await assert.rejects(sarah.call('write_and_fail'))
  assert.deepEqual([said(await clinic.last()), touchLines(await clinic.last())], [['call', 'write_and_fail', 'ERR_CALL_FAILED'], ['returned diary 1']])
  assert.throws(() => sarah.sql('SELECT nothing FROM diary'))
  const record = await clinic.last()
  assert.equal(record.outcome, 'ERR_SQL_NAME')
  assert.match(record.name, /^refused statement sha256:/)
})

test('a row is of its subject, and of its owner where no column says whose it is', async () => {
  const nurse = await somebody()
  const doctor = await somebody({ claims: { role: 'doctor' } })
  await nurse.call('visit', [12_847, 'slept well'])
  await nurse.call('visit', [12_847, 'ate'])
  await nurse.call('visit', [12_848, 'left'])
  doctor.sql('SELECT note FROM visits WHERE nurse = $1', [nurse.identity])
  const { touches } = await clinic.last()
  assert.deepEqual(
    touches.map(({ mode, owner, subject, keys }) => [mode, owner, subject, keys]),
    [
      ['returned', nurse.identity, '12847', ['1', '2']],
      ['returned', nurse.identity, '12848', ['3']],
    ],
  )
  nurse.query('visits')
  assert.deepEqual(
    (await clinic.last()).touches.map(({ subject, keys }) => [subject, keys]),
    [
      ['12847', ['1', '2']],
      ['12848', ['3']],
    ],
  )
})

test('rows without an owner have random ids and the subject that their column says', async () => {
  const sarah = await somebody()
  await sarah.call('post', ['the cat', 'is missing'])
  const [first] = sarah.query('board') as { id: bigint }[]
  const { touches } = await clinic.last()
  assert.deepEqual(
    touches.map(({ mode, owner, subject, keys }) => [mode, owner, subject, keys]),
    [['returned', null, 'the cat', [String(first?.id)]]],
  )
})

test('past a thousand keys a record has their count, their digest and how they were found', async () => {
  const sarah = await somebody()
  await sarah.call('write_many', [1_001])
  const inserted = await clinic.last()
  assert.deepEqual(
    inserted.touches.map(({ mode, count, keys }) => [mode, count, keys]),
    [['inserted', 1_001, null]],
  )
  sarah.query('entries')
  const record = await clinic.last()
  assert.equal(record.plan, 'diary ascending')
  assert.deepEqual(
    record.touches.map(({ count, keys, digest }) => [count, keys, digest?.length]),
    [[1_001, null, 64]],
  )
  sarah.rows('diary', { oldest: 1_000 })
  assert.equal((await clinic.last()).touches[0]?.keys?.length, 1_000)
  sarah.query('entry_count')
  const counted = await clinic.last()
  assert.deepEqual(
    [counted.plan, counted.touches.map(({ mode, count, keys, digest, subject }) => [mode, count, keys, digest, subject])],
    ['count of diary ascending', [['examined', 1_001, null, null, sarah.identity]]],
  )
})

test('more counted rows than are named, of a table without owners, are anybody’s, and the log reads on', async () => {
  const sarah = await somebody()
  await sarah.call('post_many', [1_500])
  assert.ok(Number(sarah.query('notice_count')) >= 1_500)
  const [touch, ...others] = (await clinic.last()).touches
  assert.deepEqual([touch?.mode, touch?.owner, touch?.keys, others.length], ['examined', null, null, 0])
  assert.ok((touch?.count ?? 0) > 1_000)
  await clinic.reopen()
  assert.equal(await (await clinic.database.as({ subject: 'somebody' })).query('entry_count'), 0n)
})

test('the first sight of somebody, links, publishes and changed limits are records', async () => {
  const before = (await clinic.records()).length
  await clinic.database.as({ subject: 'tom' })
  await clinic.database.as({ subject: 'thomas' })
  await clinic.database.link({ subject: 'thomas' }, { subject: 'tom' })
  const found = (await clinic.records()).slice(before)
  assert.deepEqual(
    found.map(({ event, name, by }) => [event, name, by]),
    [
      ['identity', 'mint', 'host'],
      ['identity', 'mint', 'host'],
      ['identity', 'link', 'process'],
    ],
  )
  const publish = (await clinic.records()).find(({ event }) => event === 'publish')
  assert.deepEqual([publish?.name, publish?.by, publish?.details['policy']], ['version 1', 'process', '1'])
})

test('a call that is sent again under its id leaves a record of its answer', async () => {
  const sarah = await somebody()
  await sarah.call('write', ['once'], { id: 'one' })
  await sarah.call('write', ['once'], { id: 'one' })
  const [first, again] = (await clinic.records()).slice(-2)
  assert.deepEqual([first?.touches.length, again?.touches.length, again?.details], [1, 0, { again: 'the result of an earlier call' }])
})

test('every position of the commit log has a record, through restarts', async () => {
  const sarah = await somebody()
  await sarah.call('write', ['before'])
  await clinic.reopen()
  const again = await clinic.database.as(sarah.identity)
  await again.call('write', ['after'])
  const records = await clinic.records()
  assert.ok(!records.some(({ event }) => event === 'undone' || event === 'lost'))
  assert.deepEqual(new Set(records.map(({ asOf }) => asOf)).size, Number(records.at(-1)?.asOf ?? 0n))
})
