/**
 * Where attacks happen: one serving host in a process of its own, the attacker's databases on it, and
 * the means to see what an attack has left behind.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { isErrorCode } from '../../host/errors.ts'
import { isPrintable } from '../../host/printable.ts'
import type { InstanceMode } from '../../host/sandbox/instance-mode.ts'
import type { Reply } from '../api/http-client.ts'
import type { Attack, CallAttack, PublishAttack, Verdict } from './attack.ts'
import { attackingGuest, attackingReducer, reducerName } from './guest.ts'
import type { GuestShape } from './guest.ts'
import { HostProcess } from './host-process.ts'

const SHARED = 'attacker'

export class Arena implements AsyncDisposable {
  readonly #data = mkdtempSync(join(tmpdir(), 'remembrancer-attack-'))
  readonly host: HostProcess
  #databases = 0
  #attacker: Client | undefined

  constructor(instances: InstanceMode) {
    this.host = new HostProcess(this.#data, instances)
  }

  /** Builds the one module that holds the bodies of all call attacks, and publishes it. */
  async start(attacks: readonly Attack[]): Promise<void> {
    await this.host.start()
    const calls = attacks.filter((attack) => attack.kind === 'call')
    const component = await attackingGuest({ reducers: calls.map(attackingReducer), more: calls.map((attack) => attack.functions ?? '').join('\n') })
    await this.createDatabase(SHARED)
    const published = await this.publish(SHARED, component)
    assert.equal(published.status, 200, JSON.stringify(published.body))
    this.#attacker = await this.client(SHARED, 'mallory')
  }

  /** Carries out one attack; what it throws, or a verdict other than the expected one, is its failure. */
  async carryOut(attack: Attack): Promise<Verdict> {
    switch (attack.kind) {
      case 'call':
        return this.#call(attack)
      case 'publish':
        return this.#publish(attack)
      case 'act':
        return attack.act(this)
    }
  }

  async #call(attack: CallAttack): Promise<Verdict> {
    const attacker = this.#attacker
    assert(attacker !== undefined, 'the arena was started')
    const before = await attacker.countNotes()
    const reply = await attacker.call(reducerName(attack.name), attack.args)
    if (attack.expected.verdict !== 'ok') assert.equal(await attacker.countNotes(), before, 'the row that the call stored first was not undone')
    if (attack.answer !== undefined && reply.status === 200) assert.deepEqual(reply.body.result, attack.answer)
    return verdictOf(reply)
  }

  async #publish(attack: PublishAttack): Promise<Verdict> {
    const component = await attack.component()
    const database = await this.createDatabase()
    const verdict = verdictOf(await this.publish(database, component))
    if (attack.expected.outcome === 'refused') assert.equal(await this.version(database), 0, 'something of a refused module stayed')
    return verdict
  }

  /** A database of its own for an attack; without a name a new one. */
  async createDatabase(name = `attack-${(this.#databases += 1)}`): Promise<string> {
    const reply = await this.host.request('POST', '/v1/databases', { token: this.host.operator, body: { name } })
    assert.equal(reply.status, 201, JSON.stringify(reply.body))
    return name
  }

  publish(database: string, component: Uint8Array): Promise<Reply> {
    return this.host.request('PUT', `/v1/databases/${database}/module`, { token: this.host.operator, body: component })
  }

  /** A new database with an attacking module in it, and somebody to call it. */
  async attacker(shape: GuestShape, subject = 'mallory'): Promise<Client> {
    const database = await this.createDatabase()
    const reply = await this.publish(database, await attackingGuest(shape))
    assert.equal(reply.status, 200, JSON.stringify(reply.body))
    return this.client(database, subject)
  }

  async client(database: string, subject: string, rights: readonly string[] = []): Promise<Client> {
    return new Client(this.host, database, await this.token(database, subject, rights))
  }

  async token(database: string, subject: string, rights: readonly string[] = []): Promise<string> {
    const { body } = await this.host.request('POST', `/v1/databases/${database}/tokens`, {
      token: this.host.operator,
      body: { subject, ttlSeconds: 3_600, rights },
    })
    return body.token
  }

  /** Of the module that runs in a database; 0 before the first publish. */
  async version(database: string): Promise<number> {
    const { body } = await this.host.request('GET', '/v1/databases', { token: this.host.operator })
    return body.databases.find((one: { name: string }) => one.name === database)?.version ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]()
    rmSync(this.#data, { recursive: true })
  }
}

/** Somebody with a token of one database. */
export class Client {
  readonly database: string
  readonly token: string
  readonly #host: HostProcess

  constructor(host: HostProcess, database: string, token: string) {
    this.#host = host
    this.database = database
    this.token = token
  }

  call(reducer: string, args: readonly unknown[] = []): Promise<Reply> {
    return this.#request('call', reducer, args)
  }

  query(query: string, args: readonly unknown[] = []): Promise<Reply> {
    return this.#request('query', query, args)
  }

  /** Also shows that the module still answers. */
  async countNotes(): Promise<string> {
    const { status, body } = await this.query('count_notes')
    assert.equal(status, 200, JSON.stringify(body))
    return body.result
  }

  async identity(): Promise<string> {
    return (await this.#host.request('GET', `/v1/databases/${this.database}/identities/me`, { token: this.token })).body.identity
  }

  #request(kind: 'call' | 'query', name: string, args: readonly unknown[]): Promise<Reply> {
    return this.#host.request('POST', `/v1/databases/${this.database}/${kind}/${name}`, { token: this.token, body: { args } })
  }
}

/** @throws AssertionError for an answer that the API never gives. */
export function verdictOf({ status, body }: Reply): Verdict {
  if (status < 300) return 'ok'
  const code: unknown = body?.error?.code
  assert(typeof code === 'string' && isErrorCode(code), `an answer ${status} without a code: ${JSON.stringify(body)}`)
  // A module's own words for its callers are its own; all others are printed as they are.
  // A policy is shown with a caret under the place: lines of our own, each of them printable.
  const message = code === 'ERR_POLICY' ? body.error.message.replaceAll('\n', ' ') : body.error.message
  if (code !== 'ERR_CALL_FAILED') assert(isPrintable(message), JSON.stringify(message))
  return code
}
