/**
 * The dev room as the host has it: a LiveKit-compatible server of its own on loopback, started with the first
 * session that wants it, so that a newcomer talks to an agent without keys and without another server.
 */
import { randomBytes } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { extname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

import type { RoomKey } from '../../auth/room-token.ts'
import { HostError } from '../../errors.ts'
import * as limits from '../../limits.ts'
import type { RoomNews, RoomRequest, RoomWorkerData } from './room-worker.ts'

export interface DevRoomOptions {
  /** An IPv4 address; loopback when left out. */
  readonly address?: string
  /** Without it no address is taken but loopback: the room has no TLS and is for one's own machine. */
  readonly isOpen?: boolean
  readonly onFailure: (message: string) => void
}

export interface RoomPlace {
  readonly url: string
  readonly key: RoomKey
}

export class DevRoom {
  readonly #options: DevRoomOptions
  readonly #address: string
  readonly #key: RoomKey = { name: 'dev-room', secret: randomBytes(32).toString('hex') }
  #running: Promise<{ readonly worker: Worker; readonly place: RoomPlace }> | undefined

  /** @throws HostError ERR_USAGE */
  constructor(options: DevRoomOptions) {
    const { address = '127.0.0.1', isOpen = false } = options
    if (!isIPv4(address) || (!address.startsWith('127.') && !isOpen)) {
      throw new HostError('ERR_USAGE', `the dev room listens on loopback, not on ${address}: it has no TLS. Use a LiveKit server, or open it on purpose`)
    }
    this.#options = options
    this.#address = address
  }

  /** Starts it when it does not run. */
  async place(): Promise<RoomPlace> {
    this.#running ??= this.#start().catch((error: unknown) => {
      this.#running = undefined
      throw error
    })
    return (await this.#running).place
  }

  async counts(): Promise<{ readonly rooms: number; readonly participants: number }> {
    if (this.#running === undefined) return { rooms: 0, participants: 0 }
    const { worker } = await this.#running
    return new Promise((resolve) => {
      const listen = (news: RoomNews): void => {
        if (news.kind !== 'counts') return
        worker.off('message', listen)
        resolve({ rooms: news.rooms, participants: news.participants })
      }
      worker.on('message', listen)
      worker.postMessage('counts' satisfies RoomRequest)
    })
  }

  async close(): Promise<void> {
    const running = await this.#running?.catch(() => undefined)
    this.#running = undefined
    if (running === undefined) return
    const { worker } = running
    const closed = new Promise<void>((resolve) => {
      worker.on('message', (news: RoomNews) => news.kind === 'closed' && resolve())
      worker.once('exit', () => resolve())
    })
    worker.postMessage('close' satisfies RoomRequest)
    await Promise.race([closed, pause(limits.sessionEndTimeMsMax, undefined, { ref: false })])
    // Timers of peer connections that are closing would keep the thread for a while.
    await worker.terminate()
  }

  async #start(): Promise<{ worker: Worker; place: RoomPlace }> {
    // Sources run by type stripping, the installed package as JavaScript.
    const file = new URL(`./room-worker${extname(import.meta.url)}`, import.meta.url)
    const worker = new Worker(file, { workerData: { address: this.#address, key: this.#key } satisfies RoomWorkerData })
    const port = await new Promise<number>((resolve, reject) => {
      worker.on('message', (news: RoomNews) => {
        if (news.kind === 'listening') resolve(news.port)
        else if (news.kind === 'failure') this.#options.onFailure(news.message)
      })
      worker.once('error', (error) => {
        this.#options.onFailure(`the dev room ended: ${String(error)}`)
        reject(error)
      })
      worker.once('exit', () => {
        this.#running = undefined
        reject(new HostError('ERR_INTERNAL', 'the dev room ended before it listened'))
      })
    })
    return { worker, place: { url: `ws://${this.#address}:${port}`, key: this.#key } }
  }
}
