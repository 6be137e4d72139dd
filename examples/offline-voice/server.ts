/**
 * A provider of speech and language on one's own machine, in the form of OpenAI's API: espeak-ng speaks,
 * pocketsphinx hears the sentences of a small grammar, and rules answer. It understands little, costs nothing,
 * and says the same thing every time; a host is pointed at it by voice.json as at any other provider.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'

import { z } from 'zod'

import { answerTo } from '../../host/media/provider/rules.ts'
import type { ChatMessage } from '../../host/media/provider/chat.ts'
import { Recogniser } from './recogniser.ts'
import { espeak } from './speech.ts'

export interface OfflineVoice {
  /** To put `/v1` behind is all that a profile needs. */
  readonly url: string
  close(): Promise<void>
}

const bodyBytesMax = 4 * 1024 * 1024
const call = z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) })
const chatBody = z.object({
  messages: z.array(
    z.object({
      role: z.enum(['system', 'user', 'assistant', 'tool']),
      content: z.string().nullish(),
      tool_calls: z.array(call).optional(),
      tool_call_id: z.string().optional(),
    }),
  ),
  tools: z.array(z.object({ function: z.object({ name: z.string() }) })).default([]),
})
const speechBody = z.object({
  input: z.string().max(4_000),
  voice: z
    .string()
    .regex(/^[\w-]{1,40}$/)
    .default('en-us'),
})

/** Port 0 is any free one. */
export async function startOfflineVoice(port: number): Promise<OfflineVoice> {
  const recogniser = new Recogniser(fileURLToPath(new URL('claims.jsgf', import.meta.url)))
  const server = createServer((request, response) => {
    answer(recogniser, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(400, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { message: String(error) } }))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('a TCP server has an address')
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      recogniser.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(recogniser: Recogniser, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readAll(request)
  switch (request.url) {
    case '/v1/audio/transcriptions': {
      const text = await recogniser.recognise(pcmOf(body))
      response.writeHead(200, { 'content-type': 'application/json' })
      return void response.end(JSON.stringify({ text }))
    }
    case '/v1/chat/completions':
      return stream(response, body)
    case '/v1/audio/speech': {
      const { input, voice } = speechBody.parse(JSON.parse(body.toString('utf8')))
      const samples = await espeak(input, 24_000, voice)
      response.writeHead(200, { 'content-type': 'audio/pcm' })
      return void response.end(Buffer.from(samples.buffer))
    }
    default:
      response.writeHead(404).end()
  }
}

/** One chunk a word, then the tools, as a model would. */
function stream(response: ServerResponse, body: Buffer): void {
  const { messages, tools } = chatBody.parse(JSON.parse(body.toString('utf8')))
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (delta: object): void => void response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`)
  for (const piece of answerTo(messages.map(toMessage), new Set(tools.map((tool) => tool.function.name)))) {
    if (piece.kind === 'text') for (const content of piece.text.split(/(?<=\s)/)) send({ content })
    else send({ tool_calls: [{ index: 0, id: piece.call.id, type: 'function', function: { name: piece.call.name, arguments: piece.call.arguments } }] })
  }
  response.end('data: [DONE]\n\n')
}

function toMessage({ role, content, tool_calls: calls, tool_call_id: id }: z.infer<typeof chatBody>['messages'][number]): ChatMessage {
  const text = content ?? ''
  if (role === 'tool') return { role, toolCallId: id ?? '', content: text }
  if (role !== 'assistant') return { role, content: text }
  return { role, content: text, toolCalls: (calls ?? []).map((one) => ({ id: one.id, name: one.function.name, arguments: one.function.arguments })) }
}

/** The samples of the WAV file in a form: after its data header, up to the form's next boundary. */
function pcmOf(form: Buffer): Buffer {
  const start = form.indexOf('RIFF')
  const data = form.indexOf('data', start)
  if (start < 0 || data < 0) throw new Error('there is no WAV file in the form')
  return form.subarray(data + 8, data + 8 + form.readUInt32LE(data + 4))
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request) {
    size += (piece as Buffer).length
    if (size > bodyBytesMax) throw new Error('the body is too large')
    pieces.push(piece as Buffer)
  }
  return Buffer.concat(pieces)
}
