/** An issuer, a clock that stands still, and a way to write tokens that our own writer would refuse. */
import { createPrivateKey, sign } from 'node:crypto'

import type { Clock } from '../../host/clock.ts'
import { issuerState, signingKey } from '../../host/auth/signing-key.ts'
import type { KeyRing, SigningKey } from '../../host/auth/signing-key.ts'
import type { TrustedIssuer } from '../../host/auth/verify-token.ts'

/** A clock that shows what it was last set to, in seconds since 1970. */
export class SetClock implements Clock {
  seconds: number

  constructor(seconds = 1_800_000_000) {
    this.seconds = seconds
  }

  now(): bigint {
    return BigInt(this.seconds) * 1_000_000n
  }
}

export function trusted(kind: TrustedIssuer['kind'], ring: KeyRing): TrustedIssuer {
  return { kind, state: issuerState(ring) }
}

/** A token over any header and payload text, correctly signed with Ed25519. */
export function signRaw(key: SigningKey, header: string, payload: string): string {
  const input = `${encode(header)}.${encode(payload)}`
  const privateKey = createPrivateKey({ key: { ...key }, format: 'jwk' })
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`
}

/** The header our own tokens have. */
export function plainHeader(ring: KeyRing): string {
  return JSON.stringify({ alg: 'EdDSA', kid: signingKey(ring).kid })
}

export function encode(text: string): string {
  return Buffer.from(text).toString('base64url')
}
