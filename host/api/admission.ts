/**
 * Who may come in: from a token, or the lack of one, to the principal a request acts as. Tokens are
 * verified here and nowhere else, before a body is read.
 *
 * What is told to whom: a token that is good at this host learns ERR_DATABASE_UNKNOWN of a database of
 * another tenant as of one that does not exist; a database's token that is shown at another database
 * learns ERR_TOKEN_AUDIENCE whether that one exists or not.
 */
import { readCompactToken } from '../auth/compact-token.ts'
import type { DatabasePrincipal, HostPrincipal, Principal, Role } from '../auth/principal.ts'
import { TokenVerifier } from '../auth/verify-token.ts'
import type { Clock } from '../clock.ts'
import { assert, HostError } from '../errors.ts'
import type { Login } from '../identity.ts'
import type { DatabaseFacts } from './database-facts.ts'
import type { Catalogue } from './ports.ts'

export interface AnonymousVisitor {
  readonly kind: 'anonymous'
}
export type Visitor = Principal | AnonymousVisitor

/** Everybody without a token is one and the same login, of an issuer that no token can have. */
export const anonymousLogin: Login = { issuer: 'anonymous', subject: 'anonymous' }

export interface Credentials {
  /** Undefined when none was sent; a bad one is refused and never taken for none. */
  readonly token: string | undefined
  /** Whether the host was addressed by number or as localhost: a name could be any web page's. */
  readonly isDirect: boolean
}

/** Who may use a database's route: host tokens by role, and who of the database's own people. */
export interface DatabaseAccess {
  readonly roles: readonly Role[]
  readonly people: 'none' | 'signed' | 'anonymous'
}

export interface AdmissionOptions {
  readonly catalogue: Catalogue
  readonly facts: DatabaseFacts
  readonly clock: Clock
  readonly allowAnonymous: boolean
}

export class Admission {
  readonly #catalogue: Catalogue
  readonly #facts: DatabaseFacts
  readonly #allowAnonymous: boolean
  readonly #verifier: TokenVerifier

  constructor({ catalogue, facts, clock, allowAnonymous }: AdmissionOptions) {
    this.#catalogue = catalogue
    this.#facts = facts
    this.#allowAnonymous = allowAnonymous
    this.#verifier = new TokenVerifier(clock)
  }

  /** @throws HostError ERR_TOKEN_*, ERR_RIGHT_MISSING */
  async toHost({ token }: Credentials, roles: readonly Role[]): Promise<HostPrincipal> {
    const principal = await this.#hostPrincipal(token ?? missing())
    requireRole(principal, roles)
    return principal
  }

  /** @throws HostError ERR_TOKEN_*, ERR_TENANT_UNKNOWN for a tenant that is not the token's own, ERR_RIGHT_MISSING */
  async toTenant({ token }: Credentials, tenant: string, roles: readonly Role[]): Promise<HostPrincipal> {
    const principal = await this.#hostPrincipal(token ?? missing())
    if (!reaches(principal, tenant) || !this.#catalogue.tenants().includes(tenant)) {
      throw new HostError('ERR_TENANT_UNKNOWN', `there is no tenant ${tenant}`)
    }
    requireRole(principal, roles)
    return principal
  }

  /** @throws HostError ERR_TOKEN_*, ERR_DATABASE_UNKNOWN, ERR_RIGHT_MISSING */
  async toDatabase({ token, isDirect }: Credentials, database: string, access: DatabaseAccess): Promise<Visitor> {
    if (token === undefined) return this.#anonymous(isDirect, database, access)
    if (readCompactToken(token).issuer !== this.#catalogue.issuer().id) return this.#person(token, database, access)
    const principal = await this.#hostPrincipal(token)
    const entry = this.#catalogue.database(database)
    if (entry === undefined || !reaches(principal, entry.tenant)) throw unknownDatabase(database)
    if (access.roles.length === 0) throw nobodyInDatabase(database)
    requireRole(principal, access.roles)
    return principal
  }

  /** The login that another token of the same database proves. */
  async proven(token: string, database: string): Promise<DatabasePrincipal> {
    if (this.#catalogue.database(database) === undefined) throw notFor(database)
    const principal = await this.#verifier.verify(token, { kind: 'database', state: await this.#facts.issuer(database) })
    assert(principal.kind === 'database', "a database's issuer makes database principals")
    return principal
  }

  async #person(token: string, database: string, access: DatabaseAccess): Promise<DatabasePrincipal> {
    const principal = await this.proven(token, database)
    if (access.people === 'none') {
      throw new HostError('ERR_RIGHT_MISSING', `this takes a host token with the role ${access.roles.join(' or ')}, not a token of the database`)
    }
    return principal
  }

  #anonymous(isDirect: boolean, database: string, access: DatabaseAccess): AnonymousVisitor {
    if (access.people !== 'anonymous' || !this.#allowAnonymous) missing()
    if (!isDirect) {
      throw new HostError(
        'ERR_TOKEN_MISSING',
        'a request without a token is taken under an IP address or localhost only, so that no web page can send one: send a token',
      )
    }
    if (this.#catalogue.database(database) === undefined) throw unknownDatabase(database)
    return { kind: 'anonymous' }
  }

  async #hostPrincipal(token: string): Promise<HostPrincipal> {
    const principal = await this.#verifier.verify(token, { kind: 'host', state: this.#catalogue.issuer() })
    assert(principal.kind === 'host', "the host's issuer makes host principals")
    return principal
  }
}

function reaches(principal: HostPrincipal, tenant: string): boolean {
  return principal.roles.includes('operator') || principal.tenant === tenant
}

function requireRole(principal: HostPrincipal, roles: readonly Role[]): void {
  if (principal.roles.some((role) => roles.includes(role))) return
  throw new HostError('ERR_RIGHT_MISSING', `this takes the role ${roles.join(' or ')}; the token has ${principal.roles.join(' and ')}`)
}

function missing(): never {
  throw new HostError('ERR_TOKEN_MISSING', 'this takes a token: send it as Authorization: Bearer <token>')
}

export function unknownDatabase(database: string): HostError {
  return new HostError('ERR_DATABASE_UNKNOWN', `there is no database ${database} here, or none that this token may see`)
}

function notFor(database: string): HostError {
  return new HostError('ERR_TOKEN_AUDIENCE', `the token was not issued by a database ${database} of this host: ask there for a new one`)
}

function nobodyInDatabase(database: string): HostError {
  return new HostError('ERR_RIGHT_MISSING', `a host token gives roles and is nobody in ${database}: ask for a token of the database`)
}
