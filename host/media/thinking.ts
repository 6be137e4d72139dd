/** What the model says to a question: its words as they come, and the tools that it calls until it has spoken. */
import * as limits from '../limits.ts'
import type { AgentDescription } from '../schema/agent.ts'
import type { ModuleDescription } from '../schema/description.ts'
import type { SessionMessage } from './peer.ts'
import type { ChatMessage, ToolRequest } from './provider/chat.ts'
import type { BeforeSending, SessionProviders } from './provider/providers.ts'
import type { SessionMemory, ToolOutcome } from './session-memory.ts'
import { shownValue } from './shown-value.ts'
import { toolsOf } from './tool-schema.ts'

export interface ThinkingOptions {
  readonly memory: SessionMemory
  readonly providers: SessionProviders
  /** What records a request of this turn that carries the rows of these reads. */
  readonly disclosing: (turn: number, reads: readonly string[]) => BeforeSending
  readonly tell: (message: SessionMessage) => void
}

export interface Thought {
  readonly turn: number
  readonly messages: readonly ChatMessage[]
  /** Records of the reads whose rows the messages carry. */
  readonly reads: readonly string[]
  /** False: nothing more is said. */
  readonly onWords: (text: string) => boolean
  /** All of it so far. */
  readonly said: () => string
}

export class Thinking {
  readonly #options: ThinkingOptions
  /** Of the whole session: their records are told apart by it. */
  #toolCalls = 0

  constructor(options: ThinkingOptions) {
    this.#options = options
  }

  /** @throws what the provider threw, and the signal's reason once that is aborted. */
  async answer({ turn, onWords, said, ...begin }: Thought, signal: AbortSignal): Promise<void> {
    const { memory, providers, disclosing } = this.#options
    const { module, agent } = await memory.describe()
    const messages = [...begin.messages]
    const reads = [...begin.reads]
    for (let round = 0; round <= limits.toolRoundsMax; round++) {
      const calls: ToolRequest[] = []
      const chat = providers.chat(disclosing(turn, reads))
      const tools = round < limits.toolRoundsMax ? toolsOf(module, agent) : []
      for await (const piece of chat({ messages, tools, signal })) {
        signal.throwIfAborted()
        if (piece.kind === 'tool') calls.push(piece.call)
        else if (!onWords(piece.text)) return
      }
      if (calls.length === 0) return
      messages.push({ role: 'assistant', content: said(), toolCalls: calls })
      for (const call of calls.slice(0, limits.toolCallsPerTurnMax)) {
        signal.throwIfAborted()
        const outcome = await this.#callTool(turn, { module, agent }, call)
        messages.push({ role: 'tool', toolCallId: call.id, content: JSON.stringify(outcome.result ?? null) })
        reads.push(...outcome.reads)
      }
    }
  }

  async #callTool(turn: number, described: Described, { name, arguments: text }: ToolRequest): Promise<ToolOutcome> {
    const { memory, tell } = this.#options
    const args = parseArguments(text)
    const outcome = await this.#outcome(described, name, args)
    const { result, failed } = outcome
    const called = { turn, tool: name.slice(0, 80), arguments: args ?? {}, result, failed }
    const half = limits.shownRowsBytesMax / 2
    tell({ type: 'tool', ...called, arguments: shownValue(called.arguments, half), result: shownValue(result, half) })
    this.#toolCalls += 1
    void memory.write(
      'tool_called',
      { turn, tool: called.tool, args: JSON.stringify(called.arguments), failed, result: JSON.stringify(result ?? null) },
      `${turn}:tool:${this.#toolCalls}`,
    )
    return outcome
  }

  async #outcome({ module, agent }: Described, name: string, args: Readonly<Record<string, unknown>> | undefined): Promise<ToolOutcome> {
    const tool = toolsOf(module, agent).find((one) => one.name === name)
    if (tool === undefined) return { result: `there is no tool ${name.slice(0, 80)}`, failed: true, reads: [] }
    if (args === undefined) return { result: 'the arguments are no JSON object', failed: true, reads: [] }
    return this.#options.memory.tool(tool.kind, name, args)
  }
}

interface Described {
  readonly module: ModuleDescription
  readonly agent: AgentDescription
}

function parseArguments(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
