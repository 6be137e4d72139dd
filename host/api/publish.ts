/**
 * One publish: through the gate, then through the shard door. Publishes of one database wait for each
 * other, so that of two that race one is the later version and its report shows the difference to the
 * earlier one.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import type { PublishReport, Shard } from '../protocol/shard-protocol.ts'
import type { Gate } from './ports.ts'

export interface PublishRequest {
  readonly database: string
  readonly component: Uint8Array
  readonly publishedBy: string
  readonly isDryRun: boolean
}

/** @throws HostError ERR_COMPONENT_*, ERR_DESCRIPTION, ERR_SCHEMA_CHANGE */
export async function runPublish(gate: Gate, shard: Shard, request: PublishRequest): Promise<PublishReport> {
  const { core, description, componentHash, timings } = await gate.check(request.component)
  const head = { hash: componentHash, coreSizeBytes: core.length, publishedBy: request.publishedBy, dryRun: request.isDryRun }
  const { head: report } = await shard.send(request.database, 'publish', head, joined(core, description))
  return { ...report, timings: { ...timings, ...report.timings } }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first, 0)
  bytes.set(second, first.length)
  return bytes
}

/** Lets work on one name wait for the work before it. */
export class NamedQueue {
  readonly #tails = new Map<string, { last: Promise<unknown>; waiting: number }>()

  /** @throws HostError ERR_BUSY when too much waits already; otherwise what `work` throws. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const tail = this.#tails.get(name) ?? { last: Promise.resolve(), waiting: 0 }
    if (tail.waiting >= limits.publishesWaitingMax) {
      throw new HostError('ERR_BUSY', `${limits.publishesWaitingMax} changes of ${name} are waiting already: come back when they are done`)
    }
    this.#tails.set(name, tail)
    tail.waiting++
    const turn = tail.last.then(work)
    tail.last = turn.catch(() => undefined)
    try {
      return await turn
    } finally {
      if (--tail.waiting === 0) this.#tails.delete(name)
    }
  }
}
