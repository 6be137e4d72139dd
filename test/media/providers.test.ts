/** What a provider may do, and what the host makes of it. */
import assert from 'node:assert/strict'
import test from 'node:test'

import { Agent } from 'undici'

import { HostError } from '../../host/errors.ts'
import { chat } from '../../host/media/provider/chat.ts'
import type { ChatPiece } from '../../host/media/provider/chat.ts'
import { parseVoiceConfig, profileOf } from '../../host/media/provider/profile.ts'
import { ProviderClient } from '../../host/media/provider/provider-client.ts'
import { Providers } from '../../host/media/provider/providers.ts'
import type { BeforeSending } from '../../host/media/provider/providers.ts'
import { speak } from '../../host/media/provider/speak.ts'
import { transcribe } from '../../host/media/provider/transcribe.ts'
import { ScriptedProvider } from './scripted-provider.ts'

class Fixture implements AsyncDisposable {
  readonly provider: ScriptedProvider
  readonly agent = new Agent()

  constructor(provider: ScriptedProvider) {
    this.provider = provider
  }

  client(options: { readonly requestsPerMinuteMax?: number; readonly keyEnv?: string } = {}): ProviderClient {
    return new ProviderClient({ url: `${this.provider.url}/v1`, ...options }, this.agent)
  }

  async pieces(signal: AbortSignal = never): Promise<ChatPiece[]> {
    const pieces: ChatPiece[] = []
    const request = { messages: [{ role: 'user', content: 'hello' }], tools: [], signal } as const
    for await (const piece of chat(this.client(), { url: '', model: 'm' }, request)) pieces.push(piece)
    return pieces
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.destroy()
    await this.provider.close()
  }
}

const never = new AbortController().signal

async function start(): Promise<Fixture> {
  return new Fixture(await ScriptedProvider.start())
}

function isCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HostError && error.code === code
}

test('words come as they are made, and tool calls at the end', async () => {
  await using fixture = await start()
  fixture.provider.answer = () => ['Let me ', 'look.', { tool: 'open_claim', args: '{"kind":"water"}' }]
  assert.deepEqual(await fixture.pieces(), [
    { kind: 'text', text: 'Let me ' },
    { kind: 'text', text: 'look.' },
    { kind: 'tool', call: { id: 'call_1', name: 'open_claim', arguments: '{"kind":"water"}' } },
  ])
})

test('a provider that is down, refuses, breaks off or makes no sense is one kind of failure', async () => {
  await using fixture = await start()
  for (const failure of ['down', 'error', 'malformed', 'cut'] as const) {
    fixture.provider.failures.completions = failure
    await assert.rejects(fixture.pieces(), isCode('ERR_PROVIDER'), failure)
  }
  fixture.provider.failures.completions = 'quota'
  await assert.rejects(fixture.pieces(), isCode('ERR_PROVIDER_QUOTA'))
})

test('what a provider did not take is sent again', async () => {
  await using fixture = await start()
  fixture.provider.failures.completions = 'error'
  await assert.rejects(fixture.pieces())
  assert.equal(fixture.provider.turns.length, 3)
})

test('an answer without end is cut off', async () => {
  await using fixture = await start()
  fixture.provider.failures.transcriptions = 'endless'
  fixture.provider.failures.speech = 'endless'
  fixture.provider.failures.completions = 'endless'
  const samples = new Int16Array(160)
  await assert.rejects(transcribe(fixture.client(), { url: '', model: 'm' }, samples, never), isCode('ERR_PROVIDER'))
  await assert.rejects(fixture.pieces(), isCode('ERR_PROVIDER'))
  await assert.rejects(async () => {
    for await (const piece of speak(fixture.client(), { url: '', model: 'm', voice: 'v' }, 'hello', never)) assert.ok(piece.length <= 480)
  }, isCode('ERR_PROVIDER'))
})

test('what is aborted stops at once, whatever the provider does', async () => {
  await using fixture = await start()
  fixture.provider.failures.completions = 'slow'
  const ending = new AbortController()
  const waiting = fixture.pieces(ending.signal)
  const reason = new Error('interrupted')
  setImmediate(() => ending.abort(reason))
  await assert.rejects(waiting, reason)
})

test("a profile's quota is kept without asking the provider", async () => {
  await using fixture = await start()
  const client = fixture.client({ requestsPerMinuteMax: 2 })
  const service = { url: '', model: 'm' }
  const samples = new Int16Array(160)
  assert.equal(await transcribe(client, service, samples, never), 'hello')
  assert.equal(await transcribe(client, service, samples, never), 'hello')
  await assert.rejects(transcribe(client, service, samples, never), isCode('ERR_PROVIDER_QUOTA'))
})

test('a key that the environment lacks is said by its name', async () => {
  await using fixture = await start()
  await assert.rejects(fixture.client({ keyEnv: 'NO_SUCH_KEY' }).post({ path: '/x', body: '', contentType: 'text/plain', signal: never }), /NO_SUCH_KEY/)
})

test('a file of profiles says what is wrong with it', () => {
  assert.throws(
    () => parseVoiceConfig({ profiles: { a: { chat: { url: 'ftp://x', model: 'm' } } } }, 'voice.json'),
    /voice\.json: profiles\.a\.chat\.url: an http or https URL/,
  )
  assert.throws(() => parseVoiceConfig({ databases: { claims: 'fast' } }, 'voice.json'), /there is no profile fast/)
  assert.deepEqual(profileOf(parseVoiceConfig({}, 'x'), 'claims'), { name: 'default', profile: {} })
})

test('what is to leave is recorded before it does, and what cannot be recorded stays', async () => {
  await using fixture = await start()
  const service = { url: `${fixture.provider.url}/v1`, model: 'm' }
  const config = parseVoiceConfig({ profiles: { default: { chat: service, transcription: service, speech: service } } }, 'voice.json')
  const providers = new Providers(config)
  const recorded: string[] = []
  const keep: BeforeSending = async (name, url) => void recorded.push(`${name} ${url === service.url}`)
  const refuse: BeforeSending = async () => {
    throw new Error('the log is full')
  }
  const { transcribe: hear, speak: say, chat: think } = providers.of('claims')
  const request = { messages: [{ role: 'user', content: 'hello' }], tools: [], signal: never } as const
  const all = async (before: BeforeSending): Promise<void> => {
    const attempts = [
      async () => void (await hear?.(new Int16Array(160), never, before)),
      async () => {
        for await (const piece of think(before)(request)) assert.equal(piece.kind, 'text')
      },
      async () => {
        for await (const piece of say?.('hello', never, before) ?? []) assert.ok(piece.length > 0)
      },
    ]
    for (const attempt of attempts) await (before === refuse ? assert.rejects(attempt, /the log is full/) : attempt())
  }
  await all(refuse)
  assert.deepEqual([fixture.provider.turns.length, fixture.provider.spoken.length], [0, 0])
  await all(keep)
  await providers.close()
  assert.deepEqual(recorded, ['transcription true', 'chat true', 'speech true'])
})
