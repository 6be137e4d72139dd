/**
 * The API on a free port of 127.0.0.1, over a real catalogue and a stand-in shard, with one tenant
 * beside the default one and a module that echoes every type.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createApi } from '../../host/api/http/server.ts'
import type { Api } from '../../host/api/http/server.ts'
import { LogBook } from '../../host/api/log-book.ts'
import type { Gate } from '../../host/api/ports.ts'
import type { Role } from '../../host/auth/principal.ts'
import { HostCatalogue } from '../../host/catalogue.ts'
import { SetClock } from '../auth/auth-fixture.ts'
import { echoModule } from './echo-module.ts'
import { StandInShard } from './stand-in-shard.ts'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: any
}

export interface RequestOptions {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export class ApiFixture implements AsyncDisposable {
  readonly clock = new SetClock()
  readonly shard = new StandInShard(this.clock)
  readonly logs = new LogBook()
  readonly failures: { readonly message: string; readonly fields: Readonly<Record<string, string>> }[] = []
  readonly gate: Gate = {
    check: async (component) => ({ core: component, description: Buffer.from(JSON.stringify(echoModule)), componentHash: 'hash', timings: { parse: 2 } }),
  }
  readonly #folder = mkdtempSync(join(tmpdir(), 'remembrancer-api-'))
  readonly catalogue = new HostCatalogue(this.#folder, this.clock, () => this.shard)
  readonly api: Api
  port = 0

  constructor({ allowAnonymous = false }: { allowAnonymous?: boolean } = {}) {
    const logger = { error: (message: string, fields: Readonly<Record<string, string>>) => void this.failures.push({ message, fields }) }
    const { catalogue, clock, gate, logs, shard } = this
    this.api = createApi({ version: '1.2.3', catalogue, shardOf: () => shard, gate, logs, clock, logger, allowAnonymous })
  }

  /** With the databases `claims` of the default tenant and `other` of the tenant acme, both with a running module. */
  static async start(options: { allowAnonymous?: boolean } = {}): Promise<ApiFixture> {
    const fixture = new ApiFixture(options)
    fixture.catalogue.createTenant('acme')
    await fixture.addDatabase('claims', 'default')
    await fixture.addDatabase('other', 'acme')
    fixture.port = (await fixture.api.listen(0, '127.0.0.1')).port
    return fixture
  }

  async addDatabase(name: string, tenant: string): Promise<void> {
    await this.catalogue.createDatabase(name, tenant)
    this.shard.run(name, echoModule)
  }

  operator(): Promise<string> {
    return this.catalogue.mintHostToken({ subject: 'op', tenant: undefined, roles: ['operator'], ttlSeconds: 3_600 })
  }

  role(role: Role, tenant = 'default'): Promise<string> {
    return this.catalogue.mintHostToken({ subject: `${role}-of-${tenant}`, tenant, roles: [role], ttlSeconds: 3_600 })
  }

  async person(subject: string, options: { database?: string; rights?: string[]; claims?: Record<string, string> } = {}): Promise<string> {
    const { database = 'claims', rights = [], claims = {} } = options
    const { head } = await this.shard.send(database, 'token', { subject, ttlSeconds: 3_600, claims, rights })
    return head.token
  }

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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api.close()
    this.catalogue.close()
    rmSync(this.#folder, { recursive: true })
  }
}

/** The code of an error answer. */
export function codeOf({ status, body }: Reply): string {
  return `${status} ${body?.error?.code ?? ''}`.trim()
}
