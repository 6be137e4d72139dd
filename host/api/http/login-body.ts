/** A login as a request writes it: `{ issuer?, subject }`, of the database's own issuer when none is named. */
import { z } from 'zod'

import { checkLoginPart } from '../../auth/login.ts'
import { hostIssuer } from '../../identity.ts'
import type { Login } from '../../identity.ts'
import type { IssuerState } from '../../protocol/shard-protocol.ts'
import { anonymousLogin } from '../admission.ts'
import { malformed } from './json-body.ts'

export const loginShape = z.strictObject({ issuer: z.string().optional(), subject: z.string() })

/** @throws HostError ERR_REQUEST_MALFORMED, also for the login of everybody without a token: it is nobody's. */
export function readLogin({ issuer, subject }: z.infer<typeof loginShape>, own: IssuerState): Login {
  if (issuer === hostIssuer) throw malformed('the host itself is nobody to act for or to link')
  if (issuer === anonymousLogin.issuer) throw malformed('anonymous is nobody in particular and cannot be named')
  return { issuer: checkLoginPart('an issuer', issuer ?? own.id), subject: checkLoginPart('a subject', subject) }
}
