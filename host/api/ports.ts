/**
 * What the API needs of the rest of the host. The composition root satisfies it; nothing here knows
 * of files, threads or the gate's child process.
 */
import type { HostTokenRequest } from '../auth/mint-token.ts'
import type { Clock } from '../clock.ts'
import type { CallerHead, IssuerState, Shard } from '../protocol/shard-protocol.ts'
import type { DatabaseFacts } from './database-facts.ts'
import type { LogBook } from './log-book.ts'

/** Where an operator's databases go when no tenant is named. A host has it from its first start. */
export const defaultTenant = 'default'

export interface DatabaseEntry {
  readonly name: string
  readonly tenant: string
  /** Name of the running module and its version, null and 0 before the first publish. For lists: the database's file is the truth. */
  readonly module: string | null
  readonly version: number
}

/** The host's own book of tenants, databases and keys. Names were checked before they come here. */
export interface Catalogue {
  /** The host as the issuer of host tokens. */
  issuer(): IssuerState
  /** @throws HostError ERR_REQUEST_MALFORMED */
  mintHostToken(request: HostTokenRequest): Promise<string>
  tenants(): readonly string[]
  /** @throws HostError ERR_TENANT_EXISTS */
  createTenant(name: string): void
  databases(): readonly DatabaseEntry[]
  databaseCount(): number
  database(name: string): DatabaseEntry | undefined
  /**
   * Makes the entry and the database's file, both or neither.
   *
   * @throws HostError ERR_DATABASE_EXISTS, ERR_TENANT_UNKNOWN
   */
  createDatabase(name: string, tenant: string): Promise<DatabaseEntry>
  /** Removes the database's file and its entry. A name that is used again is another database with other keys. */
  dropDatabase(name: string): Promise<void>
  /** Notes what runs in a database, for `databases()`. */
  noteModule(name: string, module: string, version: number): void
}

/** A component that passed the publish gate. */
export interface CheckedComponent {
  readonly core: Uint8Array
  /** The module description as the module wrote it (docs/module-description.md). */
  readonly description: Uint8Array
  readonly componentHash: string
  /** Milliseconds by step. */
  readonly timings: Readonly<Record<string, number>>
}

export interface Gate {
  /** @throws HostError ERR_COMPONENT_*, ERR_DESCRIPTION */
  check(component: Uint8Array): Promise<CheckedComponent>
}

/** Where the host writes about itself. */
export interface Logger {
  error(message: string, fields: Readonly<Record<string, string>>): void
}

export interface SessionPlace {
  readonly session: string
  readonly transport: 'room' | 'websocket'
  /** Of a room; or the path of a socket of this host, good once and for a while. */
  readonly url: string
  readonly token: string
  readonly hasVoice: boolean
}

/** Conversations with a database's agents (host/media). */
export interface Sessions {
  agents(database: string): Promise<readonly object[]>
  /** @throws HostError ERR_AGENT_UNKNOWN, ERR_SESSION_LIMIT, ERR_VOICE_MISSING */
  open(request: {
    readonly database: string
    readonly agent: string
    readonly caller: CallerHead
    readonly transport: 'room' | 'websocket'
  }): Promise<SessionPlace>
  pageFile(name: string): { readonly type: string; readonly bytes: Buffer } | undefined
}

export interface ApiOptions {
  /** The host's version, as /v1/health shows it. */
  readonly version: string
  readonly catalogue: Catalogue
  /** The shard that holds a database. */
  readonly shardOf: (database: string) => Shard
  readonly gate: Gate
  /** Fed by the composition root with the shards' log events. */
  readonly logs: LogBook
  readonly clock: Clock
  readonly logger: Logger
  /** None where the host has no sessions. */
  readonly sessions?: Sessions
  /** Shared with whoever else packs calls of these databases; its own when left out. */
  readonly facts?: DatabaseFacts
  /** Whether calls without a token are taken at all. */
  readonly allowAnonymous: boolean
}
