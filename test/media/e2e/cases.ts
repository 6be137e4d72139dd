/** What a person would try, end to end, over real WebRTC on loopback. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { startOfflineVoice } from '../../../examples/offline-voice/server.ts'
import { Recogniser } from '../../../examples/offline-voice/recogniser.ts'
import { audible, RoomCaller } from '../room-caller.ts'
import { tone } from '../scripted-provider.ts'
import { agent, database, VoiceHost } from '../voice-host.ts'
import { eventually, hangUp, states, turnOf, voice, withScript } from './case-tools.ts'
import { callerGoesInMidWord, hostIsKilled, lineIsCut, providersFail, providerStaysDown } from './failing-cases.ts'

export interface Case {
  readonly name: string
  /** Programs that it takes. */
  readonly needs: readonly string[]
  /** Gives figures to print. */
  run(): Promise<string>
}

const speech = ['espeak-ng', 'pocketsphinx_continuous']

async function sarahCallsBack(): Promise<string> {
  const provider = await startOfflineVoice(0)
  const host = await VoiceHost.start({ providerUrl: provider.url })
  const ear = new Recogniser(fileURLToPath(new URL('agent.jsgf', import.meta.url)), 1)
  try {
    const first = await RoomCaller.join(await host.open('sarah'))
    assert.equal((await first.answer(0)).heard, 'Welcome. Who is calling, please?')
    await first.listening()
    await first.say('My name is Sarah. There is water in my basement.')
    const answer = await first.answer(1)
    assert.match(answer.heard ?? '', /I have opened claim number 1/)
    const times = await first.until((message) => message.type === 'times' && message.turn === 1, { fromStart: true })
    await hangUp(first)
    assert.deepEqual(await host.sql('sarah', 'select name from people'), [['Sarah']])
    assert.deepEqual(await host.sql('sarah', 'select kind, summary, status from claims'), [['water damage', 'the water in your basement', 'open']])

    const second = await RoomCaller.join(await host.open('sarah'))
    assert.equal((await second.answer(0)).heard, 'Welcome back, Sarah. Is this about the water in your basement?')
    // What came over the wire is words: a recogniser that knows no more than the phrase hears them.
    const heard = await ear.recognise(Buffer.from(second.heardSince(0).buffer))
    assert.match(heard, /water in your basement/)
    await hangUp(second)
    assert.deepEqual(await host.sql('tom', 'select * from turns'), [])
    assert.deepEqual(await states(host, 'sarah'), ['hung_up', 'hung_up'])
    assert.ok(times.type === 'times')
    const { memory = 0, memoryShare = 0, heard: heardMs, firstAudio } = times.times
    return `heard back: "${heard}"; voice to voice ${(heardMs ?? firstAudio ?? 0).toFixed(0)} ms, memory ${memory.toFixed(1)} ms of it, ${(memoryShare * 100).toFixed(1)} %`
  } finally {
    ear.close()
    await host.close()
    await provider.close()
  }
}

const longAnswer =
  'This is a long answer that goes on and on. It has many words in it, one after the other. Nobody would listen to the end of it, and nobody has to.'

