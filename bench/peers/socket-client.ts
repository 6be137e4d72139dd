/** A request and its answer over a socket, one after the other: what a peer's client costs beside its protocol. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** Reads one whole answer from the start of `bytes`, or undefined while it is not all there. */
export type ReadAnswer<T> = (bytes: Buffer) => { readonly answer: T; readonly size: number } | undefined

export class SocketClient {
  readonly #socket: Socket
  #bytes: Buffer = Buffer.alloc(0)
  #onBytes: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
      this.#onBytes?.()
    })
  }

  static async connect(path: string): Promise<SocketClient> {
    const socket = connect(path)
    await once(socket, 'connect')
    return new SocketClient(socket)
  }

  ask<T>(request: Uint8Array, read: ReadAnswer<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#onBytes = () => {
        try {
          const found = read(this.#bytes)
          if (found === undefined) return
          this.#bytes = this.#bytes.subarray(found.size)
          this.#onBytes = undefined
          resolve(found.answer)
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket.end()
  }
}
