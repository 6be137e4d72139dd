/**
 * A provider whose every word is in the test's hands: what it hears, what it answers, a tone for a voice, and
 * each way in which a provider fails. It keeps what it was sent.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'

export type Failure = 'none' | 'down' | 'error' | 'quota' | 'malformed' | 'slow' | 'cut' | 'endless'

export interface ChatTurn {
  readonly messages: readonly { readonly role: string; readonly content: string }[]
  readonly tools?: readonly { readonly function: { readonly name: string; readonly parameters: unknown } }[]
}

/** Words, or a tool call as a stream has it. */
type Words = readonly (string | { readonly tool: string; readonly args: string })[]

const rate = 24_000

export class ScriptedProvider implements AsyncDisposable {
  /** By service: the last part of its path. */
  readonly failures: { transcriptions: Failure; completions: Failure; speech: Failure } = { transcriptions: 'none', completions: 'none', speech: 'none' }
  /** What is heard next; the last one again when there is no other. */
  heard: string[] = ['hello']
  /** What a model says. */
  answer: (turn: ChatTurn) => Words | Promise<Words> = () => ['I see. ']
  /** Milliseconds of tone for a text. */
  toneMs: (text: string) => number = (text) => text.length * 40
  readonly turns: ChatTurn[] = []
  readonly spoken: string[] = []
  readonly #server: Server
  readonly #held = new Set<ServerResponse>()
  url = ''

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response).catch(() => response.destroy()))
  }

  static async start(): Promise<ScriptedProvider> {
    const provider = new ScriptedProvider()
    await new Promise<void>((resolve) => provider.#server.listen(0, '127.0.0.1', resolve))
    const address = provider.#server.address()
    if (typeof address === 'object' && address !== null) provider.url = `http://127.0.0.1:${address.port}`
    return provider
  }

  async close(): Promise<void> {
    for (const response of this.#held) response.destroy()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const body = Buffer.concat(pieces)
    const service = (request.url ?? '').split('/').at(-1)
    if (service !== 'transcriptions' && service !== 'completions' && service !== 'speech') return void response.writeHead(404).end()
    if (service === 'completions') this.turns.push(JSON.parse(body.toString('utf8')) as ChatTurn)
    if (service === 'speech') this.spoken.push((JSON.parse(body.toString('utf8')) as { input: string }).input)
    const failure = this.failures[service]
    if (failure !== 'none') return this.#fail(failure, service, response)
    if (service === 'transcriptions') {
      const text = this.heard.length > 1 ? this.heard.shift() : this.heard[0]
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ text }))
    }
    if (service === 'completions') return this.#stream(response)
    response.writeHead(200, { 'content-type': 'audio/pcm' }).end(tone(this.toneMs(this.spoken.at(-1) ?? '')))
  }

  async #stream(response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const turn = this.turns.at(-1)
    for (const piece of turn === undefined ? [] : await this.answer(turn)) {
      const delta =
        typeof piece === 'string' ? { content: piece } : { tool_calls: [{ index: 0, id: 'call_1', function: { name: piece.tool, arguments: piece.args } }] }
      response.write(`data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`)
    }
    response.end('data: [DONE]\n\n')
  }

  #fail(failure: Failure, service: string, response: ServerResponse): void {
    switch (failure) {
      case 'none':
      case 'down':
        return void response.destroy()
      case 'error':
        return void response.writeHead(500).end('oops')
      case 'quota':
        return void response.writeHead(429).end('{"error":{"message":"slow down"}}')
      case 'malformed':
        return void response.writeHead(200).end(service === 'completions' ? 'data: {"choices": 7}\n\n' : service === 'speech' ? '' : '<html>')
      case 'slow':
        return void this.#held.add(response)
      case 'cut':
        response.writeHead(200).write(service === 'completions' ? 'data: {"choices":[{"delta":{"content":"I be"}}]}\n\n' : 'xxxx')
        return void setTimeout(() => response.destroy(), 50)
      case 'endless':
        response.writeHead(200)
        response.on('drain', () => response.write(Buffer.alloc(65_536, 'x')))
        return void response.write(Buffer.alloc(65_536, 'x'))
    }
  }
}

export function tone(ms: number): Buffer {
  const samples = new Int16Array(Math.round((ms * rate) / 1_000))
  for (let index = 0; index < samples.length; index++) samples[index] = Math.round(9_000 * Math.sin((index * 2 * Math.PI * 440) / rate))
  return Buffer.from(samples.buffer)
}
