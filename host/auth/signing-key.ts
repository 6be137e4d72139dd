/**
 * The Ed25519 keys with which a host or a database signs its tokens, and their rotation as data: a
 * key ring goes in and a new one comes out, and whoever stores the ring (the catalogue, a database's
 * own file) stores the result. The newest key signs; the older ones verify until they are removed.
 */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'

import { assert, HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import type { IssuerState, PublicKey } from '../protocol/shard-protocol.ts'

/** A private key as a JWK (RFC 8037). `d` never leaves the file it is kept in. */
export interface SigningKey extends PublicKey {
  readonly d: string
}

/** An issuer of tokens with its keys, the newest first. There is always at least one. */
export interface KeyRing {
  readonly issuer: string
  readonly keys: readonly SigningKey[]
}

/** An issuer that did not exist before: a random id, so that no token outlives its database, and one key. */
export function newKeyRing(): KeyRing {
  return { issuer: randomBytes(16).toString('base64url'), keys: [generateKey()] }
}

export function generateKey(): SigningKey {
  const { crv, d, kty, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  assert(kty === 'OKP' && crv === 'Ed25519' && x !== undefined && d !== undefined, 'node:crypto makes an Ed25519 JWK')
  return { kid: thumbprint(x), kty, crv, x, d, alg: 'EdDSA', use: 'sig' }
}

/** The kid is the key's own thumbprint (RFC 7638), so the same kid is always the same key. */
function thumbprint(x: string): string {
  return createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')
}

/** The key that signs new tokens. */
export function signingKey(ring: KeyRing): SigningKey {
  const [newest] = ring.keys
  assert(newest !== undefined, 'a key ring holds at least one key')
  return newest
}

/** What may be shown of an issuer. */
export function issuerState(ring: KeyRing): IssuerState {
  return { id: ring.issuer, keys: ring.keys.map(publicKey) }
}

export function publicKey({ kid, kty, crv, x, alg, use }: SigningKey): PublicKey {
  return { kid, kty, crv, x, alg, use }
}

/** @throws HostError ERR_KEY_LIMIT when old keys must be removed first. */
export function rotateKeys(ring: KeyRing): KeyRing {
  if (ring.keys.length >= limits.keysPerIssuerMax) {
    throw new HostError('ERR_KEY_LIMIT', `an issuer keeps at most ${limits.keysPerIssuerMax} keys: remove old ones before making another`)
  }
  return { issuer: ring.issuer, keys: [generateKey(), ...ring.keys] }
}

/** @throws HostError ERR_KEY_UNKNOWN, ERR_KEY_IN_USE for the key that signs. */
export function removeKey(ring: KeyRing, kid: string): KeyRing {
  if (signingKey(ring).kid === kid) {
    throw new HostError('ERR_KEY_IN_USE', `${kid} signs new tokens: rotate first, then remove it`)
  }
  const keys = ring.keys.filter((key) => key.kid !== kid)
  if (keys.length === ring.keys.length) {
    throw new HostError('ERR_KEY_UNKNOWN', 'this issuer has no key with that kid', { detail: { kids: keys.map((key) => key.kid) } })
  }
  return { issuer: ring.issuer, keys }
}
