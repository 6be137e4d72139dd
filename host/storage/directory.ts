/**
 * The directory of a database: which login is which identity. An identity is minted at the first
 * sight of a login; linking lets two logins be one person, and is logged and undone here.
 */
import { randomBytes } from 'node:crypto'

import type { Micros } from '../clock.ts'
import { HostError } from '../errors.ts'
import { identityFromBytes, identitySizeBytes } from '../identity.ts'
import type { Identity, Login } from '../identity.ts'
import * as limits from '../limits.ts'
import type { DatabaseFile } from './database-file.ts'

/** What the directory did, as the log keeps it: with it, `apply` makes another file the same. */
export interface DirectoryChange {
  readonly kind: DirectoryChangeKind
  readonly login: Login
  readonly before: Uint8Array | null
  readonly after: Uint8Array
  /** The identity that the login goes back to when it is unlinked. */
  readonly own: Uint8Array | null
  readonly at: Micros
  readonly by: string
}
export type DirectoryChangeKind = 'mint' | 'link' | 'unlink'

export class Directory {
  readonly #file: DatabaseFile
  readonly #now: () => Micros
  readonly #onChange: (change: DirectoryChange) => void
  /** Undone with the transaction it was filled in: `forget` empties it. */
  readonly #known = new Map<string, Uint8Array>()

  /** `onChange` hears of each change in the open transaction, after it was made. */
  constructor(file: DatabaseFile, now: () => Micros, onChange: (change: DirectoryChange) => void) {
    this.#file = file
    this.#now = now
    this.#onChange = onChange
  }

  /**
   * The 32 bytes of the login's identity, minted in the open transaction when it is new. The bytes
   * are shared: nobody writes into them.
   */
  identify(login: Login): Uint8Array {
    const cacheKey = `${login.issuer.length} ${login.issuer} ${login.subject}`
    const known = this.#known.get(cacheKey)
    if (known !== undefined) return known
    const identity = this.#stored(login)?.identity ?? this.#mint(login)
    if (this.#known.size >= limits.identitiesCachedMax) this.#known.clear()
    this.#known.set(cacheKey, identity)
    return identity
  }

  /** The same without minting one: undefined for a login that was never seen. */
  find(login: Login): Uint8Array | undefined {
    return this.#stored(login)?.identity
  }

  /** By which logins somebody is known. */
  loginsOf(identity: Uint8Array): readonly Login[] {
    const rows = this.#file.statement('SELECT issuer, subject FROM _logins WHERE identity = ? ORDER BY issuer, subject').rows([identity])
    return rows.map(([issuer, subject]) => ({ issuer: String(issuer), subject: String(subject) }))
  }

  /** Drops what was read or minted in a transaction that is rolled back. */
  forget(): void {
    this.#known.clear()
  }

  list(): { identity: Identity; logins: Login[] }[] {
    const found = new Map<string, Login[]>()
    for (const [identity] of this.#file.statement('SELECT identity FROM _identities ORDER BY minted_at, identity').rows([])) {
      found.set(identityFromBytes(asBytes(identity)), [])
    }
    for (const [identity, issuer, subject] of this.#file.statement('SELECT identity, issuer, subject FROM _logins ORDER BY issuer, subject').rows([])) {
      found.get(identityFromBytes(asBytes(identity)))?.push({ issuer: String(issuer), subject: String(subject) })
    }
    return [...found].map(([identity, logins]) => ({ identity: identity as Identity, logins }))
  }

  /**
   * Gives `login` the identity of `to`. The identity it had is kept: `unlink` gives it back.
   *
   * @throws HostError ERR_LOGIN_LINKED when the login is linked elsewhere already.
   */
  link(login: Login, to: Login, by: string): Identity {
    const after = this.identify(to)
    const stored = this.#stored(login)
    if (stored !== undefined && isLinked(stored) && Buffer.compare(stored.identity, after) !== 0) {
      throw new HostError('ERR_LOGIN_LINKED', `${login.subject} is linked to another identity: unlink it first`)
    }
    this.#change({ kind: 'link', login, before: stored?.identity ?? null, after, own: stored?.own ?? null, by })
    return identityFromBytes(after)
  }

  /**
   * Gives the login an identity of its own again: the one it had before it was linked, or a new one.
   *
   * @throws HostError ERR_LOGIN_UNKNOWN when the login was never seen.
   */
  unlink(login: Login, by: string): Identity {
    const stored = this.#stored(login)
    if (stored === undefined) throw new HostError('ERR_LOGIN_UNKNOWN', `${login.subject} has never been seen here: nothing to unlink`)
    const own = stored.own ?? randomBytes(identitySizeBytes)
    this.#change({ kind: 'unlink', login, before: stored.identity, after: own, own, by })
    return identityFromBytes(own)
  }

  #mint(login: Login): Uint8Array {
    const identity = randomBytes(identitySizeBytes)
    this.#change({ kind: 'mint', login, before: null, after: identity, own: identity, by: '' })
    return identity
  }

  #change(change: Omit<DirectoryChange, 'at'>): void {
    const made = { ...change, at: this.#now() }
    this.#file.begin()
    applyDirectoryChange(this.#file, made)
    if (made.kind !== 'mint') this.forget()
    this.#onChange(made)
  }

  #stored(login: Login): StoredLogin | undefined {
    const row = this.#file.statement('SELECT identity, own_identity FROM _logins WHERE issuer = ? AND subject = ?').row([login.issuer, login.subject])
    if (row === undefined) return undefined
    const [identity = null, own = null] = row
    return { identity: asBytes(identity), own: own === null ? null : asBytes(own) }
  }
}

/** In the open transaction; nothing is asked and nothing refused. */
export function applyDirectoryChange(file: DatabaseFile, { kind, login, before, after, own, at, by }: DirectoryChange): void {
  file.statement('INSERT INTO _identities (identity, minted_at) VALUES (?, ?) ON CONFLICT (identity) DO NOTHING').run([after, at])
  file
    .statement(
      'INSERT INTO _logins (issuer, subject, identity, own_identity) VALUES (?, ?, ?, ?) ON CONFLICT (issuer, subject) DO UPDATE SET identity = excluded.identity, own_identity = excluded.own_identity',
    )
    .run([login.issuer, login.subject, after, own])
  if (kind === 'mint') return
  file
    .statement('INSERT INTO _login_events (at, kind, issuer, subject, before, after, by) VALUES (?, ?, ?, ?, ?, ?, ?)')
    .run([at, kind, login.issuer, login.subject, before, after, by])
}

/** The login that an identity was minted for, if it was for one. */
export function firstLogin(file: DatabaseFile, identity: Uint8Array): Login | undefined {
  const row = file.statement('SELECT issuer, subject FROM _logins WHERE own_identity = ? ORDER BY issuer, subject LIMIT 1').row([identity])
  return row === undefined ? undefined : { issuer: String(row[0]), subject: String(row[1]) }
}

interface StoredLogin {
  readonly identity: Uint8Array
  /** The identity minted for this login itself; null when it was linked before it was ever seen. */
  readonly own: Uint8Array | null
}

function isLinked(stored: StoredLogin): boolean {
  return stored.own === null || Buffer.compare(stored.identity, stored.own) !== 0
}

function asBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array && value.length === identitySizeBytes) return value
  throw new HostError('ERR_STORAGE', 'the directory holds an identity that is not 32 bytes: the file is damaged')
}
