/**
 * Whom a command speaks as in a database. An operator's or admin's token is nobody there, so a short
 * token of the login is minted with it; a database's own token names the login as its sender instead,
 * which the host takes from one with the right act-for.
 */
import { z } from 'zod'

import { HostClient } from './host-client.ts'
import { connect } from './host-command.ts'
import type { Connection } from './host-command.ts'
import { callTokenTtlSeconds } from './limits.ts'
import { requireDatabase } from './target.ts'
import type { TargetOptions } from './target.ts'
import { mintToken } from './tokens.ts'

export interface Caller {
  readonly client: HostClient
  readonly database: string
  /** The login that the token acts for; undefined where the token is the caller's own. */
  readonly sender: { readonly subject: string } | undefined
}

/** `as` goes before what the profile says. */
export async function connectAsCaller({ as, ...options }: TargetOptions & { readonly as?: string }): Promise<Caller> {
  const { client, target } = connect(options)
  const database = requireDatabase(target)
  const subject = as ?? target.as
  if (subject === undefined) return { client, database, sender: undefined }
  if (isDatabaseToken(target.token)) return { client, database, sender: { subject } }
  return { client: await clientAs({ client, target }, database, subject), database, sender: undefined }
}

async function clientAs({ client, target }: Connection, database: string, subject: string): Promise<HostClient> {
  const token = await mintToken(client, database, { subject, ttlSeconds: callTokenTtlSeconds, claims: {}, rights: [] })
  return new HostClient({ url: target.url, token })
}

const claims = z.looseObject({ sub: z.string(), roles: z.undefined().optional() })

/** A host token carries roles, and no database's token may. What is no token at all is left for the host to refuse. */
function isDatabaseToken(token: string | undefined): boolean {
  return claims.safeParse(payloadOf(token ?? '')).success
}

function payloadOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  } catch {
    return undefined
  }
}
