/**
 * Tokens coming in: from the text of a token to a principal, or to a typed refusal. The signature is
 * checked by jose against the one key that the token names among the issuer's own; no other key is
 * ever looked for. A token is good at the host or at the one database that issued it, nowhere else.
 *
 * There is no leeway for clocks: the same host issues and verifies.
 */
import { createHash } from 'node:crypto'

import { errors, jwtVerify } from 'jose'
import type { JWTPayload } from 'jose'
import { z } from 'zod'

import { seconds } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { LruMap } from '../lru-map.ts'
import type { IssuerState, PublicKey } from '../protocol/shard-protocol.ts'
import { isClaimName, RESERVED_CLAIMS } from '../claim-names.ts'
import { isClaimValue } from './claims.ts'
import { invalidToken, readCompactToken } from './compact-token.ts'
import type { CompactToken } from './compact-token.ts'
import { areRolesSound, ROLES } from './principal.ts'
import type { DatabasePrincipal, HostPrincipal, Principal } from './principal.ts'

/** An issuer and what its tokens make of their bearer. */
export interface TrustedIssuer {
  readonly kind: Principal['kind']
  readonly state: IssuerState
}

interface Verified {
  readonly kid: string
  readonly principal: Principal
}

const hostClaims = z.object({ sub: z.string(), exp: z.number(), tenant: z.string().optional(), roles: z.array(z.enum(ROLES)) })
const databaseClaims = z.object({ sub: z.string(), exp: z.number(), rights: z.array(z.string()).default([]) })
const claimValue = z.union([z.string(), z.number(), z.boolean()])

export class TokenVerifier {
  readonly #clock: Clock
  /** By the token's SHA-256, so that no usable token lies in the cache. */
  readonly #verified = new LruMap<string, Verified>(limits.tokensCachedMax)

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Whom a token speaks for at `issuer`.
   *
   * @throws HostError ERR_TOKEN_AUDIENCE when another issuer made it, ERR_TOKEN_EXPIRED,
   *   ERR_TOKEN_INVALID for everything else.
   */
  async verify(token: string, issuer: TrustedIssuer): Promise<Principal> {
    const outside = readCompactToken(token)
    if (outside.issuer !== issuer.state.id) throw foreignToken()
    const digest = `${issuer.kind} ${createHash('sha256').update(token).digest('base64url')}`
    const known = this.#verified.get(digest)
    // The kid is the key's thumbprint: while the issuer still lists it, the signature still holds.
    if (known !== undefined && hasKey(issuer.state, known.kid)) return this.#unexpired(known.principal)
    const principal = await this.#check(token, outside, issuer)
    this.#verified.set(digest, { kid: outside.kid, principal })
    return principal
  }

  #unexpired(principal: Principal): Principal {
    if (seconds(this.#clock) >= principal.expiresAt) throw expiredToken()
    return principal
  }

  async #check(token: string, outside: CompactToken, issuer: TrustedIssuer): Promise<Principal> {
    const key = issuer.state.keys.find((one) => one.kid === outside.kid)
    if (key === undefined) throw invalidToken('is signed with a key that this issuer does not have (any more)')
    const payload = await verifySignature(token, key, issuer.state.id, this.#clock)
    return issuer.kind === 'host' ? hostPrincipal(payload) : databasePrincipal(payload, issuer.state.id)
  }
}

function hasKey(issuer: IssuerState, kid: string): boolean {
  return issuer.keys.some((key) => key.kid === kid)
}

async function verifySignature(token: string, key: PublicKey, issuerId: string, clock: Clock): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(
      token,
      { ...key },
      {
        algorithms: ['EdDSA'],
        issuer: issuerId,
        audience: issuerId,
        requiredClaims: ['sub', 'exp'],
        currentDate: new Date(seconds(clock) * 1_000),
      },
    )
    return payload
  } catch (cause) {
    throw refusal(cause)
  }
}

function refusal(cause: unknown): HostError {
  if (cause instanceof errors.JWTExpired) return expiredToken()
  if (cause instanceof errors.JWTClaimValidationFailed) {
    return cause.claim === 'aud' ? foreignToken() : invalidToken(`has no good claim "${cause.claim}"`, cause)
  }
  return invalidToken('does not verify', cause)
}

function hostPrincipal(payload: JWTPayload): HostPrincipal {
  const parsed = hostClaims.safeParse(payload)
  if (!parsed.success || !areRolesSound(parsed.data.roles, parsed.data.tenant)) throw invalidToken('has no roles that belong together')
  const { sub, exp, tenant, roles } = parsed.data
  return { kind: 'host', subject: sub, tenant, roles, expiresAt: exp }
}

function databasePrincipal(payload: JWTPayload, issuer: string): DatabasePrincipal {
  const parsed = databaseClaims.safeParse(payload)
  if (!parsed.success) throw invalidToken('is not that of a database')
  const { sub, exp, rights } = parsed.data
  return { kind: 'database', login: { issuer, subject: sub }, assurance: 'signed', claims: ownClaims(payload), rights, expiresAt: exp }
}

/** Claims that are the issuer's own words; numbers and booleans become their text. */
function ownClaims(payload: JWTPayload): Record<string, string> {
  const entries = Object.entries(payload).filter(([name]) => !RESERVED_CLAIMS.has(name))
  if (entries.length > limits.claimsMax) throw invalidToken(`carries more than ${limits.claimsMax} claims`)
  return Object.fromEntries(entries.map(([name, value]) => [name, claimText(name, value)]))
}

function claimText(name: string, value: unknown): string {
  const parsed = claimValue.safeParse(value)
  const text = parsed.success ? String(parsed.data) : ''
  if (!parsed.success || !isClaimName(name) || !isClaimValue(text)) throw invalidToken('carries a claim that is no text, number or boolean')
  return text
}

function expiredToken(): HostError {
  return new HostError('ERR_TOKEN_EXPIRED', 'the token has expired: ask for a new one')
}

function foreignToken(): HostError {
  return new HostError('ERR_TOKEN_AUDIENCE', 'the token was issued by another host or database and is not for this one: ask here for a new one')
}
