/**
 * A database of any host that speaks docs/api.md. It sees results, errors and logs; row operations and
 * `rows` steps are the host's inside.
 */
import assert from 'node:assert/strict'

import type { CallStep, LogLine, QueryStep, Step } from './case.ts'
import type { Answer, Door } from './run-case.ts'

export interface HttpHost {
  /** `http://127.0.0.1:4000` */
  readonly url: string
  readonly operatorToken: string
}

interface Reply {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export class HttpDoor implements Door {
  readonly channel = 'http'
  readonly #host: HttpHost
  readonly #database: string
  readonly #tokens = new Map<string, Promise<string>>()
  #logSeq = 0

  private constructor(host: HttpHost, database: string) {
    this.#host = host
    this.#database = database
  }

  /** A new database of this name with the module in it. */
  static async open(host: HttpHost, database: string, component: Uint8Array): Promise<HttpDoor> {
    const door = new HttpDoor(host, database)
    door.#expect(await door.#request('POST', '/v1/databases', host.operatorToken, { name: database }))
    door.#expect(await door.#request('PUT', door.#path('module'), host.operatorToken, component))
    return door
  }

  async drop(): Promise<void> {
    this.#expect(await this.#request('DELETE', `/v1/databases/${this.#database}`, this.#host.operatorToken))
  }

  async identityOf(subject: string): Promise<string> {
    const { identity } = this.#expect(await this.#request('GET', this.#path('identities/me'), await this.#token(subject)))
    return String(identity)
  }

  nextTime(): undefined {
    return undefined
  }

  async perform(step: Step): Promise<Answer | undefined> {
    if ('rows' in step) return undefined
    const answer = answerOf(await this.#send(step), 'link' in step || 'unlink' in step ? 'identity' : 'result')
    return { ...answer, logs: await this.#logs() }
  }

  async #send(step: Exclude<Step, { rows: string }>): Promise<Reply> {
    const { operatorToken } = this.#host
    if ('link' in step) return this.#request('POST', this.#path('identities/link'), operatorToken, { login: { subject: step.link }, to: { subject: step.to } })
    if ('unlink' in step) return this.#request('POST', this.#path('identities/unlink'), operatorToken, { login: { subject: step.unlink } })
    const { as: subject, actor, claims = {}, args = [] } = step
    const path = this.#path('call' in step ? `call/${step.call}` : `query/${nameOf(step)}`)
    if (actor === undefined) return this.#request('POST', path, await this.#token(subject, claims), { args })
    return this.#request('POST', path, await this.#token(actor, claims, ['act-for']), { args, sender: { subject } })
  }

  async #logs(): Promise<readonly LogLine[]> {
    const url = `${this.#host.url}${this.#path('logs')}?after=${this.#logSeq}`
    const response = await fetch(url, { headers: { authorization: `Bearer ${this.#host.operatorToken}` } })
    const lines = (await response.text()).split('\n').filter((line) => line !== '')
    const entries = lines.map((line) => JSON.parse(line) as LogLine & { readonly seq: number })
    this.#logSeq = entries.at(-1)?.seq ?? this.#logSeq
    return entries.filter(({ message }) => !message.startsWith('ERR_')).map(({ level, message }) => ({ level, message }))
  }

  #token(subject: string, claims: Readonly<Record<string, string>> = {}, rights: readonly string[] = []): Promise<string> {
    const request = { subject, ttlSeconds: 3_600, claims, rights }
    const known = this.#tokens.get(JSON.stringify(request))
    if (known !== undefined) return known
    const minted = this.#request('POST', this.#path('tokens'), this.#host.operatorToken, request).then((reply) => String(this.#expect(reply)['token']))
    this.#tokens.set(JSON.stringify(request), minted)
    return minted
  }

  #path(rest: string): string {
    return `/v1/databases/${this.#database}/${rest}`
  }

  async #request(method: string, path: string, token: string, body?: unknown): Promise<Reply> {
    const isBytes = body instanceof Uint8Array
    const response = await fetch(`${this.#host.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': isBytes ? 'application/wasm' : 'application/json' }) },
      ...(body === undefined ? {} : { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as Reply['body'] }
  }

  #expect({ status, body }: Reply): Reply['body'] {
    assert(status < 300, JSON.stringify(body))
    return body
  }
}

function nameOf(step: CallStep | QueryStep): string {
  return 'call' in step ? step.call : step.query
}

function answerOf({ status, body }: Reply, member: string): Answer {
  if (status < 300) return { result: body[member] }
  return { error: body['error'] as { readonly code: string; readonly message: string } }
}
