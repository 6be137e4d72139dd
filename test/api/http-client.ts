/** A client that can also send what no client should. */
import { connect } from 'node:net'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  // A test reads what it expects, and fails when it is not there.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

export interface RequestOptions {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export class HttpClient {
  port = 0

  async request(method: string, path: string, { token, body, headers = {} }: RequestOptions = {}): Promise<Reply> {
    const init: RequestInit = { method, headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers } }
    if (body instanceof Uint8Array) Object.assign(init, { body, headers: { 'content-type': 'application/wasm', ...init.headers } })
    else if (body !== undefined) {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      Object.assign(init, { body: text, headers: { 'content-type': 'application/json', ...init.headers } })
    }
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, init)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
    return { status: response.status, headers: response.headers, body: isJson && text !== '' ? JSON.parse(text) : text }
  }

  /** Sends bytes as they are and answers with everything that comes back until the host closes. */
  raw(...parts: readonly (string | Uint8Array)[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1')
      let answer = ''
      socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
      socket.on('close', () => resolve(answer))
      socket.on('error', (error) => (answer === '' ? reject(error) : resolve(answer)))
      for (const part of parts) socket.write(part)
    })
  }
}

/** The code of an error answer. */
export function codeOf({ status, body }: Reply): string {
  return `${status} ${body?.error?.code ?? ''}`.trim()
}
