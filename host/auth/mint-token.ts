/**
 * Tokens going out: a signed JWT (RFC 7519) whose issuer and audience are both the one host or
 * database it is for, so that no other one takes it. What verify-token.ts would refuse is not signed.
 */
import { SignJWT } from 'jose'

import { seconds } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import type { TokenRequest } from '../protocol/shard-protocol.ts'
import { checkClaims } from './claims.ts'
import { checkLoginPart } from './login.ts'
import { areRolesSound, RIGHTS } from './principal.ts'
import type { Role } from './principal.ts'
import { signingKey } from './signing-key.ts'
import type { KeyRing } from './signing-key.ts'

export interface HostTokenRequest {
  readonly subject: string
  /** Undefined for an operator. */
  readonly tenant: string | undefined
  readonly roles: readonly Role[]
  readonly ttlSeconds: number
}

/** @throws HostError ERR_REQUEST_MALFORMED, ERR_REQUEST_TOO_LARGE */
export async function mintDatabaseToken(ring: KeyRing, request: TokenRequest, clock: Clock): Promise<string> {
  checkClaims(request.claims)
  checkRights(request.rights)
  const rights = request.rights.length === 0 ? {} : { rights: request.rights }
  return sign(ring, request.subject, request.ttlSeconds, { ...request.claims, ...rights }, clock)
}

/** @throws HostError ERR_REQUEST_MALFORMED */
export async function mintHostToken(ring: KeyRing, request: HostTokenRequest, clock: Clock): Promise<string> {
  checkRoles(request.roles, request.tenant)
  const tenant = request.tenant === undefined ? {} : { tenant: request.tenant }
  return sign(ring, request.subject, request.ttlSeconds, { ...tenant, roles: request.roles }, clock)
}

async function sign(ring: KeyRing, subject: string, ttlSeconds: number, claims: Record<string, unknown>, clock: Clock): Promise<string> {
  checkLoginPart('a subject', subject)
  checkTtl(ttlSeconds)
  const issuedAt = seconds(clock)
  const key = signingKey(ring)
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid })
    .setIssuer(ring.issuer)
    .setAudience(ring.issuer)
    .setSubject(subject)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds)
    .sign({ ...key })
  if (token.length > limits.tokenSizeBytesMax) {
    throw new HostError(
      'ERR_REQUEST_TOO_LARGE',
      `the token would be ${token.length} bytes, at most ${limits.tokenSizeBytesMax}: give it fewer or shorter claims`,
    )
  }
  return token
}

function checkTtl(ttlSeconds: number): void {
  if (Number.isInteger(ttlSeconds) && ttlSeconds >= 1 && ttlSeconds <= limits.tokenTtlSecondsMax) return
  throw malformed(`ttlSeconds is a whole number from 1 to ${limits.tokenTtlSecondsMax}`)
}

function checkRights(rights: readonly string[]): void {
  const known: readonly string[] = RIGHTS
  if (rights.every((right) => known.includes(right)) && new Set(rights).size === rights.length) return
  throw malformed(`rights are some of ${RIGHTS.join(', ')}, each once`)
}

function checkRoles(roles: readonly Role[], tenant: string | undefined): void {
  if (areRolesSound(roles, tenant)) return
  throw malformed('an operator has no tenant and no other role; the roles admin, publisher and auditor are those of one tenant')
}

function malformed(message: string): HostError {
  return new HostError('ERR_REQUEST_MALFORMED', message)
}
