/**
 * The outside of a token, read before any key is looked up: which issuer and which key it names.
 * Nothing in here is believed; it only chooses what to verify with.
 *
 * All tokens are our own (mint-token.ts), so the reader takes nothing but what our writer writes: the
 * header has exactly `alg` and `kid`, hence no `jku`, `jwk`, `x5u`, `x5c`, `crit` or `zip` to fall
 * for, and both parts are the canonical JSON of what they parse to, hence no member twice (RFC 7519
 * §4 leaves it open which of two would count).
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'

export interface CompactToken {
  readonly kid: string
  readonly issuer: string
}

/** Three parts, the last one the 64 bytes of an Ed25519 signature. A JWE has five. */
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]{86}$/

/** @throws HostError ERR_TOKEN_INVALID */
export function readCompactToken(token: string): CompactToken {
  if (token.length > limits.tokenSizeBytesMax) throw invalidToken(`is longer than ${limits.tokenSizeBytesMax} bytes`)
  const match = COMPACT.exec(token)
  if (match === null) throw invalidToken('is not a JWT signed with EdDSA')
  const header = readPart(match[1] ?? '')
  const payload = readPart(match[2] ?? '')
  if (Object.keys(header).sort().join() !== 'alg,kid' || header['alg'] !== 'EdDSA' || typeof header['kid'] !== 'string') {
    throw invalidToken('has a header other than {"alg":"EdDSA","kid":"…"}')
  }
  if (typeof payload['iss'] !== 'string') throw invalidToken('names no issuer')
  return { kid: header['kid'], issuer: payload['iss'] }
}

function readPart(encoded: string): Readonly<Record<string, unknown>> {
  const text = Buffer.from(encoded, 'base64url').toString('utf8')
  const value = parseJson(text)
  if (!isRecord(value) || JSON.stringify(value) !== text) throw invalidToken('is not made of plain JSON objects')
  return value
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function invalidToken(what: string, cause?: unknown): HostError {
  return new HostError('ERR_TOKEN_INVALID', `the token ${what}: ask for a new one`, { cause })
}
