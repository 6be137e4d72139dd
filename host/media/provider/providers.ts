/** What a session is heard, answered and voiced by: a profile's services, or the rules where there is no model. */
import { Agent } from 'undici'
import type { Dispatcher } from 'undici'

import { chat } from './chat.ts'
import type { Chat } from './chat.ts'
import type { NamedProfile, VoiceConfig } from './profile.ts'
import { profileOf } from './profile.ts'
import { ProviderClient } from './provider-client.ts'
import type { ServiceAddress } from './provider-client.ts'
import { rulesChat } from './rules.ts'
import { speak } from './speak.ts'
import { transcribe } from './transcribe.ts'
import type { ProviderService } from '../ports.ts'

/** Awaited before anything leaves; what it throws keeps it back. */
export type BeforeSending = (service: ProviderService, url: string) => Promise<void>

export interface SessionProviders {
  readonly name: string
  readonly endpointMs: number | undefined
  readonly transcribe: ((samples: Int16Array, signal: AbortSignal, before: BeforeSending) => Promise<string>) | undefined
  readonly speak: ((text: string, signal: AbortSignal, before: BeforeSending) => AsyncIterable<Int16Array>) | undefined
  /** A function that gives the chat, so that the disclosure knows its turn. */
  readonly chat: (before: BeforeSending) => Chat
}

export class Providers {
  readonly #config: VoiceConfig
  readonly #dispatcher: Dispatcher = new Agent({ connections: 16, pipelining: 1, keepAliveTimeout: 10_000 })
  /** By profile and service, so that quotas count for all sessions together. */
  readonly #clients = new Map<string, ProviderClient>()

  constructor(config: VoiceConfig) {
    this.#config = config
  }

  profile(database: string): NamedProfile {
    return profileOf(this.#config, database)
  }

  of(database: string): SessionProviders {
    const { name, profile } = this.profile(database)
    const { transcription, speech } = profile
    const model = profile.chat
    return {
      name,
      endpointMs: profile.endpointMs,
      transcribe:
        transcription &&
        (async (samples, signal, before) => {
          const client = this.#client(name, 'transcription', transcription)
          await before('transcription', client.url)
          return transcribe(client, transcription, samples, signal)
        }),
      speak:
        speech &&
        ((text, signal, before) => {
          const client = this.#client(name, 'speech', speech)
          return afterwards(
            () => before('speech', client.url),
            () => speak(client, speech, text, signal),
          )
        }),
      chat: (before) => {
        if (model === undefined) return rulesChat
        const client = this.#client(name, 'chat', model)
        return (request) =>
          afterwards(
            () => before('chat', client.url),
            () => chat(client, model, request),
          )
      },
    }
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy()
  }

  #client(profile: string, service: ProviderService, address: ServiceAddress): ProviderClient {
    const key = `${profile} ${service}`
    const known = this.#clients.get(key) ?? new ProviderClient(address, this.#dispatcher)
    this.#clients.set(key, known)
    return known
  }
}

async function* afterwards<T>(recorded: () => Promise<void>, sent: () => AsyncIterable<T>): AsyncGenerator<T> {
  await recorded()
  yield* sent()
}
