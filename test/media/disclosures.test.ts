/** What a conversation sends to a provider is in the access log of its database first, with the rows that it carries. */
import assert from 'node:assert/strict'
import test from 'node:test'

import type { ReadAccess } from '../../host/access-log/access-record.ts'
import type { AccessReport } from '../../host/reducer/report-access.ts'
import { accessRecords, touchLines } from '../access-log/records.ts'
import { MediaFixture } from './media-fixture.ts'
import { ScriptedProvider } from './scripted-provider.ts'
import type { SocketCaller } from './socket-caller.ts'
import { database, profilesAt } from './voice-host.ts'

async function startWithModel(provider: ScriptedProvider): Promise<MediaFixture> {
  return MediaFixture.start({ voice: { profiles: { default: { chat: { url: `${provider.url}/v1`, model: 'm' } } }, databases: {} } })
}

async function hangUp(caller: SocketCaller): Promise<void> {
  caller.send({ type: 'hang_up' })
  await caller.until(({ type }) => type === 'ended')
}

async function disclosures({ data }: MediaFixture): Promise<readonly ReadAccess[]> {
  return (await accessRecords(data)).filter(({ event }) => event === 'disclosure')
}

/** The records that it names. */
async function readsOf({ data }: MediaFixture, { details }: ReadAccess): Promise<readonly ReadAccess[]> {
  const named = details['reads']?.split(' ') ?? []
  return (await accessRecords(data)).filter(({ position }) => named.includes(String(position)))
}

/** Calls one tool, and speaks when it has its result. */
function once(tool: string, args: string): ScriptedProvider['answer'] {
  return ({ messages }) => (messages.at(-1)?.role === 'tool' ? ['Done.'] : [{ tool, args }])
}

test('each request to a model is on record with its turn, its session and the rows of the prompt and of the tools', async () => {
  await using provider = await ScriptedProvider.start()
  await using fixture = await startWithModel(provider)
  const caller = await fixture.call('sarah')
  await caller.answer(0)
  const tools = [once('open_claim', '{"kind":"fire","summary":"the fire"}'), once('close_claim', '{"id":1}')]
  for (const [index, answer] of tools.entries()) {
    provider.answer = answer
    caller.say('go on')
    await caller.answer(index + 1)
  }
  await hangUp(caller)

  const records = await disclosures(fixture)
  const reads = await Promise.all(records.map((record) => readsOf(fixture, record)))
  assert.deepEqual(
    records.map(({ details }, index) => [details['turn'], reads[index]?.map(({ name }) => name)]),
    [
      ['1', ['prompt']],
      ['1', ['prompt', 'open_claim']],
      ['2', ['prompt']],
      ['2', ['prompt', 'close_claim']],
    ],
  )
  const returned = reads.map((ofOne) =>
    ofOne
      .flatMap(touchLines)
      .filter((line) => line.startsWith('returned'))
      .toSorted(),
  )
  assert.deepEqual(records.map(touchLines), returned)
  assert.ok(returned[3]?.includes('returned claims 1'), String(returned[3]))
  const host = new URL(provider.url).host
  const [[session] = []] = await fixture.sql('sarah', 'select name from sessions')
  for (const record of records) assert.deepEqual([record.name, record.details['what'], record.session], ['default', `chat ${host}`, session])
  assert.equal(provider.turns.length, records.length)

  const token = await fixture.token('sarah')
  const report: AccessReport = (await fixture.request('POST', `/v1/databases/${database}/access/report`, { token, body: {} })).body
  const [row] = report.rows.filter((one) => one['event'] === 'disclosure' && one['table_name'] === 'claims')
  assert.deepEqual([row?.['name'], row?.['keys'], row?.['session']], ['default', '1', session])
  assert.deepEqual(
    report.people[row?.['actor'] as never]?.map(({ subject }) => subject),
    ['agent:claims'],
  )
  assert.deepEqual(fixture.failures, [])
})

test('all calls of a conversation are on record with its session', async () => {
  await using fixture = await MediaFixture.start()
  const caller = await fixture.call('sarah')
  await caller.answer(0)
  caller.say('hello')
  await caller.answer(1)
  await hangUp(caller)
  const [[session] = []] = await fixture.sql('sarah', 'select name from sessions')
  const own = (await accessRecords(fixture.data)).filter(({ channel }) => channel === 'websocket')
  assert.deepEqual(
    ['session_started', 'prompt', 'greeting', 'caller_turn', 'agent_turn', 'session_ended'].filter((name) => !own.some((record) => record.name === name)),
    [],
  )
  assert.deepEqual([...new Set(own.map((record) => record.session))], [session])
  // The rules are no provider.
  assert.deepEqual(await disclosures(fixture), [])
})

test('a voice that is made elsewhere is on record, and names no rows', async () => {
  await using provider = await ScriptedProvider.start()
  provider.toneMs = () => 20
  await using fixture = await MediaFixture.start({ voice: profilesAt(provider.url) })
  const caller = await fixture.call('sarah')
  await caller.answer(0)
  await hangUp(caller)
  const records = await disclosures(fixture)
  assert.deepEqual([...new Set(records.map(({ details }) => details['what']))], [`speech ${new URL(provider.url).host}`])
  assert.equal(records.length, provider.spoken.length)
  assert.deepEqual(records.flatMap(touchLines), [])
})

test('a request whose rows cannot be put on record stays here, and the caller is told', async () => {
  await using provider = await ScriptedProvider.start()
  await using fixture = await startWithModel(provider)
  const caller = await fixture.call('sarah')
  await caller.answer(0)
  // Sarah becomes another person between the prompt and the next request: its rows are none of that person's reads.
  provider.answer = async () => {
    const body = { login: { subject: 'sarah' }, to: { subject: 'sarah at work' } }
    const { status } = await fixture.request('POST', `/v1/databases/${database}/identities/link`, { token: fixture.host.operatorToken, body })
    return status === 200 ? [{ tool: 'introduce', args: '{"name":"Sarah"}' }] : []
  }
  caller.say('hello')
  await caller.until(({ type, turn, text, isDone }) => type === 'agent' && turn === 1 && isDone === true && text?.startsWith('I am sorry') === true)
  assert.equal(provider.turns.length, 1)
  assert.match(fixture.failures.join('\n'), /is no read of this caller/)
  assert.deepEqual(
    (await disclosures(fixture)).map(({ details }) => details['turn']),
    ['1'],
  )
})
