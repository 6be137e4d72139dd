/** The access log forgets by its own rule, says so in its own chain, and holds afterwards; its table forgets with it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { verifyFolders } from '../../host/access-log/verify-folder.ts'
import { DataFolder } from '../storage/folder.ts'
import { callerNamed, OpenShard } from '../shard/open-shard.ts'
import { first } from '../shard/versions.ts'
import { accessRecords } from './records.ts'

const year = 366 * 24 * 3_600

async function statement(shard: OpenShard, sql: string): Promise<Uint8Array> {
  const { body = new Uint8Array(0) } = await shard.send('stamps', 'sql', {
    sql,
    params: [],
    caller: { ...callerNamed('sarah'), rights: ['audit'] },
    explain: false,
  })
  return body
}

test('what is older than its age is forgotten, whatever the commit log keeps, and the log says where it begins', async () => {
  using folder = new DataFolder()
  let dropped = ''
  {
    await using shard = new OpenShard({ folder })
    await shard.create('stamps')
    await shard.publish('stamps', first)
    await shard.create('gone')
    dropped = Buffer.from((await shard.held('gone')).database.uid).toString('hex')
    for (let index = 0; index < 5; index++) await shard.stamp('stamps', 1)
    await statement(shard, 'SELECT count(*) FROM access_log')
    await shard.send('gone', 'drop', {})
  }
  await using shard = new OpenShard({ folder })
  await shard.stamp('stamps', 1)
  const { access, database } = await shard.held('stamps')
  const before = (await accessRecords(folder.path)).length
  await access.forget(shard.clock.now() + BigInt(year) * 1_000_000n, year + 1)
  assert.equal((await accessRecords(folder.path)).length, before, 'none is so old')
  await access.forget(shard.clock.now() + BigInt(year) * 1_000_000n, year - 1)
  const records = await accessRecords(folder.path)
  assert.ok(records.length < before)
  assert.deepEqual(
    records.map(({ event }) => event),
    ['call', 'trimmed'],
  )
  const { problems, databases } = await verifyFolders([folder.at('access', '0')], { now: 0n, isDropped: (uid) => uid === dropped })
  assert.deepEqual(problems, [])
  assert.ok(!databases.some((one) => one.database === dropped))
  const count = Buffer.from(await statement(shard, 'SELECT count(*) FROM access_log')).readBigInt64LE(1)
  assert.equal(count, 2n)
  assert.ok(database.journal.committed.position > 5n)
})
