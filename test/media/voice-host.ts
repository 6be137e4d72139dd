/** A host in a process of its own with the claims line in it, as a person would start it: `remembrancer serve --voice`. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { buildModule } from '../../host/module/build.ts'
import type { SessionPlace } from '../../host/api/ports.ts'
import type { VoiceConfig } from '../../host/media/provider/profile.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const database = 'claims-line'
export const agent = 'claims'

export interface VoiceHostOptions {
  /** The URL of a provider of all three services; text only when left out. */
  readonly providerUrl?: string | undefined
  readonly data?: string
  readonly config?: VoiceConfig
}

let built: Promise<Uint8Array> | undefined

function claimsLine(): Promise<Uint8Array> {
  built ??= buildModule(join(root, 'modules/claims-line'), { optimize: false }).then(({ component }) => component)
  return built
}

export function profilesAt(providerUrl: string): VoiceConfig {
  const service = { url: `${providerUrl}/v1`, model: 'offline' }
  return { profiles: { default: { transcription: service, chat: service, speech: { ...service, voice: 'en-us' } } }, databases: {} }
}

export class VoiceHost {
  readonly data: string
  readonly #child: ChildProcess
  readonly #token: string
  readonly url: string
  #pageToken = ''
  /** What it wrote about its own failures. */
  readonly errors: string[]

  private constructor(child: ChildProcess, data: string, url: string, errors: string[]) {
    this.#child = child
    this.data = data
    this.url = url
    this.errors = errors
    this.#token = readFileSync(join(data, 'operator.token'), 'utf8').trim()
  }

  static async start(options: VoiceHostOptions = {}): Promise<VoiceHost> {
    const data = options.data ?? mkdtempSync(join(tmpdir(), 'remembrancer-voice-'))
    const config = options.config ?? (options.providerUrl === undefined ? undefined : profilesAt(options.providerUrl))
    const file = join(data, 'voice.json')
    if (config !== undefined) writeFileSync(file, JSON.stringify(config))
    const args = ['bin/remembrancer.js', 'serve', '--data', data, '--port', '0', ...(config === undefined ? [] : ['--voice', file])]
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_NO_WARNINGS: '1' } })
    const errors: string[] = []
    child.stderr.on('data', (text: Buffer) => errors.push(String(text)))
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (text: Buffer) => resolve(String(text).trim()))
      child.once('exit', () => reject(new Error(`the host ended: ${errors.join('')}`)))
    })
    const host = new VoiceHost(child, data, url, errors)
    const known = await host.request('GET', '/v1/databases')
    if (!JSON.stringify(known).includes(`"${database}"`)) {
      await host.request('POST', '/v1/databases', { name: database })
      await host.request('PUT', `/v1/databases/${database}/module`, await claimsLine())
    }
    host.#pageToken = await host.token('page', ['act-for'])
    return host
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The page's address, as `dev` prints it. */
  get pageUrl(): string {
    return `${this.url}/talk/talk.html#${new URLSearchParams({ database, agent, token: this.#pageToken }).toString()}`
  }

  async token(subject: string, rights: readonly string[] = []): Promise<string> {
    const answer = (await this.request('POST', `/v1/databases/${database}/tokens`, { subject, ttlSeconds: 3_600, rights })) as { token: string }
    return answer.token
  }

  /** A place in a new session for `subject`, opened by the page's token for them. */
  async open(subject: string, transport: 'room' | 'websocket' = 'room'): Promise<SessionPlace> {
    const body = { transport, sender: { subject } }
    return (await this.request('POST', `/v1/databases/${database}/agents/${agent}/sessions`, body, this.#pageToken)) as SessionPlace
  }

  /** The person's own rows. */
  async sql(subject: string, sql: string): Promise<readonly (readonly unknown[])[]> {
    const answer = (await this.request('POST', `/v1/databases/${database}/sql`, { sql }, await this.token(subject))) as { rows: unknown[][] }
    return answer.rows
  }

  async request(method: string, path: string, body?: unknown, token: string = this.#token): Promise<unknown> {
    const { status, answer } = await this.attempt(method, path, body, token)
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`)
    return answer
  }

  async attempt(method: string, path: string, body: unknown, token: string): Promise<{ readonly status: number; readonly answer: unknown }> {
    const isComponent = body instanceof Uint8Array
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': isComponent ? 'application/wasm' : 'application/json' }) },
      ...(body === undefined ? {} : { body: isComponent ? body : JSON.stringify(body) }),
    })
    return { status: response.status, answer: await response.json() }
  }

  /** Another database with a module of this text. */
  async publish(name: string, source: string): Promise<void> {
    const folder = join(this.data, '..', `${basename(this.data)}-${name}`)
    mkdirSync(folder)
    try {
      writeFileSync(join(folder, 'index.ts'), source)
      const { component } = await buildModule(folder, { optimize: false })
      await this.request('POST', '/v1/databases', { name })
      await this.request('PUT', `/v1/databases/${name}/module`, component)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** One call of its query `burn`, which ends by its fuel. */
  async burn(name: string): Promise<void> {
    this.#burnToken ??= ((await this.request('POST', `/v1/databases/${name}/tokens`, { subject: 'x', ttlSeconds: 600 })) as { token: string }).token
    const { status } = await this.attempt('POST', `/v1/databases/${name}/query/burn`, { args: { said: '' } }, this.#burnToken)
    if (status !== 422) throw new Error(`it burnt with status ${status}`)
  }
  #burnToken: string | undefined

  /** MiB that the host's process has resident. */
  get residentMiB(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024
  }

  /** Seconds of processor time it has used. */
  get cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / 100
  }

  get threadCount(): number {
    return Number(/Threads:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1] ?? 0)
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** Ends it in order; its data stays unless `isLast`. */
  async close(isLast = true): Promise<void> {
    await this.#end('SIGTERM')
    if (isLast) rmSync(this.data, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill(signal)
    let isLate = false
    const late = setTimeout(() => {
      isLate = true
      this.#child.kill('SIGKILL')
    }, 30_000)
    await ended
    clearTimeout(late)
    if (isLate) throw new Error(`the host did not end in 30 s: ${this.errors.join('')}`)
  }
}