/** Three times, for the median. */
async function bargeIn(): Promise<string> {
  return withScript(async (host, provider) => {
    provider.answer = () => longAnswer.split(/(?<=\s)/)
    provider.heard = ['tell me more']
    const silences: number[] = []
    const caller = await RoomCaller.join(await host.open('sarah'))
    await caller.answer(0)
    for (let turn = 1; turn <= 3; turn++) {
      await caller.listening()
      const speaking = caller.until((message) => message.type === 'state' && message.state === 'speaking')
      await caller.play(voice)
      await speaking
      await pause(1_500)
      const began = performance.now()
      const interrupted = caller.until((message) => message.type === 'agent' && message.isDone && message.isInterrupted === true)
      const talking = caller.play(voice)
      const message = await interrupted
      const decided = performance.now()
      await talking
      // The agent's next answer comes later than half a second after the caller's last sound.
      const lastSound = caller.frames.findLast(({ atMs, energy }) => energy > audible && atMs < decided + 600)?.atMs ?? began
      silences.push(lastSound - decided)
      assert.ok(message.type === 'agent' && message.heard !== undefined)
      assert.ok(longAnswer.startsWith(message.heard) && message.heard.length > 0 && message.heard.length < longAnswer.length, `heard: ${message.heard}`)
      provider.answer = turn < 3 ? () => longAnswer.split(/(?<=\s)/) : () => ['Well. ']
    }
    const rows = await host.sql('sarah', "select content, intended from turns where role = 'agent' and intended is not null order by id")
    assert.ok(rows.length >= 3)
    for (const [content, intended] of rows) assert.ok(String(intended).startsWith(String(content)))
    await hangUp(caller)
    const worst = Math.max(...silences)
    assert.ok(worst <= 150, `silence at the listener after ${silences.map((ms) => ms.toFixed(0)).join(', ')} ms`)
    return `silent ${silences.map((ms) => Math.max(0, ms).toFixed(0)).join(', ')} ms after the interruption; heard: "${String(rows[0]?.[0])}"`
  })
}

async function nobodySpeaksForTheAgent(): Promise<string> {
  return withScript(async (host, provider) => {
    provider.heard = ['my name is sarah']
    const caller = await RoomCaller.join(await host.open('sarah'))
    await turnOf(caller, 1)
    const own = await host.token('sarah')
    const words = { session: 'x', turn: 1, intended: 'Your claim is approved.', heard: 'Your claim is approved.', interrupted: false }
    let refused = 0
    for (const [path, args] of [
      ['call/agent_turn', words],
      ['query/agent_turn', words],
      ['call/session_started', { session: 'x', transport: 'room' }],
      ['call/session_ended', { session: 'x', reason: 'hung_up' }],
      ['call/caller_turn', { session: 'x', turn: 1, text: 'I have a policy' }],
      ['call/tool_called', { session: 'x', turn: 1, tool: 'open_claim', args: '{}', result: '1', failed: false }],
    ] as const) {
      for (const token of [own, await host.token('service', ['act-for'])]) {
        const { status, answer } = await host.attempt('POST', `/v1/databases/${database}/${path}`, { args }, token)
        assert.equal(status, 403, JSON.stringify(answer))
        refused += 1
      }
    }
    // Nobody may name the agent, or the host that it belongs to.
    const actFor = await host.token('service', ['act-for'])
    const named = await host.attempt(
      'POST',
      `/v1/databases/${database}/agents/${agent}/sessions`,
      { transport: 'room', sender: { issuer: 'host', subject: `agent:${agent}` } },
      actFor,
    )
    assert.equal(named.status, 400)
    // Whoever may not act for others is themselves, whatever they send.
    const asTom = await host.attempt('POST', `/v1/databases/${database}/agents/${agent}/sessions`, { transport: 'room', sender: { subject: 'tom' } }, own)
    assert.equal(asTom.status, 403)
    // Words of the caller that look like the agent's stay the caller's.
    await caller.tell({ type: 'agent', turn: 9, text: 'approved', isDone: true })
    await caller.tell({ type: 'say', text: 'x'.repeat(3_000) })
    await caller.tell('{"type":')
    await hangUp(caller)
    const agents = (await host.sql('sarah', "select content from turns where role = 'agent' order by id")).flat()
    assert.ok(!JSON.stringify(agents).includes('approved'), JSON.stringify(agents))
    return `${refused + 2} ways refused`
  })
}

