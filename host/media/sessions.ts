/**
 * All sessions of a host: opened for a caller whom the API has verified, on a room or on a socket, and closed
 * with everything that belongs to them. The identity of a caller is settled here and nowhere later: a room's
 * token or a socket's ticket leads back to the session, and what its bearer says about itself is never asked.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

import { WebSocketServer } from 'ws'

import { mintRoomToken } from '../auth/room-token.ts'
import type { Clock } from '../clock.ts'
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import type { CallerHead } from '../protocol/shard-protocol.ts'
import { DevRoom } from './dev-room/dev-room.ts'
import type { RoomPlace } from './dev-room/dev-room.ts'
import { isRtcInstalled, LiveKitPeer, loadRtc, unloadRtc } from './livekit-peer.ts'
import type { Disclosures, MediaLogger, SessionCalls } from './ports.ts'
import { missingForVoice } from './provider/profile.ts'
import type { VoiceConfig } from './provider/profile.ts'
import { Providers } from './provider/providers.ts'
import { Session } from './session.ts'
import { SessionBook } from './session-book.ts'
import { findAgent, SessionMemory } from './session-memory.ts'
import { WebSocketPeer } from './websocket-peer.ts'

export const TRANSPORTS = ['room', 'websocket'] as const
export type Transport = (typeof TRANSPORTS)[number]

export interface SessionsOptions {
  readonly data: string
  readonly calls: SessionCalls
  readonly config: VoiceConfig
  readonly disclosures: Disclosures
  readonly clock: Clock
  readonly logger: MediaLogger
}

export interface SessionRequest {
  readonly database: string
  readonly agent: string
  readonly caller: CallerHead
  readonly transport: Transport
}

/** What a client needs to come: a room's URL and token, or the path of a socket. */
export interface SessionPlace {
  readonly session: string
  readonly transport: Transport
  readonly url: string
  readonly token: string
  /** Whether words are spoken; otherwise they are typed and read. */
  readonly hasVoice: boolean
}

export interface AgentEntry {
  readonly agent: string
  readonly tools: readonly string[]
  /** What can be talked over now. */
  readonly transports: readonly Transport[]
  readonly hasVoice: boolean
  /** What to set for a voice, in words; null when there is one. */
  readonly note: string | null
}

interface Ticket {
  readonly session: Session
  readonly hasVoice: boolean
  readonly expiry: NodeJS.Timeout
}

