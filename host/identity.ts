/**
 * Identities and logins. An identity is 32 random bytes that a database minted for a person; a login
 * is how that person proved who they are. In code an identity is its 64 hex digits (comparable with
 * ===); in bytes, rows and SQL it is the 32 bytes.
 */
import { HostError } from './errors.ts'

export const identitySizeBytes = 32

/** 64 lower-case hex digits. */
export type Identity = string & { readonly brand: 'Identity' }

/** Who somebody is according to an issuer. The pair is unique within a database's directory. */
export interface Login {
  readonly issuer: string
  readonly subject: string
}

/** The issuer of the host's own logins, such as the one that `init` reducers run as. Nobody else has it. */
export const hostIssuer = 'host'

/** How far a login is to be believed: by its own signature, by a provider's word, by a service's claim, or not at all. */
export const ASSURANCES = ['none', 'claimed', 'provider', 'signed'] as const
export type Assurance = (typeof ASSURANCES)[number]

/** @throws HostError ERR_ARGUMENT_TYPE when the text is not 64 hex digits. */
export function parseIdentity(text: string): Identity {
  if (!/^[0-9a-f]{64}$/i.test(text)) {
    throw new HostError('ERR_ARGUMENT_TYPE', `an identity is 64 hex digits, not ${JSON.stringify(text.slice(0, 80))}`)
  }
  return text.toLowerCase() as Identity
}

/** The identity of 32 bytes that were checked or minted by us. */
export function identityFromBytes(bytes: Uint8Array): Identity {
  return Buffer.from(bytes.buffer, bytes.byteOffset, identitySizeBytes).toString('hex') as Identity
}

export function identityToBytes(identity: Identity): Buffer {
  return Buffer.from(identity, 'hex')
}
