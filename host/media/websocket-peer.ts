/**
 * A caller on a WebSocket of the host's own (docs/voice.md): binary messages are PCM, 16 kHz from the caller
 * and 24 kHz to them, 16 bits, mono, little-endian; text messages are JSON. The client plays what it gets as it
 * comes: the host sends in real time, so that it knows what was heard.
 */
import type { WebSocket } from 'ws'

import * as limits from '../limits.ts'
import { outputRate, parsePeerMessage } from './peer.ts'
import type { Peer, PeerEvents, SessionMessage } from './peer.ts'

export class WebSocketPeer implements Peer {
  readonly hasAudio: boolean
  readonly #socket: WebSocket
  /** When what was sent will have been played, as `performance.now()` counts. */
  #playoutEndMs = 0
  #sentMs = 0
  #droppedMs = 0

  constructor(socket: WebSocket, hasAudio: boolean, events: PeerEvents) {
    this.#socket = socket
    this.hasAudio = hasAudio
    socket.on('message', (bytes: Buffer, isBinary) => {
      if (isBinary) return bytes.length <= limits.peerAudioBytesMax && hasAudio ? events.audio(samplesOf(bytes)) : undefined
      const message = parsePeerMessage(bytes)
      if (message !== undefined) events.message(message)
    })
    socket.on('close', () => events.left('gone'))
    socket.on('error', () => socket.terminate())
  }

  get playedMs(): number {
    return this.#sentMs - this.#droppedMs - this.#queuedMs
  }

  async play(samples: Int16Array): Promise<void> {
    const lengthMs = (samples.length / outputRate) * 1_000
    this.#playoutEndMs = Math.max(this.#playoutEndMs, performance.now()) + lengthMs
    this.#sentMs += lengthMs
    if (this.#isOpen) this.#socket.send(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength))
    await pauseFor(this.#queuedMs - limits.playoutQueueMs)
  }

  async drained(): Promise<void> {
    await pauseFor(this.#queuedMs)
  }

  /** The client is told to throw away what it has. */
  clear(): void {
    this.#droppedMs += this.#queuedMs
    this.#playoutEndMs = 0
    if (this.#isOpen) this.#socket.send(JSON.stringify({ type: 'clear' }))
  }

  send(message: SessionMessage): void {
    if (!this.#isOpen) return
    // A caller who reads nothing is not waited for.
    if (this.#socket.bufferedAmount > limits.peerUnreadBytesMax) return this.#socket.terminate()
    this.#socket.send(JSON.stringify(message))
  }

  async close(): Promise<void> {
    this.#socket.close(1_000)
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  get #queuedMs(): number {
    return Math.max(0, this.#playoutEndMs - performance.now())
  }
}

function pauseFor(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms))
}

function samplesOf(bytes: Buffer): Int16Array {
  return new Int16Array(new Uint8Array(bytes.subarray(0, bytes.length & ~1)).buffer)
}
