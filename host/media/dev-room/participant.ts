/** One participant of a dev room: LiveKit's signalling (protocol v0) on a WebSocket, and its media connection. */
import { randomBytes } from 'node:crypto'

import {
  DataPacket,
  JoinResponse,
  LeaveRequest,
  LeaveRequest_Action,
  ParticipantInfo,
  ParticipantInfo_State,
  ParticipantPermission,
  ParticipantUpdate,
  Pong,
  Room as RoomInfo,
  ServerInfo,
  SessionDescription,
  SignalRequest,
  SignalResponse,
  TrackInfo,
  TrackPublishedResponse,
  TrackSource,
  TrackSubscribed,
  TrackType,
} from '@livekit/protocol'
import type { AddTrackRequest, DisconnectReason } from '@livekit/protocol'
import type { WebSocket } from 'ws'

import * as limits from '../../limits.ts'
import { Connection } from './connection.ts'
import type { Channel, RtpSource } from './connection.ts'

export interface PublishedTrack {
  readonly info: TrackInfo
  readonly source: RtpSource
}

/** What a participant tells its room. */
export interface ParticipantEvents {
  changed(participant: Participant): void
  published(participant: Participant, track: PublishedTrack): void
  data(participant: Participant, channel: Channel, packet: DataPacket): void
  left(participant: Participant): void
  /** For whoever looks after the host: the participant is closed after it. */
  failed(participant: Participant, error: unknown): void
}

