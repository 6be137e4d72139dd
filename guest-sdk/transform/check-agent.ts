/** A class with @agent: what it names must be there, and take what the host has. */
import type { Node } from 'assemblyscript'

import { agentProblems, describeTool, SESSION_EVENTS } from '../../host/schema/agent.ts'
import type { AgentDescription, AgentModule, AgentPart, SessionEvent } from '../../host/schema/agent.ts'
import { snakeCase } from '../../host/schema/names.ts'
import { parseValueType } from '../../host/value-type.ts'
import { exposeName, refuseDoubles } from './check-names.ts'
import type { DeclaredAgent, ModelRecord, ModelReducer } from './model.ts'
import { suggestion } from './problems.ts'
import type { Problems } from './problems.ts'
import { literalOf, membersOf, textOf, textsOf } from './syntax.ts'

const SHAPE = '@agent("name", { prompt: "query", greeting: "query", tools: ["reducer"], callerTurn: "hook" })'

/** By the name that authors write. */
const PARTS: ReadonlyMap<string, AgentPart> = new Map([
  ...(['prompt', 'greeting', 'tools'] as const).map((part): [string, AgentPart] => [part, part]),
  ...SESSION_EVENTS.map((event): [string, AgentPart] => [event.replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase()), event]),
])

interface Model {
  readonly records: readonly ModelRecord[]
  readonly reducers: readonly ModelReducer[]
}

export function checkAgents(declared: readonly DeclaredAgent[], model: Model, problems: Problems): readonly AgentDescription[] {
  const agents = declared.flatMap((one) => checkAgent(one, model, problems) ?? [])
  refuseDoubles(
    'agents',
    agents.map(({ exposed }) => exposed),
    problems,
  )
  return agents.map(({ agent }) => agent)
}

function checkAgent(
  { className, decorator }: DeclaredAgent,
  model: Model,
  problems: Problems,
): { agent: AgentDescription; exposed: ReturnType<typeof exposeName> } | undefined {
  const [nameNode, options, more] = decorator.args
  const given = nameNode === undefined ? undefined : literalOf(nameNode)
  const members = options === undefined ? undefined : membersOf(options)
  if (nameNode === undefined || typeof given !== 'string' || members === undefined || more !== undefined) {
    problems.error(decorator.node, `${className}: an agent is written ${SHAPE}`)
    return undefined
  }
  const exposed = exposeName(given, nameNode, `@agent(${JSON.stringify(given)})`, problems)
  const nodes = new Map<AgentPart, Node>()
  const hooks: Partial<Record<SessionEvent, string>> = {}
  const texts = new Map<string, string>()
  let tools: readonly string[] = []
  for (const [written, node] of members) {
    const part = PARTS.get(written)
    const value = part === 'tools' ? textsOf(node) : literalOf(node)
    if (part === undefined) {
      problems.error(node, `${className}: @agent has no ${written}${suggestion(written, [...PARTS.keys()])}; allowed: ${[...PARTS.keys()].join(', ')}`)
    } else if (part === 'tools' ? !Array.isArray(value) : typeof value !== 'string') {
      problems.error(
        node,
        `${className}: ${written} of @agent names ${part === 'tools' ? 'reducers, ["openClaim"]' : 'a function, "prompt"'}, not ${textOf(node)}`,
      )
    } else {
      nodes.set(part, node)
      if (part === 'tools') tools = textsOf(node) ?? []
      else if (part === 'prompt' || part === 'greeting') texts.set(part, snakeCase(String(value)))
      else hooks[part] = snakeCase(String(value))
    }
  }
  const prompt = texts.get('prompt')
  if (prompt === undefined) {
    problems.error(decorator.node, `${className}: an agent has a prompt, the query that gives what its model is told: ${SHAPE}`)
    return undefined
  }
  const agent = {
    name: exposed.name,
    prompt,
    greeting: texts.get('greeting'),
    tools: tools.map(snakeCase).map((tool) => describeTool(tool, commentOf(tool, model))),
    hooks,
  }
  for (const { part, message } of agentProblems(agent, describeModel(model))) problems.error(nodes.get(part) ?? decorator.node, `${className}: ${message}`)
  return { agent, exposed }
}

function commentOf(tool: string, { reducers }: Model): string {
  return reducers.find(({ name }) => name === tool)?.comment ?? ''
}

function describeModel({ records, reducers }: Model): AgentModule {
  return {
    records: records.map(({ name, fields }) => ({ name, fields: fields.map((field) => ({ name: field.name, type: typeOf(field.type.format) })) })),
    reducers: reducers.map(({ name, kind, parameters, result }) => ({
      name,
      kind,
      params: parameters.flatMap((one) => (one.kind === 'value' ? [{ name: one.name, type: typeOf(one.type.format) }] : [])),
      result: typeOf(result.format),
    })),
  }
}

function typeOf(format: string): NonNullable<ReturnType<typeof parseValueType>> {
  const type = parseValueType(format)
  if (type === undefined) throw new Error(`the transform wrote a type that the host does not know: ${format}`)
  return type
}
