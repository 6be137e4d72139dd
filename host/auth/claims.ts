/**
 * The claims of a token that are its issuer's own words: what they may be called and hold. They stand
 * at the top level of the token beside the registered ones and reach a call as packed strings.
 */
import { isClaimName, RESERVED_CLAIMS } from '../claim-names.ts'
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'

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
