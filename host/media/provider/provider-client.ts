/**
 * One service of a provider over HTTP: within its quota, tried again while it does not take a request, and
 * ended by a signal or by time. What a provider says is a stranger's word: it is bounded wherever it is read.
 */
import { setTimeout as pause } from 'node:timers/promises'

import { request } from 'undici'
import type { Dispatcher } from 'undici'

import { HostError } from '../../errors.ts'
import * as limits from '../../limits.ts'

export interface ServiceAddress {
  readonly url: string
  readonly keyEnv?: string | undefined
  readonly requestsPerMinuteMax?: number | undefined
}

export interface ProviderRequest {
  /** Below the service's URL. */
  readonly path: string
  readonly body: Uint8Array | string
  readonly contentType: string
  readonly signal: AbortSignal
}

export type ProviderAnswer = Dispatcher.ResponseData

export class ProviderClient {
  readonly #service: ServiceAddress
  readonly #dispatcher: Dispatcher
  /** When requests of the last minute were sent, as `performance.now()` counts. */
  #sentMs: number[] = []

  constructor(service: ServiceAddress, dispatcher: Dispatcher) {
    this.#service = service
    this.#dispatcher = dispatcher
  }

  get url(): string {
    return this.#service.url
  }

  /**
   * The answer, once it begins; its body is the caller's to read or to end.
   *
   * @throws HostError ERR_PROVIDER, ERR_PROVIDER_QUOTA; what the signal says when it was aborted.
   */
  async post(sent: ProviderRequest): Promise<ProviderAnswer> {
    const url = `${this.#service.url.replace(/\/$/, '')}${sent.path}`
    for (let attempt = 1; ; attempt++) {
      this.#count(url)
      const answer = await this.#send(url, sent).catch((error: unknown) => failure(url, error, sent.signal))
      if (!(answer instanceof HostError)) {
        if (answer.statusCode === 200) return answer
        // Unread, it would hold its connection.
        await answer.body.dump({ limit: limits.streamEventBytesMax }).catch(() => undefined)
      }
      const refused = answer instanceof HostError ? answer : refusal(url, answer.statusCode)
      // Who was too slow once would be so again, and somebody waits on a line.
      const isPassing = answer instanceof HostError ? !isTooSlow(answer.cause) : answer.statusCode >= 500 || answer.statusCode === 429
      if (!isPassing || attempt >= limits.providerTriesMax) throw refused
      await pause(limits.providerRetryTimeMs * attempt, undefined, { signal: sent.signal })
    }
  }

  #count(url: string): void {
    const { requestsPerMinuteMax } = this.#service
    if (requestsPerMinuteMax === undefined) return
    const now = performance.now()
    this.#sentMs = this.#sentMs.filter((at) => now - at < 60_000)
    if (this.#sentMs.length >= requestsPerMinuteMax) {
      throw new HostError('ERR_PROVIDER_QUOTA', `${url} has had the ${requestsPerMinuteMax} requests of this minute: the operator's profile says so`)
    }
    this.#sentMs.push(now)
  }

  #send(url: string, { body, contentType, signal }: ProviderRequest): Promise<ProviderAnswer> {
    const { keyEnv } = this.#service
    const key = keyEnv === undefined ? undefined : process.env[keyEnv]
    if (keyEnv !== undefined && key === undefined) throw new HostError('ERR_PROVIDER', `the environment has no ${keyEnv}, which is to hold the key of ${url}`)
    return request(url, {
      method: 'POST',
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(limits.providerTimeMsMax)]),
      dispatcher: this.#dispatcher,
      headersTimeout: limits.providerHeadersTimeMsMax,
      bodyTimeout: limits.providerPieceTimeMsMax,
      headers: { 'content-type': contentType, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
    })
  }
}

/** What was aborted from here stays what it is. */
function failure(url: string, error: unknown, signal: AbortSignal): HostError {
  if (signal.aborted) throw signal.reason
  if (error instanceof HostError) throw error
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return new HostError('ERR_PROVIDER', `${url} does not answer (${code}): is it running?`, { cause: error })
}

function isTooSlow(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === 'HeadersTimeoutError' || cause.name === 'TimeoutError')
}

function refusal(url: string, status: number): HostError {
  const code = status === 429 ? 'ERR_PROVIDER_QUOTA' : 'ERR_PROVIDER'
  return new HostError(code, `${url} answered with status ${status}${status === 401 ? ': its key is not taken' : ''}`)
}

export function malformedAnswer(url: string, what: string, cause?: unknown): HostError {
  return new HostError('ERR_PROVIDER', `${url} gave an answer of another form: ${what}`, { cause })
}

/** All of a short answer. */
export async function readBounded({ body }: ProviderAnswer, url: string, bytesMax: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  try {
    for await (const piece of body) {
      const bytes = Buffer.from(piece as Uint8Array)
      size += bytes.length
      if (size > bytesMax) {
        body.destroy()
        throw malformedAnswer(url, `it is larger than ${bytesMax} bytes`)
      }
      pieces.push(bytes)
    }
    return Buffer.concat(pieces)
  } catch (cause) {
    throw cause instanceof HostError ? cause : malformedAnswer(url, 'it broke off', cause)
  }
}
