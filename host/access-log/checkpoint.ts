/**
 * A checkpoint: where the chain of a database had come to at some moment, signed with the database's own key. Kept
 * somewhere else, by somebody else, it shows that a log was cut back or written anew: the log must still have the
 * record, and the chain after it must be the same.
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { JsonWebKey } from 'node:crypto'

import { z } from 'zod'

import { signingKey } from '../auth/signing-key.ts'
import type { KeyRing } from '../auth/signing-key.ts'
import { HostError } from '../errors.ts'
import type { CheckpointHead } from '../protocol/shard-protocol.ts'

export interface Checkpoint extends CheckpointHead {
  readonly format: typeof checkpointFormat
}

const checkpointFormat = 'remembrancer access checkpoint 1'

const hex = (bytes: number): z.ZodString => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
const shape = z.strictObject({
  format: z.literal(checkpointFormat),
  database: hex(16),
  position: z.string().regex(/^\d{1,20}$/),
  chain: hex(32),
  at: z.string(),
  kid: z.string(),
  signature: z.string(),
})

export function signCheckpoint(ring: KeyRing, place: Pick<Checkpoint, 'database' | 'position' | 'chain' | 'at'>): Checkpoint {
  const { kid } = signingKey(ring)
  const unsigned = { format: checkpointFormat, ...place, kid } as const
  return { ...unsigned, signature: signText(ring, signedText(unsigned)) }
}

/** @throws HostError ERR_USAGE */
export function parseCheckpoint(text: string): Checkpoint {
  const parsed = shape.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new HostError('ERR_USAGE', 'this is no checkpoint: remembrancer audit checkpoint writes one')
}

export function isSignedBy(checkpoint: Checkpoint, keys: readonly JsonWebKey[]): boolean {
  return isSignatureOf(signedText(checkpoint), checkpoint, keys)
}

function signedText({ format, database, position, chain, at, kid }: Omit<Checkpoint, 'signature'>): string {
  return [format, database, position, chain, at, kid, ''].join('\n')
}

/** With the newest key of the ring. What is signed begins with what it is, so that nothing else is taken for it. */
export function signText(ring: KeyRing, text: string): string {
  return sign(null, Buffer.from(text), createPrivateKey({ key: { ...signingKey(ring) }, format: 'jwk' })).toString('base64url')
}

export function isSignatureOf(text: string, { kid, signature }: { readonly kid: string; readonly signature: string }, keys: readonly JsonWebKey[]): boolean {
  const key = keys.find((one) => one['kid'] === kid)
  if (key === undefined) return false
  return verify(null, Buffer.from(text), createPublicKey({ key, format: 'jwk' }), Buffer.from(signature, 'base64url'))
}

const publicKey = z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), kid: z.string() })

/**
 * Public keys as `GET /v1/databases/:db/keys` gives them, or a single JWK.
 *
 * @throws HostError ERR_USAGE
 */
export function parsePublicKeys(text: string): readonly JsonWebKey[] {
  const parsed = z.union([z.looseObject({ keys: z.array(publicKey).min(1) }), publicKey]).safeParse(parseJson(text))
  if (!parsed.success) throw new HostError('ERR_USAGE', 'this holds no Ed25519 public key: GET /v1/databases/<name>/keys gives a set of them')
  const keys = 'keys' in parsed.data ? (parsed.data.keys as z.infer<typeof publicKey>[]) : [parsed.data]
  return keys.map(({ kty, crv, x, kid }) => ({ kty, crv, x, kid }))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
