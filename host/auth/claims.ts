/**
 * The claims of a token that are its issuer's own words: what they may be called and hold. They stand
 * at the top level of the token beside the registered ones and reach a call as packed strings.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'

/** Names with a meaning of their own in a token (RFC 7519 §4.1, RFC 8693, and ours). */
export const RESERVED_CLAIMS: ReadonlySet<string> = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'act', 'may_act', 'rights', 'roles', 'tenant'])

/** A word or a URL (RFC 7519 §4.2), so never a name like `__proto__`. */
const CLAIM_NAME = /^[a-zA-Z][a-zA-Z0-9_.:/-]{0,127}$/

export function isClaimName(name: string): boolean {
  return CLAIM_NAME.test(name)
}

/** Packed strings hold neither U+0000 nor lone surrogates. */
export function isClaimValue(value: string): boolean {
  return Buffer.byteLength(value) <= limits.claimSizeBytesMax && value.isWellFormed() && !value.includes('\0')
}

/** @throws HostError ERR_REQUEST_MALFORMED for claims that no token may carry. */
export function checkClaims(claims: Readonly<Record<string, string>>): void {
  const entries = Object.entries(claims)
  if (entries.length > limits.claimsMax) throw malformed(`a token carries at most ${limits.claimsMax} claims, not ${entries.length}`)
  for (const [name, value] of entries) checkClaim(name, value)
}

function checkClaim(name: string, value: string): void {
  if (RESERVED_CLAIMS.has(name)) throw malformed(`the claim ${name} has a meaning of its own in a token: choose another name`)
  if (!isClaimName(name)) throw malformed('a claim is named by a letter and then letters, digits, and _ . : / -, at most 128 in all')
  if (!isClaimValue(value)) {
    throw malformed(`the claim ${name} is at most ${limits.claimSizeBytesMax} bytes of text, without U+0000 and lone surrogates`)
  }
}

function malformed(message: string): HostError {
  return new HostError('ERR_REQUEST_MALFORMED', message)
}
