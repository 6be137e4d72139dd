/** As much of PostgreSQL's wire protocol (version 3, simple queries) as asks it questions in texts. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

export class PostgresClient {
  readonly #socket: Socket
  readonly #chunks: AsyncIterator<Buffer>
  #buffer = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#chunks = socket[Symbol.asyncIterator]()
  }

  static async connect(path: string): Promise<PostgresClient> {
    const socket = connect(path)
    await once(socket, 'connect')
    const client = new PostgresClient(socket)
    const parameters = Buffer.from('user\0postgres\0database\0postgres\0client_encoding\0UTF8\0\0')
    socket.write(framed(Buffer.concat([uint32(196_608), parameters])))
    await client.#untilReady()
    return client
  }

  /** Runs statements and gives the first column of every row of all of them, in order. */
  async values(sql: string): Promise<readonly (string | null)[]> {
    this.#socket.write(Buffer.concat([Buffer.from('Q'), framed(Buffer.from(`${sql}\0`))]))
    return this.#untilReady()
  }

  close(): void {
    this.#socket.end(Buffer.concat([Buffer.from('X'), framed(Buffer.alloc(0))]))
  }

  async #untilReady(): Promise<readonly (string | null)[]> {
    const values: (string | null)[] = []
    let error: string | undefined
    for (;;) {
      const { type, body } = await this.#message()
      if (type === 'D') values.push(firstColumn(body))
      else if (type === 'E') error ??= body.toString('utf8').replaceAll('\0', ' ')
      else if (type === 'Z') break
    }
    if (error !== undefined) throw new Error(`PostgreSQL: ${error}`)
    return values
  }

  async #message(): Promise<{ readonly type: string; readonly body: Buffer }> {
    const head = await this.#bytes(5)
    const type = head.toString('latin1', 0, 1)
    return { type, body: await this.#bytes(head.readUInt32BE(1) - 4) }
  }

  async #bytes(size: number): Promise<Buffer> {
    while (this.#buffer.length < size) {
      const { value, done } = await this.#chunks.next()
      if (done === true) throw new Error('PostgreSQL has closed the connection')
      this.#buffer = Buffer.concat([this.#buffer, value])
    }
    const bytes = this.#buffer.subarray(0, size)
    this.#buffer = this.#buffer.subarray(size)
    return bytes
  }
}

function firstColumn(body: Buffer): string | null {
  const size = body.readInt32BE(2)
  return size < 0 ? null : body.toString('utf8', 6, 6 + size)
}

/** With its own length before it, which counts itself. */
function framed(body: Buffer): Buffer {
  return Buffer.concat([uint32(body.length + 4), body])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