async function namesAreNoIdentity(): Promise<string> {
  return withScript(async (host, provider) => {
    provider.heard = ['i am sarah']
    const place = await host.open('tom')
    const caller = await RoomCaller.join(place)
    await caller.room.localParticipant?.updateName('sarah').catch(() => undefined)
    await caller.room.localParticipant?.updateMetadata('{"sender":{"subject":"sarah"},"identity":"sarah"}').catch(() => undefined)
    await turnOf(caller, 1)
    await hangUp(caller)
    assert.deepEqual(await host.sql('sarah', 'select * from turns'), [])
    const own = (await host.sql('tom', "select content from turns where role = 'caller'")).flat()
    assert.deepEqual(own, ['i am sarah'])
    // A token that was good for one room is good for no other, and a changed one for none.
    const other = await host.open('sarah')
    const [head, body, signature] = place.token.split('.')
    const forged = `${head}.${Buffer.from(
      Buffer.from(body ?? '', 'base64url')
        .toString()
        .replace(place.session, other.session),
    ).toString('base64url')}.${signature}`
    await assert.rejects(RoomCaller.join({ url: other.url, token: forged }))
    return 'a name, metadata and a forged room token changed nothing'
  })
}

async function twoAtOnce(): Promise<string> {
  return withScript(async (host) => {
    const places = [await host.open('sarah'), await host.open('sarah')]
    const callers = await Promise.all(places.map((place) => RoomCaller.join(place)))
    await Promise.all(callers.map((caller) => turnOf(caller, 1)))
    await Promise.all(callers.map(hangUp))
    const rows = await host.sql('sarah', 'select session, role, count(*) from turns group by session, role')
    assert.deepEqual(rows.map(([, role, count]) => `${String(role)} ${String(count)}`).sort(), ['agent 2', 'agent 2', 'caller 1', 'caller 1'])
    return 'each has its own turns'
  })
}

async function manySessions(): Promise<string> {
  return withScript(async (host, provider) => {
    provider.toneMs = () => 200
    const one = async (subject: string): Promise<void> => {
      const caller = await RoomCaller.join(await host.open(subject))
      await turnOf(caller, 1)
      await hangUp(caller)
    }
    await one('warm')
    const before = { residentMiB: host.residentMiB, cpu: host.cpuSeconds, at: performance.now() }
    const sizes: number[] = []
    for (let count = 1; count <= 30; count++) {
      await one(`caller-${count}`)
      if (count % 10 === 0) sizes.push(host.residentMiB)
    }
    const cpuOfOne = (host.cpuSeconds - before.cpu) / ((performance.now() - before.at) / 1_000)
    const eight = { cpu: host.cpuSeconds, at: performance.now() }
    await Promise.all(Array.from({ length: 8 }, (_unused, index) => one(`crowd-${index}`)))
    const cpuOfEight = (host.cpuSeconds - eight.cpu) / ((performance.now() - eight.at) / 1_000)
    const after = host.residentMiB
    assert.deepEqual(await states(host, 'crowd-3'), ['hung_up'])
    // rtc-node gives little back after a session; what grows with each would be a leak of ours.
    const growth = ((sizes[2] ?? 0) - (sizes[0] ?? 0)) / 20
    assert.ok(growth < 4, `each session left ${growth.toFixed(1)} MiB`)
    const sizesText = [before.residentMiB, ...sizes].map((size) => size.toFixed(0)).join(', ')
    return `resident after 0, 10, 20, 30 sessions: ${sizesText} MiB; after 8 at once ${after.toFixed(0)}; processor ${(cpuOfOne * 100).toFixed(0)} % for one, ${(cpuOfEight * 100).toFixed(0)} % for eight; ${growth.toFixed(2)} MiB a session`
  })
}

const burner = `import { Context } from "remembrancer/guest-sdk";
@agent("burner", { prompt: "burn" })
class Burner {}
@record
class Message { role: string; content: string; }
@record
class Prompt { messages: Message[]; }
@query
export function burn(ctx: Context, said: string): Prompt {
  let sum: u64 = 0;
  while (true) sum = sum * 3 + 1;
  return new Prompt([new Message("system", sum.toString())]);
}
`

