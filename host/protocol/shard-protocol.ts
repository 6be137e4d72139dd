/**
 * What passes the shard door. The door is asynchronous and passes bytes only (frame.ts), so that a
 * shard can be a worker thread today and a process tomorrow. A request names a database and carries
 * at most one body of bytes; so does its answer. Errors cross as code, message and detail.
 */
import type { DatabaseLimits, LimitChange } from '../database-limits.ts'
import type { Assurance, Login } from '../identity.ts'
import type { Scalar } from '../value-type.ts'

/** Who calls, as the API verified it. The shard turns logins into identities. */
export interface CallerHead {
  readonly sender: Login
  /** Present when somebody acts for the sender. */
  readonly actor?: Login
  readonly assurance: Assurance
  readonly channel: string
  readonly claims: Readonly<Record<string, string>>
  /** What it may do that its policies say nothing of: see auth/principal.ts. */
  readonly rights?: readonly string[]
  /** Why, and in which conversation: for the access log alone. */
  readonly purpose?: string | undefined
  readonly session?: string | undefined
}

export interface Grant {
  readonly reducer: string
  readonly kind: ReducerKind
  readonly tables: readonly { readonly table: string; readonly mode: TableMode }[]
  /** Policies that hold inside of this reducer and not everywhere: `update accounts where true`. */
  readonly policies: readonly string[]
}

export type ReducerKind = 'reducer' | 'query' | 'init' | 'hook'
export type TableMode = 'read' | 'append' | 'write'

export interface PublishReport {
  readonly module: string
  readonly version: number
  readonly hash: string
  /** The same component as the running one: nothing was done. */
  readonly unchanged: boolean
  readonly grants: readonly Grant[]
  readonly grantsAdded: readonly string[]
  readonly grantsRemoved: readonly string[]
  /** Of the policies that hold everywhere: `notes: read where author = sender`. */
  readonly policiesAdded: readonly string[]
  readonly policiesRemoved: readonly string[]
  /** Counts the publishes that changed a policy, from 1. */
  readonly policyVersion: number
  readonly schemaChanges: readonly string[]
  readonly warnings: readonly string[]
  /** Milliseconds by step. */
  readonly timings: Readonly<Record<string, number>>
}

export interface DatabaseState {
  /** 0 before the first publish. */
  readonly version: number
  readonly hash: string
  readonly issuer: IssuerState
}

/** A database as an issuer of tokens: its random id and its public keys (RFC 7517). */
export interface IssuerState {
  readonly id: string
  readonly keys: readonly PublicKey[]
}

export interface PublicKey {
  readonly kid: string
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly alg: 'EdDSA'
  readonly use: 'sig'
}

export interface IdentityEntry {
  readonly identity: string
  readonly logins: readonly Login[]
}

export interface SqlHead {
  readonly columns: readonly { readonly name: string; readonly type: Scalar }[]
  readonly rowCount: number
  readonly examined: number
  /** The number of its record in the access log: what a disclosure of its rows names. */
  readonly record: string
  readonly explanation?: SqlExplanation
}

/** How a statement's rows were found. */
export interface SqlExplanation {
  /** As SQLite goes about it. */
  readonly plan: readonly string[]
  readonly policies: readonly { readonly table: string; readonly policies: readonly string[] }[]
}

/** Claims of a database token before it is signed. */
export interface TokenRequest {
  readonly subject: string
  readonly ttlSeconds: number
  readonly claims: Readonly<Record<string, string>>
  readonly rights: readonly string[]
}

/** One line of a module's log, or of the host about it. */
export interface LogEntry {
  readonly seq: number
  readonly at: string
  readonly level: LogLevel
  readonly reducer: string
  readonly message: string
}
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface AccessSubject {
  /** A login's subject, an identity's digits, or a value of a `@subject` column. */
  readonly text: string
  readonly issuer?: string
}

/** What the last line of an export says of those before it: positions in digits, hashes in hex. */
export interface ExportFacts {
  readonly database: string
  readonly first: string
  readonly last: string
  readonly count: number
  readonly chain: string
  readonly sha256: string
}

/** Where a chain had come to, signed (host/access-log/checkpoint.ts). */
export interface CheckpointHead {
  readonly format: string
  /** Hex of the uid: what a database is, whatever it is called. */
  readonly database: string
  /** Decimal digits. */
  readonly position: string
  /** Hex: the chain after the record at this position. */
  readonly chain: string
  /** RFC 3339. */
  readonly at: string
  readonly kid: string
  /** Ed25519, base64url, over the fields before it. */
  readonly signature: string
}

