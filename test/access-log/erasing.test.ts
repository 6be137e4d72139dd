/** What is forgotten, and what of it stays: rows that go, databases that go, and what was never in the log. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { verifyFolders } from '../../host/access-log/verify-folder.ts'
import { mintDatabaseToken } from '../../host/auth/mint-token.ts'
import { systemClock } from '../../host/clock.ts'
import { callerNamed, OpenShard } from '../shard/open-shard.ts'
import { first } from '../shard/versions.ts'
import { Clinic } from './clinic.ts'
import { loggedRecords, touchLines } from './records.ts'

let clinic: Clinic
before(async () => {
  clinic = await Clinic.open()
})
after(() => clinic[Symbol.asyncDispose]())

test('the log holds after a person’s rows are deleted, and names them still', async () => {
  const sarah = await clinic.database.as({ subject: 'sarah' })
  await sarah.call('write_many', [3])
  sarah.rows('diary')
  for (const id of [1, 2, 3]) await sarah.call('tear_out', [id])
  assert.deepEqual(sarah.rows('diary'), [])
  const records = (await clinic.records()).filter(({ sender }) => sender === sarah.identity)
  assert.deepEqual(records.flatMap(touchLines), ['inserted diary 1 2 3', 'returned diary 1 2 3', 'deleted diary 1', 'deleted diary 2', 'deleted diary 3'])
  const { problems } = await verifyFolders([clinic.folder.at('access', '0')], { now: 0n, isDropped: () => true })
  assert.deepEqual(problems, [])
})

test('no value of a row, no argument, no literal and no token is in the log, nor in its table', async () => {
  const canary = 'canary-7f3a'
  const sarah = await clinic.database.as({ subject: 'sarah' }, { claims: { role: `doctor-${canary}` } })
  await sarah.call('write', [`a secret: ${canary}`])
  await sarah.call('visit', [1, `the note: ${canary}`])
  sarah.query('entries')
  sarah.rows('diary')
  sarah.sql(`SELECT text FROM diary WHERE text LIKE '%${canary}%' -- ${canary}`)
  sarah.sql('SELECT text FROM diary WHERE text = $1', [canary])
  assert.throws(() => sarah.sql(`SELECT ${canary.replace('-', '_')} FROM diary`))
  await assert.rejects(sarah.call('write_and_fail'))
  sarah.sql('SELECT count(*) FROM access_log')
  const files = clinic.folder.grep(canary).filter((path) => /access/.test(path))
  assert.deepEqual(files, [])
})

test('a token that was issued is not in the data folder', async () => {
  await using shard = new OpenShard()
  await shard.create('stamps')
  const request = { subject: 'sarah', ttlSeconds: 60, claims: {}, rights: [] }
  const { token } = (await shard.send('stamps', 'token', request)).head
  const { database } = await shard.held('stamps')
  assert.equal((await mintDatabaseToken(database.keyRing, request, systemClock)).split('.').length, token.split('.').length)
  assert.deepEqual(shard.folder.grep(token.split('.')[2] ?? ''), [])
  const privateKey = database.keyRing.keys[0]?.d ?? ''
  assert.deepEqual(
    shard.folder.grep(privateKey).filter((path) => /access/.test(path)),
    [],
  )
})

test('of a dropped database the log keeps that there were records, and not what they said', async () => {
  await using shard = new OpenShard()
  await shard.create('stamps')
  await shard.publish('stamps', first)
  await shard.stamp('stamps', 1)
  await shard.send('stamps', 'sql', { sql: 'SELECT id FROM stamps', params: [], caller: callerNamed('sarah'), explain: false })
  const before = await loggedRecords(shard.folder.path)
  await shard.send('stamps', 'drop', {})
  const after = await loggedRecords(shard.folder.path)
  assert.equal(after.length, before.length)
  assert.ok(after.every(({ isErased }) => isErased))
  assert.deepEqual(shard.folder.grep('SELECT id FROM stamps'), [])
  const { problems } = await verifyFolders([shard.folder.at('access', '0')], { now: 0n, isDropped: () => true })
  assert.deepEqual(problems, [])
})