export class Participant {
  readonly identity: string
  readonly id = `PA_${randomBytes(6).toString('hex')}`
  readonly tracks = new Map<string, PublishedTrack>()
  readonly #socket: WebSocket
  readonly #events: ParticipantEvents
  readonly #connection: Connection
  /** Announced, and not yet there. */
  readonly #announced: TrackInfo[] = []
  /** Sources of tracks that came before their announcement. */
  readonly #early: RtpSource[] = []
  readonly #sent = new Map<string, () => void>()
  #work: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(identity: string, address: string, socket: WebSocket, events: ParticipantEvents) {
    this.identity = identity
    this.#socket = socket
    this.#events = events
    this.#connection = new Connection(address, {
      signal: ({ kind, sdp, id }) => this.#send({ case: kind, value: new SessionDescription({ type: kind, sdp, id }) }),
      track: (source) => {
        this.#early.push(source)
        this.#match()
      },
      data: (channel, bytes) => this.#receiveData(channel, bytes),
    })
    socket.on('message', (bytes: Buffer, isBinary) => {
      if (isBinary) this.#enqueue(() => this.#receive(SignalRequest.fromBinary(bytes)))
      else this.#fail(new Error('signalling is binary'))
    })
    socket.on('close', () => this.close())
    socket.on('error', () => this.close())
  }

  get info(): ParticipantInfo {
    return new ParticipantInfo({
      sid: this.id,
      identity: this.identity,
      state: this.#isClosed ? ParticipantInfo_State.DISCONNECTED : ParticipantInfo_State.ACTIVE,
      tracks: [...this.tracks.values()].map(({ info }) => info),
      permission: new ParticipantPermission({ canSubscribe: true, canPublish: true, canPublishData: true }),
      isPublisher: true,
    })
  }

  join(room: { readonly id: string; readonly name: string }, others: readonly Participant[]): void {
    const join = new JoinResponse({
      room: new RoomInfo({ sid: room.id, name: room.name }),
      participant: this.info,
      otherParticipants: others.map(({ info }) => info),
      serverVersion: '1.8.0',
      serverInfo: new ServerInfo({ version: '1.8.0', protocol: 15 }),
      subscriberPrimary: true,
      pingInterval: limits.roomPingSeconds,
      pingTimeout: limits.roomPingTimeoutSeconds,
    })
    this.#send({ case: 'join', value: join })
    this.#enqueue(() => this.#connection.offer())
  }

  update(participants: readonly Participant[]): void {
    this.#send({ case: 'update', value: new ParticipantUpdate({ participants: participants.map(({ info }) => info) }) })
  }

  /** The client hears `track` of `owner` from now on. */
  subscribe(owner: Participant, { info, source }: PublishedTrack): void {
    this.#enqueue(async () => {
      const stop = await this.#connection.send(source, { trackId: info.sid, participantId: owner.id })
      if (this.#isClosed) return stop()
      this.#sent.set(info.sid, stop)
      owner.#send({ case: 'trackSubscribed', value: new TrackSubscribed({ trackSid: info.sid }) })
    })
  }

  unsubscribe(trackId: string): void {
    this.#sent.get(trackId)?.()
    this.#sent.delete(trackId)
  }

  data(channel: Channel, bytes: Buffer): void {
    this.#connection.data(channel, bytes)
  }

  /** Ends it with a word to the client, as when another one comes under its name. */
  dismiss(reason: DisconnectReason): void {
    this.#send({ case: 'leave', value: new LeaveRequest({ reason, action: LeaveRequest_Action.DISCONNECT }) })
    this.close()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket.close()
    void this.#connection.close()
    for (const stop of this.#sent.values()) stop()
    this.#sent.clear()
    this.#events.left(this)
  }

  async #receive({ message }: SignalRequest): Promise<void> {
    switch (message.case) {
      case 'offer':
        return this.#connection.publish(message.value.sdp, message.value.id)
      case 'answer':
        return this.#connection.answered(message.value.sdp)
      case 'trickle':
        return this.#connection.candidate(message.value.target, JSON.parse(message.value.candidateInit))
      case 'addTrack':
        return this.#announce(message.value)
      case 'ping':
        return this.#send({ case: 'pong', value: message.value })
      case 'pingReq':
        return this.#send({ case: 'pongResp', value: new Pong({ lastPingTimestamp: message.value.timestamp, timestamp: message.value.timestamp }) })
      case 'leave':
        return this.close()
      default:
      // Of what else LiveKit's clients say nothing matters to a room of two with one voice each.
    }
  }

  #announce({ cid, name, type, source }: AddTrackRequest): void {
    if (type !== TrackType.AUDIO) throw new Error('a dev room carries audio only')
    if (this.tracks.size + this.#announced.length >= limits.roomTracksMax) throw new Error('too many tracks')
    const info = new TrackInfo({
      sid: `TR_${randomBytes(6).toString('hex')}`,
      type,
      name: name.slice(0, 100),
      source: source === TrackSource.UNKNOWN ? TrackSource.MICROPHONE : source,
      mimeType: 'audio/opus',
    })
    this.#send({ case: 'trackPublished', value: new TrackPublishedResponse({ cid, track: info }) })
    this.#announced.push(info)
    this.#match()
  }

  /** Tracks arrive in the order in which they were announced. */
  #match(): void {
    while (this.#announced.length > 0 && this.#early.length > 0) {
      const info = this.#announced.shift()
      const source = this.#early.shift()
      if (info === undefined || source === undefined) return
      const track = { info, source }
      this.tracks.set(info.sid, track)
      this.#events.changed(this)
      this.#events.published(this, track)
    }
  }

  #receiveData(channel: Channel, bytes: Buffer): void {
    if (bytes.length > limits.roomPacketBytesMax) return this.#fail(new Error('a data packet is too large'))
    this.#guard(() => this.#events.data(this, channel, DataPacket.fromBinary(bytes)))
  }

  /** One signal after the other: each changes what the next one meets. */
  #enqueue(work: () => void | Promise<void>): void {
    this.#work = this.#after(this.#work, work)
  }

  async #after(before: Promise<void>, work: () => void | Promise<void>): Promise<void> {
    await before
    if (this.#isClosed) return
    try {
      await work()
    } catch (error) {
      this.#fail(error)
    }
  }

  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return
    this.#events.failed(this, error)
    this.close()
  }

  #send(message: SignalResponse['message']): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(new SignalResponse({ message }).toBinary())
  }
}
