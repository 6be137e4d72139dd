/**
 * A caller in a LiveKit room, a dev room as well as any server's: the agent joins with @livekit/rtc-node and
 * hears one participant, the one whose token was made for this session. Others who are in the room, whatever
 * they call themselves, are neither heard nor read.
 *
 * rtc-node is optional and native: it is loaded with the first session that needs it.
 */
import { createRequire } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'

import type * as Rtc from '@livekit/rtc-node'

import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { inputRate, outputRate, parsePeerMessage } from './peer.ts'
import type { Peer, PeerEvents, SessionMessage } from './peer.ts'

export interface LiveKitPeerOptions {
  readonly url: string
  /** The agent's. */
  readonly token: string
  /** The caller's name in the room, which only this session's token gives. */
  readonly participant: string
  readonly events: PeerEvents
}

/** Of data packets, those of a session. */
const topic = 'remembrancer'

let loading: Promise<typeof Rtc> | undefined

/** @throws HostError ERR_VOICE_MISSING when it is not installed. */
export function loadRtc(): Promise<typeof Rtc> {
  loading ??= import('@livekit/rtc-node').catch((cause: unknown) => {
    loading = undefined
    throw rtcMissing(cause)
  })
  return loading
}

/** Whether it is installed, without loading it. */
export function isRtcInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('@livekit/rtc-node')
    return true
  } catch {
    return false
  }
}

/** Ends its threads: a process that has had sessions can end by itself. */
export async function unloadRtc(): Promise<void> {
  const rtc = await loading?.catch(() => undefined)
  await rtc?.dispose()
}

export class LiveKitPeer implements Peer {
  readonly hasAudio = true
  readonly #rtc: typeof Rtc
  readonly #room: Rtc.Room
  readonly #source: Rtc.AudioSource
  readonly #participant: string
  readonly #events: PeerEvents
  /** What the participant says is read here: rtc-node holds a stream until its reader gives it up. */
  readonly #readers = new Set<ReadableStreamDefaultReader<Rtc.AudioFrame>>()
  #track: Rtc.LocalAudioTrack | undefined
  #absent: NodeJS.Timeout | undefined
  #ready: NodeJS.Timeout | undefined
  #capturedMs = 0
  /** Given, and taken back before it was played. */
  #droppedMs = 0
  #isClosed = false
  #sending: Promise<unknown> = Promise.resolve()

  private constructor(rtc: typeof Rtc, { participant, events }: LiveKitPeerOptions) {
    this.#rtc = rtc
    this.#room = new rtc.Room()
    this.#source = new rtc.AudioSource(outputRate, 1, limits.playoutQueueMs)
    this.#participant = participant
    this.#events = events
  }

