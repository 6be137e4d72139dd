/** A language model: POST /chat/completions with a stream of events, as OpenAI has it, tool calls by index. */
import { z } from 'zod'

import { HostError } from '../../errors.ts'
import * as limits from '../../limits.ts'
import type { Tool } from '../tool-schema.ts'
import { eventsOf } from './event-stream.ts'
import type { ChatService } from './profile.ts'
import { malformedAnswer } from './provider-client.ts'
import type { ProviderClient } from './provider-client.ts'

export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string; readonly toolCalls?: readonly ToolRequest[] }
  | { readonly role: 'tool'; readonly toolCallId: string; readonly content: string }

/** A tool that the model wants called; `arguments` is JSON as it wrote it. */
export interface ToolRequest {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

export type ChatPiece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'tool'; readonly call: ToolRequest }

export interface ChatRequest {
  readonly messages: readonly ChatMessage[]
  readonly tools: readonly Tool[]
  readonly signal: AbortSignal
}

/** Gives text as it is made, and the tool calls at the end. */
export type Chat = (request: ChatRequest) => AsyncIterable<ChatPiece>

const chunk = z.object({
  choices: z
    .array(
      z.object({
        delta: z
          .object({
            content: z.string().nullish(),
            tool_calls: z
              .array(
                z.object({
                  index: z.int().min(0).default(0),
                  id: z.string().max(200).nullish(),
                  function: z.object({ name: z.string().max(200).nullish(), arguments: z.string().nullish() }).nullish(),
                }),
              )
              .nullish(),
          })
          .nullish(),
      }),
    )
    .default([]),
  error: z.unknown().optional(),
})

/** @throws HostError ERR_PROVIDER, ERR_PROVIDER_QUOTA */
export async function* chat(client: ProviderClient, service: ChatService, { messages, tools, signal }: ChatRequest): AsyncGenerator<ChatPiece> {
  const { body } = await client.post({ path: '/chat/completions', body: requestBody(service, messages, tools), contentType: 'application/json', signal })
  const calls = new Map<number, { id: string; name: string; arguments: string }>()
  try {
    for await (const data of eventsOf(body, client.url)) {
      const { choices, error } = parseChunk(client.url, data)
      if (error !== undefined && error !== null) throw malformedAnswer(client.url, 'it broke off with an error')
      const delta = choices[0]?.delta
      if (delta?.content) yield { kind: 'text', text: delta.content }
      for (const part of delta?.tool_calls ?? []) {
        if (part.index >= limits.toolCallsPerTurnMax) throw malformedAnswer(client.url, 'it wants too many tools at once')
        const call = calls.get(part.index) ?? { id: `call_${part.index}`, name: '', arguments: '' }
        calls.set(part.index, {
          id: part.id ?? call.id,
          name: call.name + (part.function?.name ?? ''),
          arguments: call.arguments + (part.function?.arguments ?? ''),
        })
      }
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw error instanceof HostError ? error : malformedAnswer(client.url, 'its stream broke off', error)
  } finally {
    body.destroy()
  }
  for (const call of calls.values()) yield { kind: 'tool', call }
}

function parseChunk(url: string, data: string): z.infer<typeof chunk> {
  try {
    return chunk.parse(JSON.parse(data))
  } catch (cause) {
    throw malformedAnswer(url, 'an event of its stream is no chunk of a completion', cause)
  }
}

function requestBody({ model, temperature }: ChatService, messages: readonly ChatMessage[], tools: readonly Tool[]): string {
  return JSON.stringify({
    model,
    stream: true,
    ...(temperature === undefined ? {} : { temperature }),
    messages: messages.map(wireMessage),
    ...(tools.length === 0
      ? {}
      : { tools: tools.map(({ name, description, parameters }) => ({ type: 'function', function: { name, description, parameters } })) }),
  })
}

function wireMessage(message: ChatMessage): object {
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.toolCallId, content: message.content }
  if (message.role !== 'assistant' || message.toolCalls === undefined) return { role: message.role, content: message.content }
  const calls = message.toolCalls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } }))
  return { role: 'assistant', content: message.content, tool_calls: calls }
}
