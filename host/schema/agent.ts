/**
 * An agent as its module declares it: the query that gives the prompt, the hooks that the host's session
 * calls, and the reducers that the model may call as tools. Parameters are matched by name: a function
 * takes of what an event has the part that it wants. The compiler's transform and the publish gate check
 * with the same words.
 */
import { toolDescriptionSizeMax } from '../limits.ts'
import { formatValueType } from '../value-type.ts'
import type { ValueType } from '../value-type.ts'
import type { FieldDescription, ReducerDescription } from './description.ts'

export const SESSION_EVENTS = ['session_started', 'caller_turn', 'agent_turn', 'tool_called', 'turn_measured', 'session_ended'] as const
export type SessionEvent = (typeof SESSION_EVENTS)[number]

export interface ToolDescription {
  /** A reducer or query of the module. */
  readonly name: string
  /** What the model is told of it: its author's comment. */
  readonly description: string
}

export interface AgentDescription {
  readonly name: string
  /** A query; its result is a record whose field `messages` is what the model is told first. */
  readonly prompt: string
  /** A query that gives the first words; the caller speaks first when there is none. */
  readonly greeting: string | undefined
  readonly tools: readonly ToolDescription[]
  readonly hooks: Readonly<Partial<Record<SessionEvent, string>>>
}

const session = { session: 'string' }
const turn = { ...session, turn: 'u32' }
/** Milliseconds since the caller stopped speaking, or null for what did not happen. */
const time = 'f64?'

/** What each event has, by the name of the parameter that takes it, and its type. */
export const EVENT_PARAMETERS: Readonly<Record<SessionEvent, Readonly<Record<string, string>>>> = {
  session_started: { ...session, transport: 'string' },
  caller_turn: { ...turn, text: 'string' },
  agent_turn: { ...turn, intended: 'string', heard: 'string', interrupted: 'bool' },
  tool_called: { ...turn, tool: 'string', args: 'json', result: 'json', failed: 'bool' },
  turn_measured: {
    ...turn,
    speech_end: 'timestamp',
    endpoint: time,
    transcript: time,
    recall: time,
    commit: time,
    first_token: time,
    first_audio: time,
    heard: time,
    memory: time,
    memory_share: time,
  },
  session_ended: { ...session, reason: 'string' },
}
/** What the queries of an agent may take: `said` is what the caller has just said, empty at the start. */
export const QUERY_PARAMETERS: Readonly<Record<string, string>> = { ...session, said: 'string' }

/** A part of a declaration: where a problem is. */
export type AgentPart = 'prompt' | 'greeting' | 'tools' | SessionEvent

export interface AgentProblem {
  readonly part: AgentPart
  readonly message: string
}

export interface AgentModule {
  readonly reducers: readonly Pick<ReducerDescription, 'name' | 'kind' | 'params' | 'result'>[]
  readonly records: readonly { readonly name: string; readonly fields: readonly FieldDescription[] }[]
}

/** Of a reducer with this comment above it. */
export function describeTool(name: string, comment: string): ToolDescription {
  return { name, description: comment.slice(0, toolDescriptionSizeMax) }
}

/** What is wrong with an agent of this module. */
export function agentProblems(agent: AgentDescription, module: AgentModule): readonly AgentProblem[] {
  const find = (name: string): AgentModule['reducers'][number] | undefined => module.reducers.find((one) => one.name === name)
  const problems: AgentProblem[] = []
  const refuse = (part: AgentPart, message: string): void => void problems.push({ part, message })

  for (const part of ['prompt', 'greeting'] as const) {
    const name = agent[part]
    if (name === undefined) continue
    const query = find(name)
    if (query?.kind !== 'query') refuse(part, `${name} is no query of this module`)
    else {
      for (const message of parameterProblems(query, QUERY_PARAMETERS)) refuse(part, message)
      if (part === 'greeting' && formatValueType(query.result) !== 'string')
        refuse(part, `${name} gives ${formatValueType(query.result)}; a greeting is a string`)
      if (part === 'prompt' && !hasMessages(query.result, module)) {
        refuse(
          part,
          `${name} gives ${formatValueType(query.result)}; a prompt is a record with a field messages, of records with role: string and content: string`,
        )
      }
    }
  }
  for (const event of SESSION_EVENTS) {
    const name = agent.hooks[event]
    if (name === undefined) continue
    const hook = find(name)
    if (hook?.kind !== 'hook') refuse(event, `${name} is no hook of this module`)
    else {
      for (const message of parameterProblems(hook, EVENT_PARAMETERS[event])) refuse(event, message)
      if (hook.result.kind !== 'void') refuse(event, `${name} gives a result, and a hook has nobody to give it to`)
    }
  }
  const names = agent.tools.map(({ name }) => name)
  for (const name of names) {
    const tool = find(name)
    if (tool?.kind !== 'reducer' && tool?.kind !== 'query') refuse('tools', `${name} is no reducer or query of this module`)
  }
  if (new Set(names).size !== names.length) refuse('tools', 'a tool is named once')
  return problems
}

function parameterProblems({ name, params }: AgentModule['reducers'][number], allowed: Readonly<Record<string, string>>): readonly string[] {
  const shown = Object.entries(allowed)
    .map(([param, type]) => `${param}: ${type}`)
    .join(', ')
  return params
    .filter((param) => !Object.hasOwn(allowed, param.name) || allowed[param.name] !== formatValueType(param.type))
    .map((param) => `${name}(${param.name}: ${formatValueType(param.type)}) is nothing the host has here; it may take ${shown}`)
}

function hasMessages(result: ValueType, { records }: AgentModule): boolean {
  if (result.kind !== 'record' || result.nullable) return false
  const messages = records.find(({ name }) => name === result.record)?.fields.find(({ name }) => name === 'messages')?.type
  if (messages?.kind !== 'array' || messages.element.kind !== 'record') return false
  const element = messages.element.record
  const fields = records.find(({ name }) => name === element)?.fields ?? []
  return ['role', 'content'].every((field) => fields.some(({ name, type }) => name === field && formatValueType(type) === 'string'))
}
