/** What a database or a tenant may be called: a word that is safe in a path, a URL and a log line. */
import { inspect } from 'node:util'

import { HostError } from './errors.ts'

const NAME = /^[a-z][a-z0-9-]{0,62}$/

/** @throws HostError ERR_DATABASE_NAME */
export function checkDatabaseName(text: string): string {
  if (typeof text === 'string' && NAME.test(text)) return text
  throw new HostError('ERR_DATABASE_NAME', `a database is named by a letter and then letters, digits and -, all lower case, at most 63: not ${shown(text)}`)
}

/** @throws HostError ERR_TENANT_NAME */
export function checkTenantName(text: string): string {
  if (NAME.test(text)) return text
  throw new HostError('ERR_TENANT_NAME', `a tenant is named by a letter and then letters, digits and -, all lower case, at most 63: not ${shown(text)}`)
}

/** In process it may be no text at all. */
function shown(text: unknown): string {
  return inspect(text, { depth: 0 }).slice(0, 80)
}
