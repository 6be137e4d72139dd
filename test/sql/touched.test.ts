/** Statements behind the shard's door: which rows they touch, in and outside of a batch, and what passes the door. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { runSql } from '../../host/reducer/run-sql.ts'
import { loadParser } from '../../host/sql/parse-statement.ts'
import { accessRecords, touchLines } from '../access-log/records.ts'
import { callerNamed, OpenShard } from '../shard/open-shard.ts'
import { first } from '../shard/versions.ts'

const shard = new OpenShard()
before(async () => {
  await shard.create('stamps')
  await shard.publish('stamps', first)
  for (let index = 0; index < 3; index++) await shard.stamp('stamps', 1, { subject: 'sarah' })
  await shard.stamp('stamps', 1, { subject: 'bob' })
  await loadParser()
})
after(() => shard[Symbol.asyncDispose]())

/** What the access log says of the rows that a statement of Sarah's touches. */
async function touchedBy(sql: string): Promise<readonly string[]> {
  const { database } = await shard.held('stamps')
  runSql(database, database.requireModule(), { sql, params: [], caller: database.caller(callerNamed('sarah')) })
  const last = (await accessRecords(shard.folder.path)).at(-1)
  assert.equal(last?.event, 'sql')
  return last === undefined ? [] : touchLines(last)
}

test('rows that the policies and the terms of a statement let through are in its record, each once, and no others', async () => {
  assert.deepEqual(await touchedBy('SELECT label FROM stamps'), ['returned stamps 1 2 3'])
  assert.deepEqual(await touchedBy('SELECT label FROM stamps WHERE id > 1'), ['returned stamps 2 3'])
  assert.deepEqual(await touchedBy("SELECT label FROM stamps WHERE label = 'none'"), [])
  assert.deepEqual(await touchedBy('SELECT a.id FROM stamps AS a JOIN stamps AS b ON b.id = a.id WHERE a.id = 2'), ['returned stamps 2'])
})

test('rows that an answer is made of are told from those that only decided something', async () => {
  assert.deepEqual(await touchedBy('SELECT count(*) FROM stamps WHERE id + 1 > 3'), ['returned stamps 3'])
  assert.deepEqual(await touchedBy('SELECT DISTINCT label FROM stamps LIMIT 1'), ['returned stamps 1 2 3'])
  assert.deepEqual(await touchedBy('SELECT id FROM stamps ORDER BY size, id DESC LIMIT 1'), ['examined stamps 1 2', 'returned stamps 3'])
  assert.deepEqual(await touchedBy('SELECT id FROM stamps AS a WHERE id = 1 AND EXISTS (SELECT 1 FROM stamps AS b WHERE b.id = 3)'), [
    'examined stamps 3',
    'returned stamps 1',
  ])
})

test('what passes the door is JSON, and rows in bytes', async () => {
  const request = { sql: 'SELECT id, label FROM stamps WHERE id < $1 ORDER BY id', params: ['3'], caller: callerNamed('sarah'), explain: false }
  const { head, body } = await shard.send('stamps', 'sql', request)
  const { record, ...told } = head
  assert.equal(record, String((await accessRecords(shard.folder.path)).at(-1)?.position))
  assert.deepEqual(told, {
    columns: [
      { name: 'id', type: 'u64' },
      { name: 'label', type: 'string' },
    ],
    rowCount: 2,
    examined: 2,
  })
  assert.equal(body?.length, 2 * (1 + 8 + 1 + 4 + 'first'.length))
})

test('a statement sees what the calls before it in its batch have left', async () => {
  const stamps = { sql: 'SELECT count(*) FROM stamps', params: [], caller: callerNamed('eve'), explain: false }
  const counts = ['stamp', 'sql', 'stamp', 'sql'].map((what) =>
    what === 'stamp' ? shard.stamp('stamps', 1, { subject: 'eve' }) : shard.send('stamps', 'sql', stamps),
  )
  const [, one, , two] = (await Promise.all(counts)) as { readonly body: Uint8Array }[]
  assert.deepEqual([one?.body[1], two?.body[1]], [1, 2])
})
