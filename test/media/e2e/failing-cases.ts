/** What a person would meet when something fails: a provider, the line, the caller, the host. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'

import { RoomCaller } from '../room-caller.ts'
import { ScriptedProvider, tone } from '../scripted-provider.ts'
import { VoiceHost } from '../voice-host.ts'
import { eventually, hangUp, states, turnOf, voice, withScript } from './case-tools.ts'

export async function providersFail(): Promise<string> {
  return withScript(async (host, provider) => {
    const caller = await RoomCaller.join(await host.open('sarah'))
    await caller.answer(0)
    let turn = 0
    const apologies: string[] = []
    provider.toneMs = () => 300
    for (const [service, failure] of [
      ['completions', 'error'],
      ['completions', 'malformed'],
      ['completions', 'cut'],
      ['transcriptions', 'quota'],
      ['transcriptions', 'malformed'],
      ['completions', 'down'],
      ['transcriptions', 'endless'],
      ['completions', 'slow'],
    ] as const) {
      provider.failures[service] = failure
      await caller.listening()
      const apology = caller.until((message) => message.type === 'agent' && message.isDone && message.text.startsWith('I am sorry'))
      await caller.play(voice)
      await apology
      apologies.push(`${service} ${failure}`)
      provider.failures[service] = 'none'
      if (service === 'completions') turn += 1
      // And the next turn is as if nothing had been.
      turn += 1
      assert.equal((await turnOf(caller, turn)).heard, 'I see. ')
    }
    // A voice that cannot be made: the words are there to be read.
    provider.failures.speech = 'error'
    await caller.listening()
    const unspoken = caller.until((message) => message.type === 'agent' && message.isDone)
    await caller.play(voice)
    await unspoken
    provider.failures.speech = 'none'
    await hangUp(caller)
    assert.deepEqual(await states(host, 'sarah'), ['hung_up'])
    return `an apology for each of ${apologies.length}: ${apologies.join(', ')}`
  })
}

export async function providerStaysDown(): Promise<string> {
  return withScript(async (host, provider) => {
    provider.toneMs = () => 300
    const caller = await RoomCaller.join(await host.open('sarah'))
    await caller.answer(0)
    provider.failures.completions = 'error'
    const ended = caller.until((message) => message.type === 'ended', { timeMs: 90_000 })
    for (let turn = 1; turn <= 3; turn++) {
      await caller.listening()
      const sorry = caller.until((message) => message.type === 'agent' && message.isDone && message.text.startsWith('I am sorry'))
      await caller.play(voice)
      await sorry
    }
    const message = await ended
    assert.ok(message.type === 'ended' && message.reason === 'provider_failed')
    await caller.leave()
    assert.deepEqual(await states(host, 'sarah'), ['provider_failed'])
    return 'after three failures the caller is told, and the session ends as provider_failed'
  })
}

export async function callerGoesInMidWord(): Promise<string> {
  return withScript(async (host, provider) => {
    provider.heard = ['and then the pipe']
    const caller = await RoomCaller.join(await host.open('sarah'))
    await caller.answer(0)
    await caller.listening()
    void caller.play(new Int16Array(new Uint8Array(tone(5_000)).buffer)).catch(() => undefined)
    await pause(1_200)
    await caller.leave()
    await eventually(async () => assert.deepEqual(await states(host, 'sarah'), ['gone']), 30_000)
    const said = (await host.sql('sarah', "select content from turns where role = 'caller'")).flat()
    assert.deepEqual(said, ['and then the pipe'])
    return 'what was said till then is kept, and the session ends as gone'
  })
}

export async function lineIsCut(): Promise<string> {
  return withScript(async (host) => {
    const place = await host.open('sarah')
    const first = await RoomCaller.join(place)
    await turnOf(first, 1)
    await first.leave()
    await pause(1_000)
    const again = await RoomCaller.join(place)
    await pause(1_500)
    await again.play(voice)
    await again.answer(2)
    await hangUp(again)
    assert.deepEqual(await states(host, 'sarah'), ['hung_up'])
    return 'the same session went on'
  })
}

export async function hostIsKilled(): Promise<string> {
  await using provider = await ScriptedProvider.start()
  const host = await VoiceHost.start({ providerUrl: provider.url })
  const caller = await RoomCaller.join(await host.open('sarah'))
  await turnOf(caller, 1)
  await caller.until((message) => message.type === 'times' && message.turn === 1, { fromStart: true })
  await host.kill()
  await caller.leave()
  const next = await VoiceHost.start({ providerUrl: provider.url, data: host.data })
  try {
    await eventually(async () => assert.deepEqual(await states(next, 'sarah'), ['host_lost']))
    const turns = (await next.sql('sarah', 'select role from turns order by id')).flat()
    assert.deepEqual(turns, ['agent', 'caller', 'agent'])
    return 'nothing acknowledged is lost; the next host ends the session as host_lost'
  } finally {
    await next.close()
  }
}
