/** A host in a child process (host-child.ts): it is started, says how far it has come, and is killed. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'

import type { ChildCommand, ChildReport } from './host-child.ts'
import { reportDescriptor } from './report-descriptor.ts'
import { HostGone } from './requests.ts'
import type { Refusal, Reply, Request } from './requests.ts'

export interface HostProcessOptions {
  readonly data: string
  readonly shape: 'local' | 'serving'
  /** A file with the component of tally.ts. */
  readonly componentFile: string
  readonly shards: number
  /** Checkpoints, snapshots and segments come at small sizes: small-limits.ts. */
  readonly hasSmallLimits: boolean
}

export type Started = { readonly url?: string; readonly operatorToken?: string } | { readonly refused: Refusal }

/** A host loads its sources in half the time when another one has left their code, as an installed package has it. */
const compiledCode = join(tmpdir(), 'remembrancer-crash-code')

export class HostProcess {
  readonly options: HostProcessOptions
  /** What the host wrote about its own faults, and what the process wrote to stderr. */
  readonly failures: string[] = []
  /** `performance.now()` when the process was started. */
  readonly spawnedAt = performance.now()
  /** Resolves with `performance.now()` when the process is up and the host about to start; never if it ends before. */
  readonly booted: Promise<number>
  /** Never resolves if the process ends before. */
  readonly opened: Promise<Started>
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve(reply: Reply): void; reject(error: HostGone): void }>()
  readonly #boot = Promise.withResolvers<number>()
  readonly #open = Promise.withResolvers<Started>()
  #nextId = 1
  #isKilled = false

  constructor(options: HostProcessOptions) {
    this.options = options
    const { data, shape, componentFile, shards, hasSmallLimits } = options
    const child = fork(new URL('host-child.ts', import.meta.url), [shape, data, componentFile, String(shards)], {
      env: { NODE_COMPILE_CACHE: compiledCode, ...process.env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
      execArgv: ['--no-warnings', ...(hasSmallLimits ? ['--import', new URL('small-limits.ts', import.meta.url).href] : [])],
    })
    this.#child = child
    this.booted = this.#boot.promise
    this.opened = this.#open.promise
    const reports = child.stdio[reportDescriptor]
    if (!(reports instanceof Readable)) throw new Error('the child has no pipe')
    const lines = createInterface({ input: reports })
    lines.on('line', (line) => this.#receive(JSON.parse(line) as ChildReport))
    child.stderr?.on('data', (chunk: Buffer) => this.failures.push(chunk.toString()))
    // Everything that was written into the pipe is read before the end counts.
    this.ended = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(() => this.#end())
  }

  get processId(): number {
    return this.#child.pid ?? 0
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** It ended, and nobody killed it or asked it to. */
  get hasDied(): boolean {
    return !this.isAlive && !this.#isKilled
  }

  /** @throws HostGone */
  send(request: Request): Promise<Reply> {
    if (!this.isAlive) return Promise.reject(new HostGone('the host has ended'))
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, request } satisfies ChildCommand, () => undefined)
    })
  }

  async kill(): Promise<void> {
    this.#isKilled = true
    this.#child.kill('SIGKILL')
    await this.ended
  }

  /** Lets it end by itself. */
  async leave(): Promise<void> {
    this.#isKilled = true
    if (this.#child.connected) this.#child.disconnect()
    await this.ended
  }

  #receive(report: ChildReport): void {
    switch (report.kind) {
      case 'booted':
        return this.#boot.resolve(performance.now())
      case 'open': {
        const { kind: _kind, ...started } = report
        return this.#open.resolve(started)
      }
      case 'refused':
        return this.#open.resolve({ refused: { code: report.code, message: report.message } })
      case 'reply':
        this.#waiting.get(report.id)?.resolve(report.reply)
        this.#waiting.delete(report.id)
        return
      case 'failure':
        this.failures.push(report.text)
    }
  }

  #end(): void {
    for (const waiting of this.#waiting.values()) waiting.reject(new HostGone('the host ended before it answered'))
    this.#waiting.clear()
  }
}
