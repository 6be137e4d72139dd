/**
 * The neighbour: a claims line whose callers are served all the while (innocent-worker.ts). Each of its
 * requests must succeed with the right answer, and none may wait long.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import type { HostProcess } from './host-process.ts'
import type { InnocentData, InnocentReport } from './innocent-worker.ts'

const DATABASE = 'innocent'

export class Innocent {
  readonly #worker: Worker
  readonly #latenciesMs: number[] = []
  readonly #disturbances: string[] = []
  #worstMs = 0

  private constructor(data: InnocentData) {
    this.#worker = new Worker(new URL('innocent-worker.ts', import.meta.url), { workerData: data })
    this.#worker.on('message', (report: InnocentReport) => this.#note(report))
  }

  static async moveIn(host: HostProcess, component: Uint8Array): Promise<Innocent> {
    await host.request('POST', '/v1/databases', { token: host.operator, body: { name: DATABASE } })
    const published = await host.request('PUT', `/v1/databases/${DATABASE}/module`, { token: host.operator, body: component })
    assert.equal(published.status, 200, JSON.stringify(published.body))
    const { body } = await host.request('POST', `/v1/databases/${DATABASE}/tokens`, { token: host.operator, body: { subject: 'sarah', ttlSeconds: 3_600 } })
    return new Innocent({ port: host.port, database: DATABASE, token: body.token })
  }

  /** The longest request since the last time this was asked. */
  takeWorstMs(): number {
    const worstMs = this.#worstMs
    this.#worstMs = 0
    return worstMs
  }

  /** Ends the traffic, and says how it was. */
  async leave(): Promise<Peace> {
    const exit = once(this.#worker, 'exit')
    this.#worker.postMessage('leave')
    await exit
    const sorted = this.#latenciesMs.toSorted((left, right) => left - right)
    return { calls: sorted.length, p50Ms: sorted[Math.floor(sorted.length / 2)] ?? 0, worstMs: sorted.at(-1) ?? 0, disturbances: this.#disturbances }
  }

  #note(report: InnocentReport): void {
    if (report.kind === 'disturbed') return void this.#disturbances.push(report.how)
    this.#latenciesMs.push(report.tookMs)
    this.#worstMs = Math.max(this.#worstMs, report.tookMs)
  }
}

export interface Peace {
  readonly calls: number
  readonly p50Ms: number
  readonly worstMs: number
  /** Requests that failed or were answered wrongly: none may. */
  readonly disturbances: readonly string[]
}
