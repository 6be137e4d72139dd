/** One database of a host in this process: publishing, its people, and whom to call as. */
import { z } from 'zod'

import { checkClaims } from './auth/claims.ts'
import { checkLoginPart } from './auth/login.ts'
import type { HostCatalogue } from './catalogue.ts'
import { HostError } from './errors.ts'
import { RIGHTS } from './auth/principal.ts'
import type { Right } from './auth/principal.ts'
import { ASSURANCES, identityToBytes } from './identity.ts'
import type { Assurance, Identity, Login } from './identity.ts'
import type { Gate } from './module/gate.ts'
import { checkPurpose } from './purpose.ts'
import type { PublishReport } from './protocol/shard-protocol.ts'
import { publish } from './publish/publish.ts'
import type { GuestRunner } from './reducer/active-module.ts'
import { Sender } from './sender.ts'
import type { OpenDatabase } from './shard/open-databases.ts'

/** A login; its issuer is the database itself when left out. */
export interface LocalLogin {
  readonly issuer?: string | undefined
  readonly subject: string
}

export interface SenderOptions {
  /** Who acts in the sender's name. */
  readonly actor?: Identity | LocalLogin
  readonly claims?: Readonly<Record<string, string>>
  /** How far the caller of this process has proven the sender to be who they say; `none` when left out. */
  readonly assurance?: Assurance
  /** Beyond what policies say: `audit` shows all of the access log. */
  readonly rights?: readonly Right[]
  /** Why, and in which conversation: for the access log. */
  readonly purpose?: string
  readonly session?: string
}

export interface LocalPublishOptions {
  /** Another implementation of the world than the sandbox, to compare the two. */
  readonly compile?: (core: Uint8Array) => Promise<GuestRunner>
}

const loginShape = z.strictObject({ issuer: z.string().optional(), subject: z.string() })
const senderOptionsShape = z.strictObject({
  actor: z.unknown().optional(),
  claims: z.record(z.string(), z.string()).optional(),
  assurance: z.enum(ASSURANCES).optional(),
  rights: z.array(z.enum(RIGHTS)).optional(),
  purpose: z.string().optional(),
  session: z.string().optional(),
})

/** What lies behind one, for tests of policies (host/policy-test): they undo what they try. */
export let openOf: (database: LocalDatabase) => OpenDatabase

export class LocalDatabase {
  static {
    openOf = (database) => database.#open
  }

  readonly name: string
  readonly #open: OpenDatabase
  readonly #catalogue: HostCatalogue
  readonly #gate: Gate

  constructor(name: string, open: OpenDatabase, catalogue: HostCatalogue, gate: Gate) {
    this.name = name
    this.#open = open
    this.#catalogue = catalogue
    this.#gate = gate
  }

  /** Publishes a component, through the same gate as over HTTP. */
  async publish(component: Uint8Array, options: LocalPublishOptions = {}): Promise<PublishReport> {
    this.#open.queue.requireOpen()
    if (!(component instanceof Uint8Array))
      throw new HostError('ERR_ARGUMENT_TYPE', 'publish takes the bytes of a component, as remembrancer build writes them')
    const { timings, componentHash: hash, ...checked } = await this.#gate.check(component)
    try {
      const report = await publish(this.#open, { ...checked, hash, publishedBy: 'process', isDryRun: false, ...options })
      this.#catalogue.noteModule(this.name, report.module, report.version)
      return { ...report, timings: { ...timings, ...report.timings } }
    } finally {
      this.#open.showLog()
    }
  }

  /**
   * Somebody to call as: a login, whose identity is minted at first sight, or an identity.
   *
   * @throws HostError ERR_ARGUMENT_TYPE, ERR_REQUEST_MALFORMED, ERR_HOST_CLOSED.
   */
  async as(sender: Identity | LocalLogin, options: SenderOptions = {}): Promise<Sender> {
    const parsed = senderOptionsShape.safeParse(options)
    if (!parsed.success)
      throw new HostError(
        'ERR_ARGUMENT_TYPE',
        `as() takes { actor, claims, assurance, rights, purpose, session } besides the sender: ${z.prettifyError(parsed.error)}`,
      )
    const { claims = {}, assurance = 'none', rights = [], purpose, session } = options
    checkClaims(claims)
    if (purpose !== undefined) checkPurpose(purpose)
    if (session !== undefined) checkPurpose(session, 'a session')
    const identity = await this.#identify(sender)
    const actor = options.actor === undefined ? identity : await this.#identify(options.actor)
    return new Sender(this.#open, { sender: identity, actor, assurance, channel: 'process', claims, rights, purpose, session })
  }

  async #identify(who: Identity | LocalLogin): Promise<Uint8Array> {
    const { database, queue } = this.#open
    queue.requireOpen()
    if (typeof who !== 'string') {
      const login = this.#login(who)
      return queue.run(() => database.directory.identify(login))
    }
    if (/^[0-9a-f]{64}$/i.test(who)) return identityToBytes(who)
    throw new HostError('ERR_ARGUMENT_TYPE', `${JSON.stringify(who.slice(0, 80))} is no identity (64 hex digits): for a login write { subject: … }`)
  }

  /** `login` becomes the same person as `to`. */
  async link(login: LocalLogin, to: LocalLogin): Promise<Identity> {
    const { database, queue } = this.#open
    const [from, target] = [this.#login(login), this.#login(to)]
    return queue.run(() => database.directory.link(from, target, 'process'))
  }

  async unlink(login: LocalLogin): Promise<Identity> {
    const { database, queue } = this.#open
    const from = this.#login(login)
    return queue.run(() => database.directory.unlink(from, 'process'))
  }

  #login(who: LocalLogin): Login {
    const { data } = loginShape.safeParse(who)
    if (data === undefined) throw new HostError('ERR_ARGUMENT_TYPE', 'a login is { subject: "sarah" }, with an issuer where it is not this database')
    return {
      issuer: checkLoginPart('an issuer', data.issuer ?? this.#open.database.keyRing.issuer),
      subject: checkLoginPart('a subject', data.subject),
    }
  }
}
