/**
 * The operator's providers of speech and language: a JSON file that says where each service is, by profile,
 * and which database uses which. A module picks nothing: it never gives a URL and never sees a key.
 */
import { readFileSync } from 'node:fs'

import { z } from 'zod'

import { HostError } from '../../errors.ts'

const url = z.string().regex(/^https?:\/\/[^\s]+$/, 'an http or https URL, up to and with its /v1')
const service = {
  url,
  model: z.string().min(1).max(200),
  /** The environment variable that has the key; no key when left out. */
  keyEnv: z.string().min(1).max(100).optional(),
  /** Requests a minute that this host sends at most. */
  requestsPerMinuteMax: z.int().min(1).optional(),
}
const transcription = z.strictObject({ ...service, language: z.string().max(20).optional() })
const chat = z.strictObject({ ...service, temperature: z.number().min(0).max(2).optional() })
const speech = z.strictObject({ ...service, voice: z.string().min(1).max(100).default('alloy') })
const profile = z.strictObject({
  transcription: transcription.optional(),
  chat: chat.optional(),
  speech: speech.optional(),
  /** Silence after which the caller has finished, in milliseconds. */
  endpointMs: z.int().min(100).max(3_000).optional(),
})
const voiceFile = z.strictObject({
  profiles: z.record(z.string().min(1).max(100), profile).default({}),
  /** Which profile a database uses; `default` when it is not named. */
  databases: z.record(z.string(), z.string()).default({}),
  /** A LiveKit server, instead of the dev room. */
  livekit: z.strictObject({ url: z.string().regex(/^wss?:\/\/\S+$/), key: z.string().min(1), secretEnv: z.string().min(1) }).optional(),
})

export type VoiceConfig = z.infer<typeof voiceFile>
export type Profile = z.infer<typeof profile>
export type TranscriptionService = z.infer<typeof transcription>
export type ChatService = z.infer<typeof chat>
export type SpeechService = z.infer<typeof speech>

export const noVoice: VoiceConfig = { profiles: {}, databases: {} }

/** @throws HostError ERR_USAGE with the place of what is wrong. */
export function readVoiceConfig(file: string): VoiceConfig {
  return parseVoiceConfig(readJson(file), file)
}

/** @throws HostError ERR_USAGE */
export function parseVoiceConfig(json: unknown, where: string): VoiceConfig {
  const parsed = voiceFile.safeParse(json)
  if (!parsed.success)
    throw new HostError('ERR_USAGE', `${where}: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`)
  for (const [database, name] of Object.entries(parsed.data.databases)) {
    if (!Object.hasOwn(parsed.data.profiles, name)) throw new HostError('ERR_USAGE', `${where}: databases.${database}: there is no profile ${name}`)
  }
  return parsed.data
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new HostError('ERR_USAGE', `${file} is not JSON that can be read: docs/voice.md has an example`, { cause })
  }
}

export interface NamedProfile {
  readonly name: string
  readonly profile: Profile
}

/** What a database uses; an empty profile when there is none. */
export function profileOf(config: VoiceConfig, database: string): NamedProfile {
  const name = config.databases[database] ?? 'default'
  return { name, profile: config.profiles[name] ?? {} }
}

/** What is to be set for a voice, in words; undefined when all is there. */
export function missingForVoice({ name, profile }: NamedProfile): string | undefined {
  const missing = (['transcription', 'speech'] as const).filter((service) => profile[service] === undefined)
  if (missing.length === 0) return undefined
  return `for a voice, name a file with --voice whose profile "${name}" has ${missing.join(' and ')} (docs/voice.md); npm run voice:offline starts one of your own machine`
}