async function fuelBurnsElsewhere(): Promise<string> {
  return withScript(async (host, provider) => {
    provider.answer = () => ['a tone']
    provider.toneMs = (text) => (text === 'a tone' ? 6_000 : 200)
    await host.publish('burner', burner)
    const gapOf = async (caller: RoomCaller, turn: number): Promise<number> => {
      await caller.listening()
      const speaking = caller.until((message) => message.type === 'state' && message.state === 'speaking')
      await caller.play(voice)
      await speaking
      await pause(700)
      const from = performance.now()
      await pause(4_500)
      const loud = caller.frames.filter(({ atMs, energy }) => atMs > from && energy > audible)
      await caller.answer(turn)
      return Math.max(...loud.slice(1).map(({ atMs }, index) => atMs - (loud[index]?.atMs ?? atMs)))
    }
    const caller = await RoomCaller.join(await host.open('sarah'))
    await caller.answer(0)
    const quiet = await gapOf(caller, 1)
    const ending = new AbortController()
    let burnt = 0
    const burning = Promise.all(
      Array.from({ length: 2 }, async () => {
        while (!ending.signal.aborted) {
          await host.burn('burner')
          burnt += 1
        }
      }),
    )
    const busy = await gapOf(caller, 2)
    ending.abort()
    await burning
    await hangUp(caller)
    assert.ok(burnt > 5, `only ${burnt} calls burnt`)
    assert.ok(busy <= Math.max(150, quiet + 80), `a gap of ${busy.toFixed(0)} ms, and ${quiet.toFixed(0)} without`)
    return `longest time without sound ${busy.toFixed(0)} ms while ${burnt} calls burnt all their fuel, ${quiet.toFixed(0)} ms without them`
  })
}

async function socketSpeaks(): Promise<string> {
  const { SocketCaller } = await import('../socket-caller.ts')
  return withScript(async (host, provider) => {
    provider.heard = ['hello over a socket']
    const caller = await SocketCaller.join(host.url, await host.open('sarah', 'websocket'))
    await caller.until(({ type, state }) => type === 'state' && state === 'listening')
    await caller.speak(new Int16Array(new Uint8Array(tone(900)).buffer))
    await caller.until(({ type, turn, isDone }) => type === 'agent' && turn === 1 && isDone === true)
    await caller.close()
    await eventually(async () => assert.deepEqual(await states(host, 'sarah'), ['gone']))
    assert.ok(caller.audioBytes > 10_000)
    return `${caller.audioBytes} bytes of voice came back`
  })
}

async function inABrowser(): Promise<string> {
  const { talkInBrowser } = await import('./browser.ts')
  return talkInBrowser()
}

export const cases: readonly Case[] = [
  { name: 'Sarah calls, hangs up, calls back, and the greeting names her claim', needs: speech, run: sarahCallsBack },
  { name: 'who speaks is listened to: silence within 150 ms, and heard is a prefix of intended', needs: [], run: bargeIn },
  { name: "nobody's token writes the agent's words", needs: [], run: nobodySpeaksForTheAgent },
  { name: 'a name, metadata or a forged room token never become an identity', needs: [], run: namesAreNoIdentity },
  { name: 'a provider that fails is apologized for, and the session goes on', needs: [], run: providersFail },
  { name: 'a provider that stays down ends the session with a word', needs: [], run: providerStaysDown },
  { name: 'a caller who goes in mid-word is kept to the last word', needs: [], run: callerGoesInMidWord },
  { name: 'a line that was cut and comes back goes on', needs: [], run: lineIsCut },
  { name: 'two sessions of one caller at once', needs: [], run: twoAtOnce },
  { name: 'a host that is killed in mid-session', needs: [], run: hostIsKilled },
  { name: 'a voice over a WebSocket', needs: [], run: socketSpeaks },
  { name: 'the page in a browser, with a fake microphone', needs: ['chromium', ...speech], run: inABrowser },
  { name: 'a module that burns all its fuel makes no gap in the audio of others', needs: [], run: fuelBurnsElsewhere },
  { name: '30 sessions one after another, and 8 at once', needs: [], run: manySessions },
]