  /** @throws HostError ERR_VOICE_MISSING, ERR_PROVIDER when the room cannot be joined. */
  static async join(options: LiveKitPeerOptions): Promise<LiveKitPeer> {
    const rtc = await loadRtc()
    const peer = new LiveKitPeer(rtc, options)
    try {
      await peer.#join(options)
      return peer
    } catch (cause) {
      await peer.close()
      throw new HostError('ERR_PROVIDER', `the room at ${options.url} could not be joined: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      })
    }
  }

  get playedMs(): number {
    return Math.max(0, this.#capturedMs - this.#droppedMs - this.#queuedMs)
  }

  async play(samples: Int16Array): Promise<void> {
    if (this.#isClosed) return
    this.#capturedMs += (samples.length / outputRate) * 1_000
    // The native side throws for a source that was closed meanwhile.
    await this.#source.captureFrame(new this.#rtc.AudioFrame(samples, outputRate, 1, samples.length)).catch((error: unknown) => {
      if (!this.#isClosed) throw error
    })
  }

  /** By the clock: rtc-node's own promise is not kept when the queue is cleared in between. */
  async drained(): Promise<void> {
    while (!this.#isClosed && this.#queuedMs > 0) await pause(Math.max(this.#queuedMs, 5))
  }

  clear(): void {
    if (this.#isClosed) return
    this.#droppedMs += this.#queuedMs
    this.#source.clearQueue()
  }

  send(message: SessionMessage): void {
    if (this.#isClosed) return
    const bytes = Buffer.from(JSON.stringify(message))
    const options = { reliable: true, topic, destination_identities: [this.#participant] }
    // One after the other: packets that are published together may change places.
    this.#sending = this.#sending.then(() => this.#room.localParticipant?.publishData(bytes, options)).catch(() => undefined)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    // The last words of the session are on their way; to a participant who is gone they never arrive.
    await atMost(this.#sending)
    this.#isClosed = true
    clearTimeout(this.#absent)
    clearTimeout(this.#ready)
    this.#room.removeAllListeners()
    for (const reader of this.#readers) void reader.cancel().catch(() => undefined)
    await atMost(this.#room.disconnect())
    // A track closes its source.
    await atMost(this.#track?.close() ?? this.#source.close())
  }

  get #queuedMs(): number {
    return Math.max(0, this.#source.queuedDuration)
  }

  async #join({ url, token }: LiveKitPeerOptions): Promise<void> {
    const { RoomEvent, TrackKind, TrackSource, LocalAudioTrack, TrackPublishOptions } = this.#rtc
    this.#room.on(RoomEvent.TrackSubscribed, (track, _publication, { identity }) => {
      if (identity === this.#participant && track.kind === TrackKind.KIND_AUDIO) this.#hear(track)
    })
    this.#room.on(RoomEvent.DataReceived, (bytes, from, _kind, packetTopic) => {
      if (from?.identity !== this.#participant || packetTopic !== topic) return
      const message = parsePeerMessage(bytes)
      if (message !== undefined) this.#message(message)
    })
    this.#room.on(RoomEvent.ParticipantConnected, ({ identity }) => identity === this.#participant && this.#came())
    this.#room.on(RoomEvent.ParticipantDisconnected, ({ identity }) => identity === this.#participant && this.#went())
    this.#room.on(RoomEvent.Disconnected, () => this.#events.left('room_lost'))
    await this.#room.connect(url, token, { autoSubscribe: true, dynacast: false })
    // Published at once: the connection for it is made on first use, and the first words would wait for it.
    const options = new TrackPublishOptions()
    options.source = TrackSource.SOURCE_MICROPHONE
    this.#track = LocalAudioTrack.createAudioTrack('agent', this.#source)
    await this.#room.localParticipant?.publishTrack(this.#track, options)
    if (this.#room.remoteParticipants.has(this.#participant)) this.#came()
    else this.#absent = setTimeout(() => this.#events.left('never_came'), limits.peerComesTimeMsMax)
  }

  #message(message: Parameters<PeerEvents['message']>[0]): void {
    if (message.type === 'ready') clearTimeout(this.#ready)
    this.#events.message(message)
  }

  /** A client that does not say that it hears is spoken to all the same. */
  #came(): void {
    clearTimeout(this.#absent)
    this.#ready = setTimeout(() => this.#events.ready(), limits.peerReadyTimeMsMax)
  }

  /** A line that was cut may come back. */
  #went(): void {
    clearTimeout(this.#ready)
    this.clear()
    this.#absent = setTimeout(() => this.#events.left('gone'), limits.peerReturnsTimeMsMax)
  }

  #hear(track: Rtc.RemoteTrack): void {
    // Whoever cannot be heard any more has no session.
    this.#listen(track).catch(() => this.#events.left('room_lost'))
  }

  async #listen(track: Rtc.RemoteTrack): Promise<void> {
    const reader = new this.#rtc.AudioStream(track, { sampleRate: inputRate, numChannels: 1, frameSizeMs: 20 }).getReader()
    this.#readers.add(reader)
    try {
      for (let frame = await reader.read(); !frame.done && !this.#isClosed; frame = await reader.read()) this.#events.audio(frame.value.data)
    } catch (error) {
      if (!this.#isClosed) throw error
    } finally {
      this.#readers.delete(reader)
      await reader.cancel().catch(() => undefined)
    }
  }
}

/** The native side answers nearly always; a session that has ended does not wait for the rest. */
async function atMost(work: Promise<unknown>): Promise<void> {
  await Promise.race([work.catch(() => undefined), pause(limits.peerCloseTimeMsMax, undefined, { ref: false })])
}

function rtcMissing(cause: unknown): HostError {
  return new HostError('ERR_VOICE_MISSING', 'a voice in a room takes @livekit/rtc-node, which is not installed here: npm install @livekit/rtc-node@1.1.0', {
    cause,
  })
}
