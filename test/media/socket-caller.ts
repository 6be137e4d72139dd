/** A caller on the host's own socket: 16 kHz out, 24 kHz in, JSON beside. */
import { setTimeout as pause } from 'node:timers/promises'

import { WebSocket } from 'ws'

import { resample } from '../../examples/offline-voice/speech.ts'
import type { SessionPlace } from '../../host/api/ports.ts'
import { Inbox } from './inbox.ts'

export interface SocketMessage {
  readonly type: string
  readonly state?: string
  readonly turn?: number
  readonly text?: string
  readonly heard?: string
  readonly isDone?: boolean
  readonly isInterrupted?: boolean
  readonly reason?: string
}

export class SocketCaller {
  audioBytes = 0
  readonly #socket: WebSocket
  readonly #inbox = new Inbox<SocketMessage>()

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (bytes: Buffer, isBinary) => {
      if (isBinary) this.audioBytes += bytes.length
      else this.#inbox.receive(JSON.parse(bytes.toString('utf8')) as SocketMessage)
    })
  }

  get messages(): readonly SocketMessage[] {
    return this.#inbox.messages
  }

  static async join(hostUrl: string, place: Pick<SessionPlace, 'url'>): Promise<SocketCaller> {
    const socket = new WebSocket(`${hostUrl.replace(/^http/, 'ws')}${place.url}`)
    const caller = new SocketCaller(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    return caller
  }

  say(text: string): void {
    this.send({ type: 'say', text })
  }

  send(message: unknown): void {
    this.#socket.send(JSON.stringify(message))
  }

  /** Samples at 24 kHz in real time, and the silence after them. */
  async speak(samples: Int16Array): Promise<void> {
    const wire = resample(samples, 24_000, 16_000)
    const all = new Int16Array(wire.length + 16_000)
    all.set(wire)
    for (let start = 0; start < all.length; start += 320) {
      this.#socket.send(Buffer.from(new Uint8Array(all.slice(start, start + 320).buffer)))
      await pause(20)
    }
  }

  /** The first message that is it, of those that came and those to come. */
  until(isIt: (message: SocketMessage) => boolean, timeMs = 20_000): Promise<SocketMessage> {
    return this.#inbox.until(isIt, { fromStart: true, timeMs })
  }

  /** What the agent said in a turn, once it is done. */
  answer(turn: number): Promise<SocketMessage> {
    return this.until((message) => message.type === 'agent' && message.turn === turn && message.isDone === true)
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return
    const closed = new Promise((resolve) => this.#socket.once('close', resolve))
    this.#socket.close()
    await closed
  }
}
