/**
 * Where a command goes and with which token: what flags and the environment say (commander reads
 * both), then a profile: the named one, else the project's, else the one of the last login.
 */
import { usage } from './exit-code.ts'
import { currentProfile, localProfile, namedProfile } from './profile.ts'
import type { Profile } from './profile.ts'

export interface TargetOptions {
  readonly url?: string
  readonly database?: string
  readonly token?: string
  readonly profile?: string
}

export interface Target {
  readonly url: string
  readonly database: string | undefined
  readonly token: string | undefined
  /** Whom to call as with the token of an operator or admin. */
  readonly as: string | undefined
}

export const defaultPort = 7811
export const defaultUrl = `http://127.0.0.1:${defaultPort}`

export function resolveTarget(options: TargetOptions, environment: NodeJS.ProcessEnv = process.env, folder: string = process.cwd()): Target {
  const profile = findProfile(options, environment, folder)
  const url = checkUrl(options.url || profile?.url || defaultUrl)
  const givenToken = options.token || undefined
  // A profile's token is for the profile's host: another URL must not collect it.
  const ownToken = profile !== undefined && checkUrl(profile.url) === url ? profile.token : undefined
  return {
    url,
    database: options.database || profile?.database,
    token: givenToken ?? ownToken,
    as: givenToken === undefined && ownToken !== undefined ? profile?.as : undefined,
  }
}

/** @throws HostError ERR_USAGE when no database is named. */
export function requireDatabase({ database }: Target): string {
  if (database !== undefined) return database
  throw usage('which database? Name it with --database or REMEMBRANCER_DATABASE, or once with remembrancer login --database')
}

/** A base URL without a slash at its end. */
export function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw usage(`${JSON.stringify(text)} is not the URL of a host: it looks like ${defaultUrl}`)
  }
  return url.href.replace(/\/+$/, '')
}

function findProfile(options: TargetOptions, environment: NodeJS.ProcessEnv, folder: string): Profile | undefined {
  return options.profile ? namedProfile(environment, options.profile) : (localProfile(folder) ?? currentProfile(environment))
}
