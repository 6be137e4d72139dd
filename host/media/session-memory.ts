/**
 * The database as one session uses it: what is recalled before an answer, within a hard budget; and hooks,
 * which are written in true order, exactly once each, and which no answer waits for.
 *
 * Every call has the caller as its sender and the agent's profile as its actor, a login of the host's own
 * that nobody else can name.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

import { HostError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import { hostIssuer } from '../identity.ts'
import * as limits from '../limits.ts'
import type { CallerHead } from '../protocol/shard-protocol.ts'
import type { AgentDescription, SessionEvent } from '../schema/agent.ts'
import type { ModuleDescription } from '../schema/description.ts'
import type { SessionAnswer, SessionCalls } from './ports.ts'
import type { ChatMessage } from './provider/chat.ts'

export interface MemoryOptions {
  readonly calls: SessionCalls
  readonly database: string
  readonly agent: string
  readonly session: string
  /** As the API verified them; the actor and the session are put here. */
  readonly caller: Omit<CallerHead, 'actor'>
  readonly onFailure: (event: string, error: unknown) => void
}

export interface Recollection {
  readonly messages: readonly ChatMessage[]
  /** Every other field of the prompt's result, for whoever watches. */
  readonly shown: unknown
  /** The query's record in the access log, once there was one. */
  readonly reads: readonly string[]
  readonly tookMs: number
  /** The budget was over: this is what was recalled before. */
  readonly isLate: boolean
}

export interface ToolOutcome {
  readonly result: unknown
  readonly failed: boolean
  /** Its record in the access log, when it gave something. */
  readonly reads: readonly string[]
}

/** What a disk, a queue or a shard refuses today it may take in a moment. */
const passing: ReadonlySet<ErrorCode> = new Set(['ERR_BUSY', 'ERR_STORAGE', 'ERR_SHARD_LOST', 'ERR_COMMIT_UNKNOWN'])

export class SessionMemory {
  readonly caller: CallerHead
  readonly #options: MemoryOptions
  #last: Recollection = { messages: [], shown: null, reads: [], tookMs: 0, isLate: false }
  #writes: Promise<unknown> = Promise.resolve()
  #isLost = false

  constructor(options: MemoryOptions) {
    this.#options = options
    this.caller = { ...options.caller, actor: agentLogin(options.agent), session: options.session }
  }

  /** A write was lost for good: nothing more should be promised to the caller. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** @throws HostError ERR_AGENT_UNKNOWN */
  async describe(): Promise<{ readonly module: ModuleDescription; readonly agent: AgentDescription }> {
    const { calls, database, agent: name } = this.#options
    const module = await calls.module(database)
    return { module, agent: findAgent(module, name) }
  }

