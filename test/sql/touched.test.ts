/** Statements behind the shard's door: which rows they touch, in and outside of a batch, and what passes the door. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import type { SqlValue } from '../../host/plan/plan.ts'
import { runSql } from '../../host/reducer/run-sql.ts'
import { loadParser } from '../../host/sql/parse-statement.ts'
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

/** Keys of the rows that a statement of Sarah's touches. */
async function touchedBy(sql: string): Promise<readonly string[]> {
  const { database } = await shard.held('stamps')
  const touched: string[] = []
  const onTouch = ({ name }: { readonly name: string }, key: readonly SqlValue[]): void => void touched.push(`${name} ${String(key.at(-1))}`)
  const caller = database.caller(callerNamed('sarah'))
  runSql(database, database.requireModule(), { sql, params: [], caller, onTouch })
  return touched.toSorted()
}

test('rows that the policies and the terms of a statement let through are touched, each once, and no others', async () => {
  assert.deepEqual(await touchedBy('SELECT label FROM stamps'), ['stamps 1', 'stamps 2', 'stamps 3'])
  assert.deepEqual(await touchedBy('SELECT label FROM stamps WHERE id > 1'), ['stamps 2', 'stamps 3'])
  assert.deepEqual(await touchedBy("SELECT label FROM stamps WHERE label = 'none'"), [])
  assert.deepEqual(await touchedBy('SELECT count(*) FROM stamps WHERE id + 1 > 3'), ['stamps 3'])
  assert.deepEqual(await touchedBy('SELECT a.id FROM stamps AS a JOIN stamps AS b ON b.id = a.id WHERE a.id = 2'), ['stamps 2', 'stamps 2'])
  assert.deepEqual(await touchedBy('SELECT id FROM stamps AS a WHERE id = 1 AND EXISTS (SELECT 1 FROM stamps AS b WHERE b.id = 3)'), ['stamps 1', 'stamps 3'])
})

test('what passes the door is JSON, and rows in bytes', async () => {
  const request = { sql: 'SELECT id, label FROM stamps WHERE id < $1 ORDER BY id', params: ['3'], caller: callerNamed('sarah'), explain: false }
  const { head, body } = await shard.send('stamps', 'sql', request)
  assert.deepEqual(head, {
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