/** Who reads the access log: somebody of the database, about themselves or with the right, or a host's auditor. */
export interface AccessReader {
  readonly caller?: CallerHead
  readonly host?: string | undefined
  readonly purpose?: string | undefined
}

/** Who asks for what is no call: for the access log. The host itself when left out. */
export interface ByWhom {
  readonly by?: string | undefined
}

/** Head of each request and answer; `body` says which side carries bytes beside its head. */
export interface ShardRequests {
  /** Opens the database's file, and makes it, a tenant's, when `create` is set. */
  open: { request: { create: false } | { create: true; tenant: string }; answer: DatabaseState }
  close: { request: Record<never, never>; answer: Record<never, never> }
  drop: { request: Record<never, never>; answer: Record<never, never> }
  /** Body: the core module, then the description; `coreSizeBytes` says where the one ends. */
  publish: {
    request: { hash: string; coreSizeBytes: number; publishedBy: string; dryRun: boolean }
    answer: PublishReport
  }
  /** Answer body: the description of the running module, empty before the first publish, or of an earlier version. */
  describe: { request: { version?: number }; answer: { version: number; hash: string } }
  /**
   * Body: packed arguments; answer body: the packed result. `version` is what they were packed for; it is an
   * earlier one in the answer to a call that has run before under the same id. A call
   * that was refused has its fuel in the detail of its error.
   */
  call: {
    request: { reducer: number; kind: 'reducer' | 'query' | 'hook'; version: number; caller: CallerHead; id?: string }
    answer: { version: number; fuel: number; record: string }
  }
  /** A client's statement. Answer body: its rows, each value with its presence before it (docs/row-format.md). */
  sql: {
    request: { sql: string; params: readonly unknown[]; caller: CallerHead; explain: boolean }
    answer: SqlHead
  }
  /** What the access log has about one subject, a login's or a value of a `@subject` column; the caller's own when none is named. Answer body: JSON. */
  access: {
    request: { subject: AccessSubject | null; since: string; until: string; rowsMax: number; by: AccessReader }
    answer: Record<never, never>
  }
  /** Lines of an export of the access log, from behind a position on; the first part begins with null. Answer body: text. */
  accessExport: {
    request: { name: string; after: string | null; by: string; purpose?: string | undefined }
    answer: { database: string; last: string; chain: string; count: number; isEnd: boolean }
  }
  /** Answer: the signed line that ends an export. */
  accessFooter: { request: { facts: ExportFacts }; answer: { line: string } }
  /** What left for an outside provider at a turn: the rows of these reads, by the numbers of their records. Before it leaves. */
  disclose: {
    request: { caller: CallerHead; provider: string; what: string; turn: string; reads: readonly string[] }
    answer: Record<never, never>
  }
  checkpoint: { request: { by: string }; answer: CheckpointHead }
  identify: { request: { login: Login }; answer: { identity: string } }
  identities: { request: ByWhom; answer: { identities: readonly IdentityEntry[] } }
  /** `login` gets the identity of `to`. */
  link: { request: { login: Login; to: Login; by: string }; answer: { identity: string } }
  unlink: { request: { login: Login; by: string }; answer: { identity: string } }
  token: { request: TokenRequest & ByWhom; answer: { token: string } }
  rotateKey: { request: ByWhom; answer: IssuerState }
  /** Changes limits, none when `change` is empty, and says what holds. */
  limits: { request: { change: LimitChange } & ByWhom; answer: DatabaseLimits }
  removeKey: { request: { kid: string } & ByWhom; answer: IssuerState }
}
export type ShardMethod = keyof ShardRequests
export type ShardRequest<M extends ShardMethod> = ShardRequests[M]['request']
export type ShardAnswer<M extends ShardMethod> = ShardRequests[M]['answer']

/** What a shard says without being asked. */
export interface ShardEvent {
  readonly kind: 'log'
  readonly database: string
  readonly entries: readonly LogEntry[]
}

/** The one door to all guest code and all SQLite of its databases. */
export interface Shard {
  /**
   * @throws HostError what the shard refused, ERR_BUSY when the database's queue is full,
   *   ERR_SHARD_LOST when the shard died before it answered: the call may or may not have happened.
   */
  send<M extends ShardMethod>(database: string, method: M, head: ShardRequest<M>, body?: Uint8Array): Promise<{ head: ShardAnswer<M>; body: Uint8Array }>
  /** Ends after the calls already taken; later ones are refused. */
  close(): Promise<void>
}