  /** What the model is told, as of now; after the budget, what it was told before. Never fails. */
  async recall(said: string): Promise<Recollection> {
    const begin = performance.now()
    const late = pause(limits.recallTimeMsMax, undefined, { ref: false }).then(() => undefined)
    const fresh = this.#prompt(said).catch((error: unknown) => this.#options.onFailure('prompt', error))
    const recalled = await Promise.race([fresh, late])
    const tookMs = performance.now() - begin
    if (recalled === undefined) return { ...this.#last, tookMs, isLate: true }
    this.#last = { ...recalled, tookMs, isLate: false }
    return this.#last
  }

  /** The agent's first words, or undefined when the caller is to begin. */
  async greeting(): Promise<string | undefined> {
    const { agent } = await this.describe()
    if (agent.greeting === undefined) return undefined
    const { result: text } = await this.#call('query', agent.greeting, { session: this.#options.session, said: '' })
    return typeof text === 'string' && text !== '' ? text.slice(0, limits.answerSizeMax) : undefined
  }

  /**
   * Writes after everything that was written before, and again while the disk does not take it; under an id,
   * so that once is once. Resolves with the milliseconds from here till it was on disk, or undefined when the agent has no such
   * hook, or the module refused. Nobody has to wait for it.
   */
  write(event: SessionEvent, args: Readonly<Record<string, unknown>>, key: string): Promise<number | undefined> {
    const begin = performance.now()
    const id = `${this.#options.session}:${key}`
    const written = this.#writes.then(async () => {
      const { agent } = await this.describe()
      const hook = agent.hooks[event]
      if (hook === undefined) return undefined
      await this.#insist(() => this.#call('hook', hook, { session: this.#options.session, ...args }, id))
      return performance.now() - begin
    })
    const settled = written.catch((error: unknown) => {
      // Under its id something else was written: what is there has happened.
      if (error instanceof HostError && error.code === 'ERR_CALL_ID') return undefined
      if (error instanceof HostError && passing.has(error.code)) this.#isLost = true
      this.#options.onFailure(event, error)
      return undefined
    })
    this.#writes = settled
    return settled
  }

  /** A tool that the model chose: what it gives, or why not, in words for the model. */
  async tool(kind: 'reducer' | 'query', name: string, args: Readonly<Record<string, unknown>>): Promise<ToolOutcome> {
    // Its write must see what was said before it.
    await this.#writes
    const id = randomUUID()
    try {
      const { result, record } = await this.#insist(() => this.#call(kind, name, args, kind === 'reducer' ? id : undefined))
      return { result, failed: false, reads: [record] }
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      return { result: `${error.code}: ${error.message}`, failed: true, reads: [] }
    }
  }

  /** Everything that was to be written is, or is lost. */
  async settled(): Promise<void> {
    await this.#writes
  }

  async #prompt(said: string): Promise<Omit<Recollection, 'tookMs' | 'isLate'>> {
    const { agent } = await this.describe()
    const { result, record } = await this.#call('query', agent.prompt, { session: this.#options.session, said })
    const { messages, ...shown } = typeof result === 'object' && result !== null ? (result as Readonly<Record<string, unknown>>) : {}
    return { messages: readMessages(messages), shown, reads: [record] }
  }

  #call(kind: 'reducer' | 'query' | 'hook', name: string, args: Readonly<Record<string, unknown>>, id?: string): Promise<SessionAnswer> {
    const { calls, database } = this.#options
    return calls.call({ database, kind, name, args, caller: this.caller, ...(id === undefined ? {} : { id }) })
  }

  async #insist<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        const isPassing = error instanceof HostError && passing.has(error.code)
        if (!isPassing || attempt >= limits.hookTriesMax) throw error
        await pause(limits.hookRetryTimeMs * attempt, undefined, { ref: false })
      }
    }
  }
}

/** The profile as an actor. No token has this issuer, and no request may name it. */
export function agentLogin(agent: string): { readonly issuer: string; readonly subject: string } {
  return { issuer: hostIssuer, subject: `agent:${agent}` }
}

/** @throws HostError ERR_AGENT_UNKNOWN */
export function findAgent(module: ModuleDescription, name: string): AgentDescription {
  const agent = module.agents.find((one) => one.name === name)
  if (agent !== undefined) return agent
  const names = module.agents.map((one) => one.name).join(', ')
  throw new HostError(
    'ERR_AGENT_UNKNOWN',
    `${module.module} has no agent ${JSON.stringify(name.slice(0, 80))}; ${names === '' ? 'it has none' : `it has ${names}`}`,
  )
}

/** The module's own words for the model; the roles are those that a model knows. */
function readMessages(messages: unknown): readonly ChatMessage[] {
  if (!Array.isArray(messages)) return []
  return messages.map((one: unknown): ChatMessage => {
    const role = memberOf(one, 'role')
    const content = memberOf(one, 'content')
    return { role: role === 'user' || role === 'assistant' ? role : 'system', content: typeof content === 'string' ? content : '' }
  })
}

/** A member of what JSON made. */
function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
