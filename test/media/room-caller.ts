/** A person in a room: speaks with espeak-ng's voice, hears with a stream of samples, and reads the session's messages. */
import { setTimeout as pause } from 'node:timers/promises'

import { AudioFrame, AudioSource, AudioStream, LocalAudioTrack, Room, RoomEvent, TrackKind, TrackPublishOptions, TrackSource } from '@livekit/rtc-node'

import { espeak } from '../../examples/offline-voice/speech.ts'
import type { SessionPlace } from '../../host/api/ports.ts'
import type { SessionMessage } from '../../host/media/peer.ts'
import { energyOf } from '../../host/media/energy-vad.ts'
import { Inbox } from './inbox.ts'

export interface HeardFrame {
  readonly atMs: number
  readonly energy: number
  readonly samples: Int16Array
}

const rate = 24_000
const frameSamples = rate / 50
/** An agent's voice is far above it, and the noise of a codec below. */
export const audible = 150

export class RoomCaller {
  readonly frames: HeardFrame[] = []
  readonly room = new Room()
  readonly #source = new AudioSource(rate, 1, 200)
  readonly #inbox = new Inbox<SessionMessage>()
  #awaited: number | undefined
  #isClosed = false
  #nextFrame: (() => void)[] = []

  static async join(place: Pick<SessionPlace, 'url' | 'token'>): Promise<RoomCaller> {
    const caller = new RoomCaller()
    await caller.#join(place)
    return caller
  }

  get messages(): readonly SessionMessage[] {
    return this.#inbox.messages
  }

  /** Speaks in real time; resolves when the last word is said. */
  async say(text: string): Promise<void> {
    await this.play(await espeak(text, rate))
  }

  async play(samples: Int16Array): Promise<void> {
    for (let start = 0; start < samples.length && !this.#isClosed; start += frameSamples) {
      const frame = new Int16Array(frameSamples)
      frame.set(samples.subarray(start, start + frameSamples))
      await this.#source.captureFrame(new AudioFrame(frame, rate, 1, frameSamples))
    }
    while (this.#source.queuedDuration > 0) await pause(this.#source.queuedDuration)
  }

  tell(message: unknown): Promise<void> {
    const bytes = Buffer.from(typeof message === 'string' ? message : JSON.stringify(message))
    return this.room.localParticipant?.publishData(bytes, { reliable: true, topic: 'remembrancer' }) ?? Promise.resolve()
  }

  /** The first message from now on, or of all that came, that is it. */
  until(...expected: Parameters<Inbox<SessionMessage>['until']>): Promise<SessionMessage> {
    return this.#inbox.until(...expected)
  }

  /** The session listens: now, or when it does next. */
  async listening(): Promise<void> {
    const last = this.messages.findLast((message) => message.type === 'state')
    if (last?.type === 'state' && last.state === 'listening') return
    await this.until((message) => message.type === 'state' && message.state === 'listening')
  }

  /** What the agent said in a turn, once it has finished. */
  async answer(turn: number): Promise<Extract<SessionMessage, { type: 'agent' }>> {
    const message = await this.until((one) => one.type === 'agent' && one.turn === turn && one.isDone, { fromStart: true })
    if (message.type !== 'agent') throw new Error('it is one')
    return message
  }

  /** Resolves when the next sound has come. */
  nextFrame(): Promise<void> {
    return new Promise((resolve) => this.#nextFrame.push(resolve))
  }

  /** Samples at 16 kHz that were heard since a moment. */
  heardSince(atMs: number): Int16Array {
    const frames = this.frames.filter((frame) => frame.atMs >= atMs)
    const all = new Int16Array(frames.reduce((sum, { samples }) => sum + samples.length, 0))
    let place = 0
    for (const { samples } of frames) {
      all.set(samples, place)
      place += samples.length
    }
    return all
  }

  async leave(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.room.disconnect()
    await this.#source.close()
  }

  async #join({ url, token }: Pick<SessionPlace, 'url' | 'token'>): Promise<void> {
    this.room.on(RoomEvent.DataReceived, (bytes, _from, _kind, topic) => {
      if (topic === 'remembrancer') this.#receive(JSON.parse(Buffer.from(bytes).toString('utf8')) as SessionMessage)
    })
    this.room.on(RoomEvent.TrackSubscribed, (track) => {
      if (track.kind !== TrackKind.KIND_AUDIO) return
      void this.#listen(new AudioStream(track, { sampleRate: 16_000, numChannels: 1, frameSizeMs: 20 }))
      void this.tell({ type: 'ready' })
    })
    await this.room.connect(url, token, { autoSubscribe: true, dynacast: false })
    const options = new TrackPublishOptions()
    options.source = TrackSource.SOURCE_MICROPHONE
    await this.room.localParticipant?.publishTrack(LocalAudioTrack.createAudioTrack('caller', this.#source), options)
  }

  async #listen(stream: AudioStream): Promise<void> {
    for await (const { data } of stream) {
      const energy = energyOf(data)
      this.frames.push({ atMs: performance.now(), energy, samples: data.slice() })
      for (const resolve of this.#nextFrame.splice(0)) resolve()
      if (energy > audible && this.#awaited !== undefined) {
        void this.tell({ type: 'hearing', turn: this.#awaited })
        this.#awaited = undefined
      }
    }
  }

  #receive(message: SessionMessage): void {
    if (message.type === 'caller') this.#awaited = message.turn
    this.#inbox.receive(message)
  }
}
