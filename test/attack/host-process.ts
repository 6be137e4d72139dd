/** The serving host under attack: a child process that can be killed, and that says what failed inside it. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { InstanceMode } from '../../host/sandbox/instance-mode.ts'
import { HttpClient } from '../api/http-client.ts'

export type HostReport =
  | { readonly kind: 'serving'; readonly url: string; readonly operatorToken: string }
  /** What the host wrote about its own faults: an attack must cause none. */
  | { readonly kind: 'failure'; readonly text: string }

export class HostProcess extends HttpClient implements AsyncDisposable {
  operator = ''
  readonly failures: string[] = []
  readonly #data: string
  readonly #instances: InstanceMode
  #child: ChildProcess | undefined

  constructor(data: string, instances: InstanceMode) {
    super()
    this.#data = data
    this.#instances = instances
  }

  async start(): Promise<void> {
    const child = fork(join(import.meta.dirname, 'serving-host.ts'), [this.#data, this.#instances], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child = child
    const report = await new Promise<HostReport & { kind: 'serving' }>((resolve, reject) => {
      child.on('message', (message: HostReport) => (message.kind === 'serving' ? resolve(message) : this.failures.push(message.text)))
      child.once('exit', (code, signal) => reject(new Error(`the host ended with ${signal ?? code}`)))
    })
    this.port = Number(new URL(report.url).port)
    this.operator = report.operatorToken
  }

  get isAlive(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null
  }

  /** Resident memory, 0 where the system does not tell. */
  get residentBytes(): number {
    const status = `/proc/${this.#child?.pid}/status`
    if (!existsSync(status)) return 0
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, 'latin1'))?.[1] ?? 0) * 1_024
  }

  async kill(): Promise<void> {
    if (this.#child === undefined || !this.isAlive) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child === undefined || !this.isAlive) return
    const exit = once(this.#child, 'exit')
    this.#child.disconnect()
    await exit
  }
}
