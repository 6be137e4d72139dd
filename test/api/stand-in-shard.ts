/**
 * A shard without storage and guests, so that a test can make it late, lost or of another mind. A call
 * answers with the bytes it was given, unless `onCall` says otherwise.
 */
import { changeLimits, defaultLimits } from '../../host/database-limits.ts'
import { mintDatabaseToken } from '../../host/auth/mint-token.ts'
import { issuerState, newKeyRing, removeKey, rotateKeys } from '../../host/auth/signing-key.ts'
import type { KeyRing } from '../../host/auth/signing-key.ts'
import type { Clock } from '../../host/clock.ts'
import { assert, HostError } from '../../host/errors.ts'
import type { Login } from '../../host/identity.ts'
import type { CallerHead, PublishReport, Shard, ShardAnswer, ShardMethod, ShardRequest } from '../../host/protocol/shard-protocol.ts'

interface StandInDatabase {
  ring: KeyRing
  version: number
  description: Uint8Array
  readonly identities: Map<string, string>
}

type Answer<M extends ShardMethod> = { head: ShardAnswer<M>; body: Uint8Array }
type Methods = { [M in ShardMethod]: (name: string, head: ShardRequest<M>, body: Uint8Array) => Promise<Answer<M>> }

const none = new Uint8Array(0)

/** What every call that succeeds says it burnt. */
export const fuelOfStandIn = 12_345

export class StandInShard implements Shard {
  readonly databases = new Map<string, StandInDatabase>()
  /** What was sent, in order. */
  readonly sent: { readonly database: string; readonly method: ShardMethod; readonly head: unknown }[] = []
  onCall: (head: ShardRequest<'call'>, body: Uint8Array) => Promise<Uint8Array> = async (_head, body) => body
  onPublish: () => Promise<void> = async () => undefined
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async send<M extends ShardMethod>(database: string, method: M, head: ShardRequest<M>, body: Uint8Array = none): Promise<Answer<M>> {
    this.sent.push({ database, method, head })
    return this.#methods[method](database, head, body)
  }

  async close(): Promise<void> {}

  /** Who the last call was told to be from. */
  lastCaller(): CallerHead {
    const { method, head } = this.sent.at(-1) ?? {}
    assert(method === 'call', 'the last thing sent was a call')
    return (head as ShardRequest<'call'>).caller
  }

  /** What a publish leaves, without one. */
  run(name: string, description: object): void {
    const database = this.#database(name)
    database.version++
    database.description = Buffer.from(JSON.stringify(description))
  }

  readonly #methods: Methods = {
    open: async (name, { create }) => {
      if (create) this.databases.set(name, { ring: newKeyRing(), version: 0, description: none, identities: new Map() })
      const { version, ring } = this.#database(name)
      return { head: { version, hash: `hash ${version}`, issuer: issuerState(ring) }, body: none }
    },
    close: async () => ({ head: {}, body: none }),
    drop: async (name) => {
      this.databases.delete(name)
      return { head: {}, body: none }
    },
    publish: async (name, { hash, coreSizeBytes, dryRun }, body) => {
      await this.onPublish()
      const database = this.#database(name)
      const version = database.version + 1
      if (!dryRun) Object.assign(database, { version, description: body.slice(coreSizeBytes) })
      const report: PublishReport = {
        module: 'test',
        version,
        hash,
        unchanged: false,
        grants: [],
        grantsAdded: [],
        grantsRemoved: [],
        policiesAdded: [],
        policiesRemoved: [],
        policyVersion: version,
        schemaChanges: [],
        warnings: [],
        timings: { swap: 1 },
      }
      return { head: report, body: none }
    },
    describe: async (name) => {
      const { version, description } = this.#database(name)
      return { head: { version, hash: `hash ${version}` }, body: description }
    },
    call: async (name, head, body) => {
      const { version } = this.#database(name)
      if (head.version !== version) throw new HostError('ERR_BUSY', 'another module runs now', { detail: { version } })
      return { head: { version, fuel: fuelOfStandIn, record: '1' }, body: await this.onCall(head, body) }
    },
    access: async () => ({ head: {}, body: Buffer.from('{}') }),
    accessExport: async () => ({ head: { database: '', last: '0', chain: '', count: 0, isEnd: true }, body: none }),
    accessFooter: async () => ({ head: { line: '' }, body: none }),
    disclose: async () => ({ head: {}, body: none }),
    checkpoint: async () => ({ head: { format: '', database: '', position: '1', chain: '', at: '', kid: '', signature: '' }, body: none }),
    sql: async () => ({ head: { columns: [], rowCount: 0, examined: 0, record: '1' }, body: none }),
    limits: async (name, { change }) => ({ head: changeLimits(defaultLimits, this.#database(name) && change), body: none }),
    identify: async (name, { login }) => ({ head: { identity: this.#identity(name, login) }, body: none }),
    identities: async (name) => ({
      head: { identities: [...this.#database(name).identities].map(([key, identity]) => ({ identity, logins: [JSON.parse(key)] })) },
      body: none,
    }),
    link: async (name, { login, to }) => {
      const identity = this.#identity(name, to)
      this.#database(name).identities.set(keyOf(login), identity)
      return { head: { identity }, body: none }
    },
    unlink: async (name, { login }) => {
      this.#database(name).identities.delete(keyOf(login))
      return { head: { identity: this.#identity(name, login) }, body: none }
    },
    token: async (name, request) => ({ head: { token: await mintDatabaseToken(this.#database(name).ring, request, this.#clock) }, body: none }),
    rotateKey: async (name) => {
      const database = this.#database(name)
      database.ring = rotateKeys(database.ring)
      return { head: issuerState(database.ring), body: none }
    },
    removeKey: async (name, { kid }) => {
      const database = this.#database(name)
      database.ring = removeKey(database.ring, kid)
      return { head: issuerState(database.ring), body: none }
    },
  }

  #database(name: string): StandInDatabase {
    const database = this.databases.get(name)
    assert(database !== undefined, `the API asks for databases that exist, not ${name}`)
    return database
  }

  #identity(name: string, login: Login): string {
    const { identities } = this.#database(name)
    const identity = identities.get(keyOf(login)) ?? Buffer.from(keyOf(login)).toString('hex').padEnd(64, '0').slice(-64)
    identities.set(keyOf(login), identity)
    return identity
  }
}

function keyOf({ issuer, subject }: Login): string {
  return JSON.stringify({ issuer, subject })
}
