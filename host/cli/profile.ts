/**
 * Profiles: a host's URL, a database and a token under a name, so that nothing is pasted twice. A
 * person's own lie in ~/.config/remembrancer/profiles.json; `dev` leaves one in the module's folder.
 */
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

import { z } from 'zod'

import { usage } from './exit-code.ts'
import { makeFolder } from './make-folder.ts'

const profileShape = z.strictObject({
  url: z.string(),
  database: z.string().optional(),
  token: z.string().optional(),
  /** Whom `call` and `query` call as when `--as` does not say: the token is an operator's or admin's. */
  as: z.string().optional(),
})
export type Profile = Readonly<z.infer<typeof profileShape>>

const profilesShape = z.strictObject({ current: z.string(), profiles: z.record(z.string(), profileShape) })
type Profiles = z.infer<typeof profilesShape>

/** A project's own profile, beside its data. */
const LOCAL_FILE = '.remembrancer/profile.json'

export function profilesFile(environment: NodeJS.ProcessEnv): string {
  return path.join(environment['XDG_CONFIG_HOME'] || path.join(homedir(), '.config'), 'remembrancer', 'profiles.json')
}

/** @throws HostError ERR_USAGE when there is none of this name. */
export function namedProfile(environment: NodeJS.ProcessEnv, name: string): Profile {
  const file = profilesFile(environment)
  const profile = readProfiles(file)?.profiles[name]
  if (profile === undefined) throw usage(`${file} has no profile ${name}: make it with remembrancer login --profile ${name}`)
  return profile
}

/** The profile that the last `login` made. */
export function currentProfile(environment: NodeJS.ProcessEnv): Profile | undefined {
  const profiles = readProfiles(profilesFile(environment))
  return profiles?.profiles[profiles.current]
}

export function storeProfile(environment: NodeJS.ProcessEnv, name: string, profile: Profile): string {
  const file = profilesFile(environment)
  const profiles = readProfiles(file)?.profiles ?? {}
  writePrivately(file, { current: name, profiles: { ...profiles, [name]: profile } })
  return file
}

/**
 * The profile of the project around `folder`. It may name only this machine and must be the user's own
 * file: a checked-out project must not send anybody's token, taken from the environment, elsewhere.
 */
export function localProfile(folder: string): Profile | undefined {
  const file = path.join(folder, LOCAL_FILE)
  const profile = readJson(file, profileShape)
  if (profile === undefined) return folder === path.dirname(folder) ? undefined : localProfile(path.dirname(folder))
  if (!isOnThisMachine(profile.url)) throw usage(`${file} names ${profile.url}: a project's profile may name only this machine`)
  if (statSync(file).uid !== (process.getuid?.() ?? statSync(file).uid)) throw usage(`${file} is another user's: remove it, or give --url and --token`)
  return profile
}

export function storeLocalProfile(folder: string, profile: Profile): void {
  writePrivately(path.join(folder, LOCAL_FILE), profile)
}

function isOnThisMachine(url: string): boolean {
  return URL.canParse(url) && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)
}

function readProfiles(file: string): Profiles | undefined {
  return readJson(file, profilesShape)
}

function readJson<T>(file: string, shape: z.ZodType<T>): T | undefined {
  const text = readText(file)
  if (text === undefined) return undefined
  try {
    return shape.parse(JSON.parse(text))
  } catch (cause) {
    throw usage(`${file} is not a profile file: repair or remove it (${cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause)})`)
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** Tokens are in it: nobody else may read it, from its first byte on, whatever file was there before. */
function writePrivately(file: string, value: unknown): void {
  makeFolder(path.dirname(file), 0o700)
  const next = `${file}.${process.pid}`
  writeFileSync(next, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  renameSync(next, file)
}
