/** What left for an outside provider is on record with the rows that it was made of, by turn and by person. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import type { AccessReport } from '../../host/reducer/report-access.ts'
import { callerNamed, OpenShard } from '../shard/open-shard.ts'
import { first } from '../shard/versions.ts'
import { accessRecords, touchLines } from './records.ts'

const shard = new OpenShard()
before(async () => {
  await shard.create('stamps')
  await shard.publish('stamps', first)
  for (let index = 0; index < 3; index++) await shard.stamp('stamps', 1, { subject: 'sarah' })
})
after(() => shard[Symbol.asyncDispose]())

const agent = { ...callerNamed('sarah'), actor: { issuer: 'test', subject: 'claims-agent' }, session: 'call 7' }

async function read(sql: string): Promise<string> {
  return (await shard.send('stamps', 'sql', { sql, params: [], caller: agent, explain: false })).head.record
}

test('a disclosure names the rows of the reads that it was made of, and the provider, the turn and the session', async () => {
  const reads = [await read('SELECT label FROM stamps WHERE id = 2'), await read('SELECT count(*) FROM stamps WHERE id = 3')]
  await shard.send('stamps', 'disclose', { caller: agent, provider: 'openai', what: 'chat', turn: '4', reads })
  const record = (await accessRecords(shard.folder.path)).at(-1)
  assert.deepEqual(
    [record?.event, record?.name, record?.session, record?.details],
    ['disclosure', 'openai', 'call 7', { what: 'chat', turn: '4', reads: reads.join(' ') }],
  )
  assert.deepEqual(record && touchLines(record), ['returned stamps 2', 'returned stamps 3'])
  assert.equal(record?.touches[0]?.subject, record?.sender)
})

test('a person finds what of theirs was disclosed', async () => {
  const by = { caller: callerNamed('sarah') }
  const { body } = await shard.send('stamps', 'access', { subject: null, since: '0', until: String(2n ** 62n), rowsMax: 100, by })
  const { rows, people } = JSON.parse(Buffer.from(body ?? []).toString()) as AccessReport
  const disclosed = rows.filter(({ event }) => event === 'disclosure')
  assert.deepEqual(
    disclosed.map(({ name, keys }) => [name, keys]),
    [
      ['openai', '2'],
      ['openai', '3'],
    ],
  )
  assert.deepEqual(
    people[disclosed[0]?.['actor'] as never]?.map(({ subject }) => subject),
    ['claims-agent'],
  )
})

test('what somebody else has read, or nobody, cannot be disclosed', async () => {
  const reads = [await read('SELECT label FROM stamps')]
  const refused = { code: 'ERR_REQUEST_MALFORMED' }
  await assert.rejects(shard.send('stamps', 'disclose', { caller: callerNamed('bob'), provider: 'openai', what: 'chat', turn: '1', reads }), refused)
  await assert.rejects(shard.send('stamps', 'disclose', { caller: agent, provider: 'openai', what: 'chat', turn: '1', reads: ['99999'] }), refused)
})

test('nobody reads what the log has about others without the right to', async () => {
  const range = { since: '0', until: String(2n ** 62n), rowsMax: 10 }
  const ask = (subject: string, by: object): Promise<unknown> => shard.send('stamps', 'access', { ...range, subject: { text: subject, issuer: 'test' }, by })
  await assert.rejects(ask('sarah', { caller: callerNamed('bob') }), { code: 'ERR_RIGHT_MISSING' })
  await ask('sarah', { caller: { ...callerNamed('bob'), rights: ['audit'] }, purpose: 'quarterly review' })
  const record = (await accessRecords(shard.folder.path)).at(-1)
  assert.deepEqual([record?.event, record?.purpose], ['report', 'quarterly review'])
  await ask('sarah', { host: 'auditor' })
})

test('the table shows a person their own records, and all of it to who has the right', async () => {
  const count = async (caller: object): Promise<bigint> => {
    const request = { sql: 'SELECT count(*) FROM access_log', params: [], caller: { ...callerNamed('bob'), ...caller }, explain: false }
    const { body = new Uint8Array(0) } = await shard.send('stamps', 'sql', request)
    return Buffer.from(body).readBigInt64LE(1)
  }
  const [own, all] = [await count({}), await count({ rights: ['audit'] })]
  assert.ok(own > 0n && own < all, `${own} of ${all}`)
  const joined = { sql: 'SELECT 1 FROM access_log JOIN stamps ON stamps.id = access_log.position', params: [], caller: agent, explain: false }
  await assert.rejects(shard.send('stamps', 'sql', joined), { code: 'ERR_SQL_UNSUPPORTED' })
})
