/**
 * A chat without a language model: a handful of rules that know a name, a damage and a thank-you when they see
 * one, and use the tools that an agent offers for them. With it a newcomer's agent answers before anything is
 * configured, and tests say the same thing every time. It understands nothing.
 */
import type { Chat, ChatMessage, ChatPiece, ChatRequest } from './chat.ts'

interface Turn {
  readonly said: string
  readonly system: string
  /** Tools that the model was told of. */
  readonly tools: ReadonlySet<string>
}

interface Rule {
  /** What it makes of a turn: words, or a tool and its arguments. */
  answer(turn: Turn): string | { readonly tool: string; readonly args: Readonly<Record<string, unknown>> } | undefined
}

const damages: readonly { readonly pattern: RegExp; readonly kind: string }[] = [
  { pattern: /\b(water|flood\w*|leak\w*|pipe)\b/i, kind: 'water damage' },
  { pattern: /\b(fire|smoke|burn\w*)\b/i, kind: 'fire damage' },
  { pattern: /\b(car|crash|accident|collision)\b/i, kind: 'car damage' },
  { pattern: /\b(stolen|theft|burglar\w*)\b/i, kind: 'theft' },
]

const rules: readonly Rule[] = [
  {
    answer: ({ said, tools }) => {
      const name = /\b(?:my name is|this is|i am|i'm)\s+([a-z][a-z'-]{1,30})\b/i.exec(said)?.[1]
      if (name === undefined || notNames.has(name.toLowerCase()) || !tools.has('introduce')) return undefined
      return { tool: 'introduce', args: { name: name.charAt(0).toUpperCase() + name.slice(1) } }
    },
  },
  {
    answer: ({ said, tools, system }) => {
      const kind = damages.find(({ pattern }) => pattern.test(said))?.kind
      if (kind === undefined || !tools.has('open_claim') || /Their open claim is/.test(system)) return undefined
      return { tool: 'open_claim', args: { kind, summary: summaryOf(said, kind) } }
    },
  },
  { answer: ({ said }) => (/\b(bye|goodbye|that is all|that's all)\b/i.test(said) ? 'Thank you for calling. Goodbye.' : undefined) },
  { answer: ({ said }) => (/\b(thank you|thanks)\b/i.test(said) ? 'You are welcome. Is there anything else?' : undefined) },
  {
    answer: ({ system }) => {
      const claim = /Their open claim is number (\d+), ([^:]+): ([^.\n]+)/.exec(system)
      return claim === null ? undefined : `I have your claim number ${claim[1]} here, about ${claim[3]}. I have noted what you said. What else should I know?`
    },
  },
  { answer: () => 'I have noted that. What happened, please?' },
]

/** Words that stand where a name would. */
const notNames: ReadonlySet<string> = new Set([
  'calling',
  'about',
  'here',
  'not',
  'sorry',
  'the',
  'a',
  'an',
  'so',
  'very',
  'fine',
  'still',
  'just',
  'it',
  'for',
])

/** What is said after a tool was called. */
const afterTool: Readonly<Record<string, (result: string, said: string) => string>> = {
  introduce: (_result, said) =>
    damages.some(({ pattern }) => pattern.test(said)) ? 'Thank you. I have noted your name.' : 'Thank you. I have noted your name. What has happened?',
  open_claim: (result) => `I am sorry to hear that. I have opened claim number ${result.replace(/"/g, '')} for you. Somebody will call you back soon.`,
}

/** The same answer for the same messages, word by word. */
export const rulesChat: Chat = async function* ({ messages, tools, signal }: ChatRequest) {
  for (const piece of answerTo(messages, new Set(tools.map(({ name }) => name)))) {
    signal.throwIfAborted()
    if (piece.kind === 'tool') yield piece
    else for (const word of piece.text.split(/(?<=\s)/)) yield { kind: 'text', text: word }
  }
}

/** What came before decides: every tool is called at most once in a turn. */
export function answerTo(messages: readonly ChatMessage[], tools: ReadonlySet<string>): readonly ChatPiece[] {
  const last = messages.findLastIndex(({ role }) => role === 'user')
  const said = messages[last]?.content ?? ''
  const system = messages.flatMap(({ role, content }) => (role === 'system' ? [content] : [])).join('\n')
  const since = messages.slice(last + 1)
  const called = since.flatMap((message) => (message.role === 'assistant' ? (message.toolCalls ?? []) : []))
  const left = new Set([...tools].filter((tool) => !called.some(({ name }) => name === tool)))
  const words: string[] = called.map(({ id, name }) => afterTool[name]?.(resultOf(since, id), said) ?? '').filter((text) => text !== '')
  for (const rule of rules) {
    const found = rule.answer({ said, system, tools: left })
    if (found === undefined) continue
    if (typeof found !== 'string') return [{ kind: 'tool', call: { id: `rule_${called.length + 1}`, name: found.tool, arguments: JSON.stringify(found.args) } }]
    return [{ kind: 'text', text: words.length > 0 ? words.join(' ') : found }]
  }
  return []
}

function resultOf(messages: readonly ChatMessage[], id: string): string {
  return messages.find((message) => message.role === 'tool' && message.toolCallId === id)?.content ?? ''
}

/** "There is water in my basement" is, to the caller, about the water in your basement. */
function summaryOf(said: string, kind: string): string {
  const found = /\b(?:water|fire|smoke|leak|car|pipe)\b[^.,;!?]*/i.exec(said)?.[0].trim() ?? kind
  return `the ${found
    .replace(/\bmy\b/gi, 'your')
    .replace(/\bour\b/gi, 'your')
    .slice(0, 100)}`
}
