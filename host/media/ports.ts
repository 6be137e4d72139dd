/**
 * What sessions need of the rest of the host. The composition root satisfies it; nothing here knows of
 * shards, HTTP or the access log.
 */
import type { CallerHead } from '../protocol/shard-protocol.ts'
import type { ModuleDescription } from '../schema/description.ts'

export interface SessionCall {
  readonly database: string
  /** A hook is called with those of `args` that it takes. */
  readonly kind: 'reducer' | 'query' | 'hook'
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
  readonly caller: CallerHead
  /** A call that has run under it does not run again. */
  readonly id?: string
}

/** The database of an agent, as the host's own session calls it. */
export interface SessionCalls {
  /** @throws HostError ERR_MODULE_MISSING */
  module(database: string): Promise<ModuleDescription>
  /** @throws HostError what the module or the shard refused. */
  call(request: SessionCall): Promise<SessionAnswer>
}

export interface SessionAnswer {
  /** As JSON has it. */
  readonly result: unknown
  /** The number of its record in the access log: what a disclosure of its rows names. */
  readonly record: string
}

export type ProviderService = 'transcription' | 'chat' | 'speech'

/** What leaves the host for an outside provider: recorded before it leaves. */
export interface Disclosure {
  readonly database: string
  /** With the agent as its actor, and the session. */
  readonly caller: CallerHead
  readonly turn: number
  /** The operator's profile, the service in it and where it goes. */
  readonly profile: string
  readonly service: ProviderService
  readonly url: string
  /** Records of the calls whose rows it carries: of a prompt, its query and the tools of its turn. */
  readonly reads: readonly string[]
}

/** The accounting of disclosures; what it throws keeps back what was to leave. */
export interface Disclosures {
  record(disclosure: Disclosure): Promise<void>
}

/** Where sessions write about their own failures. */
export interface MediaLogger {
  error(message: string, fields: Readonly<Record<string, string>>): void
}
