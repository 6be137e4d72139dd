/** A short call over real WebRTC on loopback: what needs more than seconds is in npm run voice:e2e. */
import assert from 'node:assert/strict'
import test from 'node:test'

import { readRoomToken, mintRoomToken } from '../../host/auth/room-token.ts'
import { systemClock } from '../../host/clock.ts'
import { DevRoom } from '../../host/media/dev-room/dev-room.ts'
import { isRtcInstalled } from '../../host/media/livekit-peer.ts'
import { MediaFixture } from './media-fixture.ts'
import { ScriptedProvider, tone } from './scripted-provider.ts'
import { profilesAt } from './voice-host.ts'

const missing = isRtcInstalled() ? false : '@livekit/rtc-node is not installed for this system'

test('the dev room is for loopback; another address takes a word', () => {
  const onFailure = (): void => undefined
  assert.throws(() => new DevRoom({ address: '0.0.0.0', onFailure }), /listens on loopback, not on 0\.0\.0\.0/)
  assert.throws(() => new DevRoom({ address: '192.168.1.7', onFailure }), /loopback/)
  assert.throws(() => new DevRoom({ address: '::1', isOpen: true, onFailure }), /loopback/)
  assert.ok(new DevRoom({ address: '0.0.0.0', isOpen: true, onFailure }))
})

test("a room's token is good for its room and its time, with its key", async () => {
  const key = { name: 'k', secret: 'a secret of thirty-two characters' }
  const token = await mintRoomToken(key, { room: 'r', participant: 'p' }, 60, systemClock)
  assert.deepEqual(await readRoomToken(key, token, systemClock), { room: 'r', participant: 'p' })
  const later = { now: () => systemClock.now() + 61_000_000n }
  for (const [other, clock] of [
    [{ ...key, secret: `${key.secret}.` }, systemClock],
    [{ ...key, name: 'j' }, systemClock],
    [key, later],
  ] as const) {
    await assert.rejects(readRoomToken(other, token, clock), /ERR_TOKEN_INVALID|does not let/)
  }
})

test('a caller in a room is heard, answered and interrupted; the tables say what they heard', { skip: missing }, async () => {
  const { RoomCaller } = await import('./room-caller.ts')
  await using provider = await ScriptedProvider.start()
  provider.heard = ['tell me']
  const answer = 'This is a long answer that goes on and on, and nobody has to listen to the end of it.'
  provider.answer = () => [answer]
  provider.toneMs = (text) => (text.startsWith('This') ? 6_000 : 300)
  {
    await using fixture = await MediaFixture.start({ voice: profilesAt(provider.url) })
    const voice = new Int16Array(new Uint8Array(tone(500)).buffer)
    const caller = await RoomCaller.join(await fixture.open('sarah', 'room'))
    await caller.answer(0)
    await caller.listening()
    const speaking = caller.until((message) => message.type === 'state' && message.state === 'speaking')
    await caller.play(voice)
    await speaking
    while (caller.frames.filter(({ energy }) => energy > 1_000).length < 60) await caller.nextFrame()
    void caller.play(voice)
    const interrupted = await caller.until((message) => message.type === 'agent' && message.isDone && message.isInterrupted === true)
    assert.ok(interrupted.type === 'agent' && interrupted.heard !== undefined)
    assert.ok(answer.startsWith(interrupted.heard) && interrupted.heard !== '' && interrupted.heard.length < answer.length, interrupted.heard)
    const ended = caller.until((message) => message.type === 'ended')
    await caller.tell({ type: 'hang_up' })
    await ended
    await caller.leave()
    const [row] = await fixture.sql('sarah', 'select content, intended from turns where intended is not null')
    assert.deepEqual(row, [interrupted.heard, answer])
    assert.deepEqual(await fixture.host.sessions.counts(), { sessions: 0, rooms: 0, participants: 0 })
  }
})
