/** A host in this process with the claims line in it, and callers on its socket. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { SessionPlace } from '../../host/api/ports.ts'
import { startHost } from '../../host/host.ts'
import type { RunningHost } from '../../host/host.ts'
import type { VoiceConfig } from '../../host/media/provider/profile.ts'
import { buildModule } from '../../host/module/build.ts'
import { HttpClient } from '../api/http-client.ts'
import { SocketCaller } from './socket-caller.ts'
import { agent, database } from './voice-host.ts'

let built: Promise<Uint8Array> | undefined

export class MediaFixture extends HttpClient implements AsyncDisposable {
  readonly data: string
  /** What the host wrote about its own failures. */
  readonly failures: readonly string[]
  readonly #host: RunningHost
  readonly #callers: SocketCaller[] = []
  readonly #isKept: boolean
  #page = ''

  private constructor(host: RunningHost, data: string, failures: readonly string[], isKept: boolean) {
    super()
    this.#host = host
    this.data = data
    this.failures = failures
    this.#isKept = isKept
    this.port = Number(new URL(host.url).port)
  }

  /** `isKept`: the data stays for the next one. */
  static async start({
    voice,
    data,
    isKept = false,
  }: { readonly voice?: VoiceConfig; readonly data?: string; readonly isKept?: boolean } = {}): Promise<MediaFixture> {
    built ??= buildModule(fileURLToPath(new URL('../../modules/claims-line', import.meta.url)), { optimize: false }).then(({ component }) => component)
    const component = await built
    const folder = data ?? mkdtempSync(join(tmpdir(), 'remembrancer-media-'))
    const failures: string[] = []
    const logger = { error: (message: string, fields: Readonly<Record<string, string>>) => void failures.push(`${message} ${JSON.stringify(fields)}`) }
    const host = await startHost({ data: folder, port: 0, logger, shards: 1, ...(voice === undefined ? {} : { voice }) })
    const fixture = new MediaFixture(host, folder, failures, isKept)
    if (data === undefined) {
      await fixture.request('POST', '/v1/databases', { token: host.operatorToken, body: { name: database } })
      await fixture.request('PUT', `/v1/databases/${database}/module`, { token: host.operatorToken, body: component })
    }
    fixture.#page = await fixture.token('page', ['act-for'])
    return fixture
  }

  get host(): RunningHost {
    return this.#host
  }

  async token(subject: string, rights: readonly string[] = []): Promise<string> {
    const { body } = await this.request('POST', `/v1/databases/${database}/tokens`, {
      token: this.#host.operatorToken,
      body: { subject, ttlSeconds: 600, rights },
    })
    return body.token
  }

  async open(subject: string, transport: 'room' | 'websocket' = 'websocket'): Promise<SessionPlace> {
    const { status, body } = await this.request('POST', `/v1/databases/${database}/agents/${agent}/sessions`, {
      token: this.#page,
      body: { transport, sender: { subject } },
    })
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
    return body
  }

  async call(subject: string): Promise<SocketCaller> {
    const caller = await SocketCaller.join(this.#host.url, await this.open(subject))
    this.#callers.push(caller)
    return caller
  }

  async sql(subject: string, sql: string): Promise<unknown[][]> {
    const { body } = await this.request('POST', `/v1/databases/${database}/sql`, { token: await this.token(subject), body: { sql } })
    return body.rows
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const caller of this.#callers) await caller.close()
    await this.#host.close()
    if (!this.#isKept) rmSync(this.data, { recursive: true, force: true })
  }
}
