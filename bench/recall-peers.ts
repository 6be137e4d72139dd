/**
 * The last 20 of a caller's rows among 1 M rows of 10,000 callers, as usual stacks would read them, interleaved in one
 * process: the host-side read with its policy; PostgreSQL 15 with row-level security in its pooled form, at a socket of
 * the same machine; and a Redis list, which has neither policies nor columns. Both have everything in memory.
 */
import assert from 'node:assert/strict'

import { PostgresServer, postgresMissing } from '../test/differential/postgres-server.ts'
import type { Sender } from '../host/index.ts'
import { claimsHost, fillTurns } from './claims-host.ts'
import { interleave, ratio, report, spreadFigures } from './measure.ts'
import type { Report } from './measure.ts'
import { PostgresReader } from './peers/postgres.ts'
import { RedisServer, redisMissing } from './peers/redis.ts'
import type { RedisReader } from './peers/redis.ts'

const callers = 10_000
const turnsEach = 100
const wanted = 20

export async function benchRecallPeers(): Promise<Report> {
  const missing = [postgresMissing, redisMissing].filter((one) => one !== undefined)
  if (missing.length > 0) throw new Error(missing.join('; '))
  await using fixture = await claimsHost()
  const senders = await fillTurns(fixture.claims, callers, turnsEach)
  await using postgres = await PostgresServer.start()
  await using redis = await RedisServer.start()
  await fillPostgres(postgres, senders)
  const redisReader = await redis.connect()
  await fillRedis(redisReader, senders)
  const postgresReader = await PostgresReader.connect(postgres.socketPath, wanted)

  let turn = 0
  const next =
    <T>(read: (sender: Sender) => T) =>
    (): T => {
      const sender = senders[(turn = (turn + 7_919) % callers)]
      assert(sender !== undefined)
      return read(sender)
    }
  const parsed = async (sender: Sender): Promise<unknown> => (await redisReader.last(sender.identity, wanted)).map((text): unknown => JSON.parse(text))
  await agree(senders, postgresReader, redisReader)
  const spreads = await interleave(
    [
      { name: 'host-side read', run: next((sender) => sender.rows('turns', { latest: wanted })) },
      { name: 'guest query', run: next((sender) => sender.query('last_turns', [wanted])) },
      { name: 'PostgreSQL', run: next((sender) => postgresReader.read(sender.identity)) },
      { name: 'PostgreSQL, one round trip', run: next((sender) => postgresReader.readAtOnce(sender.identity)) },
      { name: 'Redis', run: next((sender) => redisReader.last(sender.identity, wanted)) },
      { name: 'Redis, parsed', run: next(parsed) },
    ],
    { rounds: 100, perRound: 50 },
  )
  postgresReader.close()
  redisReader.close()

  return report(
    'recall-peers',
    { rows: callers * turnsEach, ...spreadFigures(spreads) },
    {
      'PostgreSQL / host-side read': ratio(spreads, 'PostgreSQL', 'host-side read'),
      'PostgreSQL, one round trip / host-side read': ratio(spreads, 'PostgreSQL, one round trip', 'host-side read'),
      'Redis / host-side read': ratio(spreads, 'Redis', 'host-side read'),
      'Redis, parsed / host-side read': ratio(spreads, 'Redis, parsed', 'host-side read'),
    },
  )
}

async function fillPostgres(postgres: PostgresServer, senders: readonly Sender[]): Promise<void> {
  const client = await postgres.connect()
  const identities = senders.map(({ identity }, index) => `(${index}, '\\x${identity}')`).join(', ')
  await client.values(`
    CREATE TABLE people (number bigint, identity bytea);
    INSERT INTO people VALUES ${identities};
    CREATE TABLE turns (id bigint, caller bytea, role text, content text, at timestamptz, PRIMARY KEY (caller, id));
    INSERT INTO turns SELECT id, identity, 'caller', 'turn ' || (id - 1) || ': the water came up through the floor of the basement over night', now()
      FROM people, generate_series(1, ${turnsEach}) AS id;
    ALTER TABLE turns ENABLE ROW LEVEL SECURITY;
    ALTER TABLE turns FORCE ROW LEVEL SECURITY;
    CREATE POLICY own ON turns USING (caller = decode(current_setting('app.caller'), 'hex'));
    CREATE ROLE app LOGIN;
    GRANT SELECT ON turns TO app;`)
  await client.values('VACUUM ANALYZE turns')
  client.close()
}

/** As an application would keep them: each turn its JSON. */
async function fillRedis(redis: RedisReader, senders: readonly Sender[]): Promise<void> {
  for (const sender of senders) {
    const rows = sender.rows('turns')
    await redis.push(
      sender.identity,
      rows.map((row) => JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))),
    )
  }
}

/** All three answer with the same turns, or their times mean nothing. */
async function agree(senders: readonly Sender[], postgres: PostgresReader, redis: RedisReader): Promise<void> {
  for (const sender of [senders[0], senders.at(-1)]) {
    assert(sender !== undefined)
    const ours = sender.rows('turns', { latest: wanted }).map(({ content }) => content)
    const contents = async (read: 'read' | 'readAtOnce'): Promise<readonly string[]> =>
      (await postgres[read](sender.identity)).map(({ content }) => content).toReversed()
    assert.equal(ours.length, wanted)
    assert.deepEqual(await contents('read'), ours)
    assert.deepEqual(await contents('readAtOnce'), ours)
    assert.deepEqual(
      (await redis.last(sender.identity, wanted)).map((text) => (JSON.parse(text) as { content: string }).content),
      ours,
    )
  }
}
