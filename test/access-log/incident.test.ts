/** After a stop: who was there, what was refused, what was cut off, and what became of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { MemoryLog } from '../../host/log/memory-log.ts'
import { incidentBetween } from '../../host/history/incident.ts'
import { DataFolder } from '../storage/folder.ts'
import { callerNamed, OpenShard } from '../shard/open-shard.ts'
import { first } from '../shard/versions.ts'

test('an incident tells people, sessions, refusals and restarts, and that nothing was cut off', async () => {
  using folder = new DataFolder()
  const ask = async (shard: OpenShard, sql: string): Promise<unknown> =>
    shard.send('stamps', 'sql', { sql, params: [], caller: { ...callerNamed('sarah'), session: 'call 7' }, explain: false })
  let begin = 0n
  {
    await using shard = new OpenShard({ folder })
    begin = shard.clock.micros
    await shard.create('stamps')
    await shard.publish('stamps', first)
    shard.clock.micros += 1_000_000n
    await shard.stamp('stamps', 1, { subject: 'bob' })
    await assert.rejects(ask(shard, 'SELECT nothing FROM stamps'))
    await ask(shard, 'SELECT id FROM stamps')
  }
  await using shard = new OpenShard({ folder })
  shard.clock.micros = begin + 60_000_000n
  await shard.stamp('stamps', 1, { subject: 'sarah' })
  const incident = await incidentBetween(folder.path, [begin, begin + 120_000_000n], begin)
  assert.equal(incident.restarts.length, 1)
  const [stamps] = incident.databases
  assert.deepEqual([stamps?.name, stamps?.done, stamps?.refused, stamps?.undone, stamps?.sessions], ['stamps', 3, { ERR_SQL_NAME: 1 }, [], ['call 7']])
  assert.deepEqual(stamps?.people.toSorted(), ['bob', 'sarah'])
  assert.deepEqual(
    stamps?.last.map(({ who, event }) => `${who} ${event}`),
    ['bob call', 'sarah sql', 'sarah sql', 'sarah call'],
  )
  const earlier = await incidentBetween(folder.path, [begin - 10n, begin - 1n], begin)
  assert.deepEqual([earlier.databases, earlier.restarts], [[], []])
})

test('a call that the commit log never had was cut off', async () => {
  using folder = new DataFolder()
  await using shard = new OpenShard({ folder, log: new MemoryLog() })
  await shard.create('stamps')
  await shard.publish('stamps', first)
  await shard.stamp('stamps', 1, { subject: 'bob' })
  // The folder has no commit log: it is as if the host had ended between the two writes.
  const incident = await incidentBetween(folder.path, [0n, 2n ** 62n], 0n)
  assert.deepEqual(
    incident.databases[0]?.undone.map(({ event, name }) => [event, name]),
    [['call', 'stamp']],
  )
})