export class Sessions {
  readonly #options: SessionsOptions
  readonly #providers: Providers
  readonly #book: SessionBook
  readonly #devRoom: DevRoom
  readonly #sessions = new Map<string, { readonly session: Session; readonly caller: string }>()
  readonly #tickets = new Map<string, Ticket>()
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: limits.peerAudioBytesMax })
  #isClosed = false

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#providers = new Providers(options.config)
    this.#book = new SessionBook(options.data)
    this.#devRoom = new DevRoom({ onFailure: (message) => options.logger.error('dev room', { message }) })
  }

  /** Ends in their databases the sessions that a killed host has left open. Resolves when that is done. */
  async closeLeft(): Promise<void> {
    for (const { session, database, agent, caller } of await this.#book.left()) {
      if (this.#isClosed) return
      const memory = this.#memory({ database, agent, caller }, session)
      await memory.write('session_ended', { reason: 'host_lost' }, 'end')
      if (!memory.isLost) await this.#book.end(session)
    }
  }

  /** @throws HostError ERR_MODULE_MISSING */
  async agents(database: string): Promise<readonly AgentEntry[]> {
    const { agents } = await this.#options.calls.module(database)
    const missing = this.#missingForVoice(database)
    const transports = missing === undefined ? TRANSPORTS : (['websocket'] as const)
    return agents.map(({ name, tools }) => ({
      agent: name,
      tools: tools.map((tool) => tool.name),
      transports,
      hasVoice: missing === undefined,
      note: missing ?? null,
    }))
  }

  /**
   * A place for one caller, for as long as the limits say.
   *
   * @throws HostError ERR_AGENT_UNKNOWN, ERR_SESSION_LIMIT, ERR_VOICE_MISSING for a room without a voice.
   */
  async open(request: SessionRequest): Promise<SessionPlace> {
    const { database, agent, transport } = request
    findAgent(await this.#options.calls.module(database), agent)
    // Nothing is awaited from here to the session's place among those that a stop ends.
    if (this.#isClosed) throw new HostError('ERR_HOST_CLOSED', 'the host is stopping')
    const missing = this.#missingForVoice(database)
    if (transport === 'room' && missing !== undefined) throw new HostError('ERR_VOICE_MISSING', missing)
    const caller = this.#takePlace(request)
    const id = randomUUID()
    const session = this.#session(id, request, missing)
    this.#sessions.set(id, { session, caller })
    try {
      await this.#book.begin({ session: id, database, agent, caller: callerOf(request) })
      session.ended.then(() => this.#forget(id, session)).catch((error: unknown) => this.#logFailure(id, database, 'book', error))
      return transport === 'room' ? await this.#openRoom(id, session) : this.#openSocket(id, session, missing === undefined)
    } catch (error) {
      await session.end('room_lost')
      await this.#forget(id, session)
      throw error
    }
  }

  /** A socket of a caller with a ticket; false without one. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const key = /^\/v1\/sessions\/([A-Za-z0-9_-]{43})$/.exec(request.url ?? '')?.[1]
    const ticket = key === undefined ? undefined : this.#tickets.get(key)
    if (key === undefined || ticket === undefined) return false
    this.#tickets.delete(key)
    clearTimeout(ticket.expiry)
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { session, hasVoice } = ticket
      session.attach(new WebSocketPeer(webSocket, hasVoice, session.peerEvents))
      // A client that only listens is greeted too.
      session.peerEvents.ready()
    })
    return true
  }

  /**
   * What the first room needs is loaded before it: the native library takes a second of the main thread, which
   * must not stall once there are sessions. A failure is told to whoever opens one.
   */
  async warmUp(): Promise<void> {
    const hasVoice = Object.keys(this.#options.config.profiles).some(
      (name) => missingForVoice({ name, profile: this.#options.config.profiles[name] ?? {} }) === undefined,
    )
    if (!hasVoice || !isRtcInstalled()) return
    await loadRtc()
    if (this.#options.config.livekit === undefined) await this.#devRoom.place()
  }

  /** How many go on, and what the dev room has of them. */
  async counts(): Promise<{ readonly sessions: number; readonly rooms: number; readonly participants: number }> {
    return { sessions: this.#sessions.size, ...(await this.#devRoom.counts()) }
  }

  /** Ends every session in order, and whatever carried them. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.all([...this.#sessions.values()].map(({ session }) => session.end('host_stopped')))
    for (const { expiry } of this.#tickets.values()) clearTimeout(expiry)
    this.#sockets.close()
    await this.#devRoom.close()
    await this.#providers.close()
    await unloadRtc()
  }

  #session(id: string, request: SessionRequest, note: string | undefined): Session {
    const { database, agent, transport } = request
    const { disclosures, clock } = this.#options
    const providers = this.#providers.of(database)
    return new Session({
      id,
      database,
      agent,
      transport,
      memory: this.#memory({ database, agent, caller: callerOf(request) }, id),
      providers,
      disclosures,
      clock,
      note,
      onFailure: (what, error) => this.#logFailure(id, database, what, error),
    })
  }

  #memory(
    { database, agent, caller }: { readonly database: string; readonly agent: string; readonly caller: Omit<CallerHead, 'actor'> },
    session: string,
  ): SessionMemory {
    const { calls } = this.#options
    return new SessionMemory({
      calls,
      database,
      agent,
      session,
      caller,
      onFailure: (event, error) => this.#logFailure(session, database, event, error),
    })
  }

  #logFailure(session: string, database: string, what: string, error: unknown): void {
    this.#options.logger.error('session', { session, database, what, message: error instanceof Error ? error.message : String(error) })
  }

  /** A room of its own for each session, with two tokens: the agent's, and the caller's. */
  async #openRoom(id: string, session: Session): Promise<SessionPlace> {
    await loadRtc()
    const { url, key } = await this.#roomPlace()
    const { clock } = this.#options
    const participant = `caller-${randomBytes(9).toString('base64url')}`
    const ttlSeconds = limits.sessionTimeMsMax / 1_000
    const token = await mintRoomToken(key, { room: id, participant: 'agent' }, ttlSeconds, clock)
    session.attach(await LiveKitPeer.join({ url, token, participant, events: session.peerEvents }))
    return { session: id, transport: 'room', url, token: await mintRoomToken(key, { room: id, participant }, ttlSeconds, clock), hasVoice: true }
  }

  async #roomPlace(): Promise<RoomPlace> {
    const { livekit } = this.#options.config
    if (livekit === undefined) return this.#devRoom.place()
    const secret = process.env[livekit.secretEnv]
    if (secret === undefined)
      throw new HostError('ERR_VOICE_MISSING', `the environment has no ${livekit.secretEnv}, which is to hold the secret of ${livekit.url}`)
    return { url: livekit.url, key: { name: livekit.key, secret } }
  }

  #openSocket(id: string, session: Session, hasVoice: boolean): SessionPlace {
    const key = randomBytes(32).toString('base64url')
    const expiry = setTimeout(() => {
      this.#tickets.delete(key)
      void session.end('never_came')
    }, limits.sessionTicketTimeMsMax)
    this.#tickets.set(key, { session, hasVoice, expiry })
    void session.ended.then(() => this.#tickets.delete(key)).then(() => clearTimeout(expiry))
    return { session: id, transport: 'websocket', url: `/v1/sessions/${key}`, token: '', hasVoice }
  }

  #takePlace({ database, caller: { sender } }: SessionRequest): string {
    const caller = JSON.stringify([database, sender.issuer, sender.subject])
    const own = [...this.#sessions.values()].filter((one) => one.caller === caller).length
    if (this.#sessions.size >= limits.sessionsMax || own >= limits.sessionsPerCallerMax) {
      throw new HostError(
        'ERR_SESSION_LIMIT',
        `${own >= limits.sessionsPerCallerMax ? own : this.#sessions.size} sessions go on: end one, or try again in a while`,
      )
    }
    return caller
  }

  async #forget(id: string, session: Session): Promise<void> {
    if (this.#sessions.get(id)?.session !== session) return
    this.#sessions.delete(id)
    // What its database was not told, the next host tells it.
    if (!session.isUnrecorded) await this.#book.end(id)
  }

  #missingForVoice(database: string): string | undefined {
    const missing = missingForVoice(this.#providers.profile(database))
    if (missing !== undefined) return missing
    return isRtcInstalled() ? undefined : 'a voice in a room takes @livekit/rtc-node: npm install @livekit/rtc-node@1.1.0'
  }
}

/** A session has an actor of its own: whoever opened it for the caller does not act in it. */
function callerOf({ caller: { actor: _actor, ...caller }, transport }: SessionRequest): Omit<CallerHead, 'actor'> {
  return { ...caller, channel: transport }
}
