/** A host in a process of its own, started by the command that its users type, and a client of its HTTP API. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const command = join(import.meta.dirname, '..', 'bin', 'remembrancer.js')

export class DemoHost {
  readonly url: string
  readonly operatorToken: string
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, url: string, operatorToken: string) {
    this.#process = process
    this.url = url
    this.operatorToken = operatorToken
  }

  /** Resolves when the host answers on a free port. */
  static async start(data: string): Promise<DemoHost> {
    const child = spawn(process.execPath, [command, 'serve', '--data', data, '--port', '0', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    for await (const line of createInterface({ input: child.stdout })) {
      const { url, operatorTokenFile } = JSON.parse(line) as { url: string; operatorTokenFile: string }
      return new DemoHost(child, url, readFileSync(operatorTokenFile, 'utf8').trim())
    }
    throw new Error(`the host did not start:\n${stderr}`)
  }

  /** SIGKILL: no goodbye, as when a machine is taken away. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    this.#process.kill(signal)
    await once(this.#process, 'exit')
  }
}

export interface Answer {
  readonly status: number
  readonly text: string
}

export async function request(host: DemoHost, method: string, path: string, token: string, body?: unknown): Promise<Answer> {
  const isBytes = body instanceof Uint8Array
  const response = await fetch(`${host.url}/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': isBytes ? 'application/wasm' : 'application/json' }) },
    ...(body === undefined ? {} : { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}

/** The JSON of a request that must succeed. */
export async function ask(host: DemoHost, method: string, path: string, token: string, body?: unknown): Promise<unknown> {
  const { status, text } = await request(host, method, path, token, body)
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
  return JSON.parse(text)
}
