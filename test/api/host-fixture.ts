/** A whole host on a folder of its own and a free port, spoken to over HTTP only. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startHost } from '../../host/host.ts'
import type { RunningHost } from '../../host/host.ts'
import { HttpClient } from './http-client.ts'
import type { Reply } from './http-client.ts'

export class HostFixture extends HttpClient implements AsyncDisposable {
  readonly data = mkdtempSync(join(tmpdir(), 'remembrancer-host-'))
  readonly failures: string[] = []
  #host: RunningHost | undefined
  operator = ''

  async start(): Promise<void> {
    const logger = { error: (message: string, fields: Readonly<Record<string, string>>) => void this.failures.push(`${message} ${JSON.stringify(fields)}`) }
    this.#host = await startHost({ data: this.data, port: 0, logger, shards: 1 })
    this.port = Number(new URL(this.#host.url).port)
    this.operator = this.#host.operatorToken
  }

  async stop(): Promise<void> {
    await this.#host?.close()
  }

  /** A new database with a module in it. */
  async publish(database: string, component: Uint8Array): Promise<void> {
    assert.equal((await this.request('POST', '/v1/databases', { token: this.operator, body: { name: database } })).status, 201)
    const reply = await this.request('PUT', `/v1/databases/${database}/module`, { token: this.operator, body: component })
    assert.equal(reply.status, 200, JSON.stringify(reply.body))
  }

  async person(database: string, subject: string, rights: readonly string[] = []): Promise<Person> {
    const { body } = await this.request('POST', `/v1/databases/${database}/tokens`, { token: this.operator, body: { subject, ttlSeconds: 3_600, rights } })
    return new Person(this, database, body.token)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.data, { recursive: true })
  }
}

/** Somebody with a token of a database. */
export class Person {
  readonly #host: HostFixture
  readonly #database: string
  readonly token: string

  constructor(host: HostFixture, database: string, token: string) {
    this.#host = host
    this.#database = database
    this.token = token
  }

  sql(body: object): Promise<Reply> {
    return this.#host.request('POST', `/v1/databases/${this.#database}/sql`, { token: this.token, body })
  }

  call(reducer: string, args: unknown = [], { sender, id }: { readonly sender?: object; readonly id?: string } = {}): Promise<Reply> {
    return this.#host.request('POST', `/v1/databases/${this.#database}/call/${reducer}`, { token: this.token, body: { args, sender, id } })
  }

  query(query: string, args: unknown = [], sender?: object): Promise<Reply> {
    return this.#host.request('POST', `/v1/databases/${this.#database}/query/${query}`, { token: this.token, body: { args, sender } })
  }

  async identity(): Promise<string> {
    return (await this.#host.request('GET', `/v1/databases/${this.#database}/identities/me`, { token: this.token })).body.identity
  }

  /** What this person kept, the oldest first. */
  async notes(): Promise<string[]> {
    const { body } = await this.query('recall', { limit: 100 })
    return body.result.map((note: { content: string }) => note.content)
  }
}
