/**
 * Rooms on one loopback port, spoken to as one speaks to a LiveKit server: `/rtc` is signalling, `/rtc/v1`
 * answers 404 so that newer clients fall back to it. Everything runs in a worker thread (room-worker.ts).
 */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { isIPv4 } from 'node:net'
import type { Duplex } from 'node:stream'

import { DisconnectReason } from '@livekit/protocol'
import type { DataPacket } from '@livekit/protocol'
import { WebSocketServer } from 'ws'

import { readRoomToken } from '../../auth/room-token.ts'
import type { RoomGrant, RoomKey } from '../../auth/room-token.ts'
import type { Clock } from '../../clock.ts'
import { assert } from '../../errors.ts'
import * as limits from '../../limits.ts'
import type { Channel } from './connection.ts'
import { Participant } from './participant.ts'
import type { ParticipantEvents } from './participant.ts'

export interface RoomServerOptions {
  /** An IPv4 address; another than loopback was allowed by whoever starts the server. */
  readonly address: string
  readonly key: RoomKey
  readonly clock: Clock
  readonly onFailure: (message: string) => void
}

class Room {
  readonly id = `RM_${randomBytes(6).toString('hex')}`
  readonly name: string
  readonly participants = new Map<string, Participant>()

  constructor(name: string) {
    this.name = name
  }

  others(participant: Participant): Participant[] {
    return [...this.participants.values()].filter((one) => one !== participant)
  }
}

export class RoomServer {
  readonly #options: RoomServerOptions
  readonly #rooms = new Map<string, Room>()
  readonly #server: Server
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: limits.roomSignalBytesMax })

  constructor(options: RoomServerOptions) {
    assert(isIPv4(options.address), 'media is bound to one IPv4 address')
    this.#options = options
    this.#server = createServer(answer)
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head))
  }

  /** Resolves with the port. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, this.#options.address, resolve)
    })
    const address = this.#server.address()
    assert(typeof address === 'object' && address !== null, 'a TCP server has an address')
    return address.port
  }

  /** Of rooms, participants and tracks, for whoever looks whether all is closed. */
  get counts(): { readonly rooms: number; readonly participants: number } {
    const rooms = [...this.#rooms.values()]
    return { rooms: rooms.length, participants: rooms.reduce((sum, { participants }) => sum + participants.size, 0) }
  }

  async close(): Promise<void> {
    for (const { participants } of this.#rooms.values()) {
      for (const participant of participants.values()) participant.dismiss(DisconnectReason.SERVER_SHUTDOWN)
    }
    this.#sockets.close()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    const url = new URL(request.url ?? '/', 'http://room')
    if (url.pathname !== '/rtc') return refuse(socket, 404, 'Not Found')
    try {
      const token = url.searchParams.get('access_token') ?? /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
      const grant = await readRoomToken(this.#options.key, token, this.#options.clock)
      if (!this.#hasPlace(grant)) return refuse(socket, 503, 'Full')
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        const participant = new Participant(grant.participant, this.#options.address, webSocket, this.#events(grant.room))
        this.#enter(grant, participant)
      })
    } catch {
      refuse(socket, 401, 'Unauthorized')
    }
  }

  #hasPlace({ room, participant }: RoomGrant): boolean {
    const known = this.#rooms.get(room)
    if (known === undefined) return this.#rooms.size < limits.roomsMax
    return known.participants.has(participant) || known.participants.size < limits.roomParticipantsMax
  }

  #enter({ room: name, participant: identity }: RoomGrant, participant: Participant): void {
    // A client that lost its way comes back under its name before the room has noticed that it went.
    this.#rooms.get(name)?.participants.get(identity)?.dismiss(DisconnectReason.DUPLICATE_IDENTITY)
    const room = this.#rooms.get(name) ?? new Room(name)
    this.#rooms.set(name, room)
    room.participants.set(identity, participant)
    const others = room.others(participant)
    participant.join(room, others)
    for (const other of others) {
      other.update([participant])
      for (const track of other.tracks.values()) participant.subscribe(other, track)
    }
  }

  #events(name: string): ParticipantEvents {
    const othersOf = (participant: Participant): Participant[] => this.#rooms.get(name)?.others(participant) ?? []
    return {
      changed: (participant) => {
        for (const other of othersOf(participant)) other.update([participant])
      },
      published: (participant, track) => {
        for (const other of othersOf(participant)) other.subscribe(participant, track)
      },
      data: (participant, channel, packet) => forward(participant, othersOf(participant), channel, packet),
      left: (participant) => this.#leave(name, participant),
      failed: (participant, error) => this.#options.onFailure(`a participant of a dev room was put out: ${String(error)} (${participant.id})`),
    }
  }

  #leave(name: string, participant: Participant): void {
    const room = this.#rooms.get(name)
    if (room?.participants.get(participant.identity) !== participant) return
    room.participants.delete(participant.identity)
    if (room.participants.size === 0) this.#rooms.delete(name)
    for (const other of room.participants.values()) {
      for (const trackId of participant.tracks.keys()) other.unsubscribe(trackId)
      other.update([participant])
    }
  }
}

/** Whose packet it is says the room, not the packet. */
function forward(from: Participant, others: readonly Participant[], channel: Channel, packet: DataPacket): void {
  packet.participantIdentity = from.identity
  packet.participantSid = from.id
  if (packet.value.case === 'user') {
    // The older places of the same fields; some clients read these.
    packet.value.value.participantIdentity = from.identity
    packet.value.value.participantSid = from.id
  }
  const bytes = Buffer.from(packet.toBinary())
  const wanted = new Set(packet.destinationIdentities)
  for (const other of others) if (wanted.size === 0 || wanted.has(other.identity)) other.data(channel, bytes)
}

/** A page of another origin may ask: who has no token gets nowhere. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const isKnown = request.url?.startsWith('/rtc/validate') === true
  response.writeHead(isKnown ? 200 : 404, { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*', 'content-type': 'text/plain' })
  response.end(isKnown ? 'success' : 'not found')
}

function refuse(socket: Duplex, status: number, text: string): void {
  socket.end(`HTTP/1.1 ${status} ${text}\r\nAccess-Control-Allow-Origin: *\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
