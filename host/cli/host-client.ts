/** The HTTP API as the command line uses it (docs/api.md): JSON out and in, errors as HostError. */
import { z } from 'zod'

import { HostError, isErrorCode } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import { answerBytesMax, answerTimeMsMax, logLineBytesMax } from './limits.ts'

const errorAnswer = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    detail: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())])).default({}),
  }),
})

interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: Uint8Array | string
  readonly contentType?: string
  readonly signal?: AbortSignal
}

/** What the host itself answered; every other error is of this machine or of the way there. */
export class HostRefusal extends HostError {}

export class HostClient {
  readonly url: string
  readonly #token: string | undefined

  constructor({ url, token }: { readonly url: string; readonly token: string | undefined }) {
    this.url = url
    this.#token = token
  }

  /** @throws HostError ERR_HOST_UNREACHABLE, or what the host answered. */
  async get<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    return this.#exchange(path, { method: 'GET' }, shape)
  }

  async post<T>(path: string, body: unknown, shape: z.ZodType<T>): Promise<T> {
    return this.#exchange(path, { method: 'POST', body: JSON.stringify(body), contentType: 'application/json' }, shape)
  }

  async putComponent<T>(path: string, component: Uint8Array, shape: z.ZodType<T>): Promise<T> {
    return this.#exchange(path, { method: 'PUT', body: component, contentType: 'application/wasm' }, shape)
  }

  async delete<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    return this.#exchange(path, { method: 'DELETE' }, shape)
  }

  /** The lines of an NDJSON answer as they come, until the host or `signal` ends it. */
  async *lines(path: string, signal?: AbortSignal): AsyncGenerator<string> {
    const response = await this.#send(path, { method: 'GET', ...(signal && { signal }) })
    let rest = ''
    for await (const chunk of this.#textOf(response)) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > logLineBytesMax) throw notAHost(this.url, 'a line of its answer does not end')
      yield* lines
    }
  }

  async #exchange<T>(path: string, sent: Sent, shape: z.ZodType<T>): Promise<T> {
    const response = await this.#send(path, { ...sent, signal: AbortSignal.timeout(answerTimeMsMax) })
    const answer = shape.safeParse(parseJson(await this.#readAll(response)))
    if (answer.success) return answer.data
    throw notAHost(this.url, `its answer to ${sent.method} ${path} is of another form`)
  }

  async #send(path: string, { method, body, contentType, signal }: Sent): Promise<Response> {
    const headers = {
      ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    }
    const request = { method, headers, redirect: 'manual', ...(body !== undefined && { body }), ...(signal && { signal }) } as const
    const response = await fetch(`${this.url}${path}`, request).catch((cause: unknown) => {
      throw unreachable(this.url, cause)
    })
    if (!response.ok) throw refusal(this.url, response.status, await this.#readAll(response))
    return response
  }

  async #readAll(response: Response): Promise<string> {
    const parts: string[] = []
    let size = 0
    for await (const part of this.#textOf(response)) {
      size += part.length
      if (size > answerBytesMax) throw notAHost(this.url, `its answer is larger than ${answerBytesMax} bytes`)
      parts.push(part)
    }
    return parts.join('')
  }

  async *#textOf(response: Response): AsyncGenerator<string> {
    const decoder = new TextDecoder()
    try {
      for await (const chunk of response.body ?? []) yield decoder.decode(chunk, { stream: true })
    } catch (cause) {
      throw isTimeout(cause) ? unreachable(this.url, cause) : hostEnded(this.url, cause)
    }
  }
}

/** A path with each name in it escaped. */
export function pathOf(parts: TemplateStringsArray, ...names: readonly string[]): string {
  return String.raw({ raw: parts }, ...names.map(encodeURIComponent))
}

/** An answer with an error. A code that this version does not know keeps its class by its status. */
function refusal(url: string, status: number, text: string): HostError {
  const answer = errorAnswer.safeParse(parseJson(text))
  if (!answer.success) return notAHost(url, `it answered with status ${status}`)
  const { code, message, detail } = answer.data.error
  if (isErrorCode(code)) return new HostRefusal(code, message, { detail })
  return new HostRefusal(codeOfStatus(status), `${code}: ${message}`, { detail })
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'ERR_TOKEN_INVALID'
  return status === 403 ? 'ERR_RIGHT_MISSING' : 'ERR_INTERNAL'
}

function unreachable(url: string, cause: unknown): HostError {
  if (isTimeout(cause)) {
    return new HostError('ERR_HOST_UNREACHABLE', `${url} did not answer within ${answerTimeMsMax / 1_000} s`, { cause })
  }
  const reason = cause instanceof Error && cause.cause instanceof Error && 'code' in cause.cause ? ` (${String(cause.cause.code)})` : ''
  return new HostError('ERR_HOST_UNREACHABLE', `nothing answers at ${url}${reason}: start a host with remembrancer serve, or name another with --url`, {
    cause,
  })
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'TimeoutError'
}

/** Its answer had begun. */
export function hostEnded(url: string, cause: unknown): HostError {
  return new HostError('ERR_HOST_UNREACHABLE', `the host ended, or the connection to it broke off (${url})`, { cause })
}

function notAHost(url: string, what: string): HostError {
  return new HostError('ERR_HOST_UNREACHABLE', `${url} is no Remembrancer host of this version: ${what}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
