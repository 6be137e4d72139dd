/**
 * PostgreSQL as an application with a pool uses its row-level security: in a transaction that names its caller, and
 * names them for that transaction only. The statements are prepared, values come in their binary form, and nothing
 * but the protocol stands between: a client of less work than the usual packages.
 */
import { SocketClient } from './socket-client.ts'

export interface Turn {
  readonly id: bigint
  readonly caller: Buffer
  readonly role: string
  readonly content: string
  readonly at: bigint
}

export class PostgresReader {
  readonly #client: SocketClient

  private constructor(client: SocketClient) {
    this.#client = client
  }

  /** As the role `app`, which the policies bind. */
  static async connect(path: string, wanted: number): Promise<PostgresReader> {
    const client = await SocketClient.connect(path)
    const hello = Buffer.from('user\0app\0database\0postgres\0client_encoding\0UTF8\0\0')
    await client.ask(framed(Buffer.concat([uint32(196_608), hello])), rowsOf)
    const prepare = (name: string, sql: string): Buffer => message('P', Buffer.concat([text(name), text(sql), uint16(0)]))
    await client.ask(
      Buffer.concat([
        prepare('begin', 'BEGIN'),
        prepare('who', "SELECT set_config('app.caller', $1, true)"),
        prepare('read', `SELECT id, caller, role, content, at FROM turns ORDER BY id DESC LIMIT ${wanted}`),
        prepare('commit', 'COMMIT'),
        sync,
      ]),
      rowsOf,
    )
    return new PostgresReader(client)
  }

  /** Each statement waits for the one before: four ways there and back, as the usual clients go them. */
  async read(caller: string): Promise<readonly Turn[]> {
    await this.#client.ask(begin, rowsOf)
    await this.#client.ask(Buffer.concat([run('who', caller), sync]), rowsOf)
    const rows = await this.#client.ask(read, rowsOf)
    await this.#client.ask(commit, rowsOf)
    return rows
  }

  /** All of it in one write and one answer: as little as PostgreSQL's protocol can take. */
  async readAtOnce(caller: string): Promise<readonly Turn[]> {
    return this.#client.ask(Buffer.concat([run('begin'), run('who', caller), run('read'), run('commit'), sync]), rowsOf)
  }

  close(): void {
    this.#client.close()
  }
}

const sync = message('S', Buffer.alloc(0))
const begin = Buffer.concat([run('begin'), sync])
const read = Buffer.concat([run('read'), sync])
const commit = Buffer.concat([run('commit'), sync])

/** Bind, with binary results, and Execute. */
function run(name: string, ...values: readonly string[]): Buffer {
  const parameters = values.flatMap((value) => [uint32(Buffer.byteLength(value)), Buffer.from(value)])
  const bind = Buffer.concat([text(''), text(name), uint16(0), uint16(values.length), ...parameters, uint16(1), uint16(1)])
  return Buffer.concat([message('B', bind), message('E', Buffer.concat([text(''), uint32(0)]))])
}

const columnsOfTurn = 5

/** Up to ReadyForQuery; rows of five columns are turns. */
function rowsOf(bytes: Buffer): { readonly answer: readonly Turn[]; readonly size: number } | undefined {
  const rows: Turn[] = []
  let at = 0
  while (at + 5 <= bytes.length) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    if (end > bytes.length) return undefined
    const type = bytes[at]
    if (type === errorResponse) throw new Error(`PostgreSQL: ${bytes.toString('utf8', at + 5, end).replaceAll('\0', ' ')}`)
    if (type === dataRow && bytes.readInt16BE(at + 5) === columnsOfTurn) rows.push(turnAt(bytes, at + 7))
    if (type === readyForQuery) return { answer: rows, size: end }
    at = end
  }
  return undefined
}

const errorResponse = 'E'.charCodeAt(0)
const dataRow = 'D'.charCodeAt(0)
const readyForQuery = 'Z'.charCodeAt(0)
/** PostgreSQL counts from 2000. */
const epochMicros = 946_684_800_000_000n

function turnAt(bytes: Buffer, start: number): Turn {
  let at = start
  const next = (): Buffer => {
    const size = bytes.readInt32BE(at)
    at += 4 + size
    return bytes.subarray(at - size, at)
  }
  return { id: next().readBigInt64BE(), caller: next(), role: next().toString(), content: next().toString(), at: next().readBigInt64BE() + epochMicros }
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), framed(body)])
}

function framed(body: Buffer): Buffer {
  return Buffer.concat([uint32(body.length + 4), body])
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
