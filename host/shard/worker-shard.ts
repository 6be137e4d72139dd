/**
 * The main thread's side of a shard in a worker thread. A worker that dies takes its running calls
 * with it: they are told so, and the next request starts a new worker on the same files.
 */
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

import { HostError, isErrorCode } from '../errors.ts'
import * as limits from '../limits.ts'
import { logLimits } from '../log-limits.ts'
import type { LogLimits } from '../log-limits.ts'
import type { Frame } from '../protocol/frame.ts'
import { decodeFrame, encodeFrame } from '../protocol/frame.ts'
import type { Shard, ShardAnswer, ShardEvent, ShardMethod, ShardRequest } from '../protocol/shard-protocol.ts'
import type { ShardLanes } from './shard-core.ts'
import type { InstanceMode } from '../sandbox/instance-mode.ts'
import { Watchdog } from './watchdog.ts'
import type { WatchdogOptions } from './watchdog.ts'
import type { AnswerHead, RequestHead, ShardWorkerData } from './worker-protocol.ts'

export interface WorkerShardOptions {
  readonly data: string
  readonly lanes: ShardLanes
  /** `fresh` when left out. */
  readonly instances?: InstanceMode
  /** Those of the limits when left out. */
  readonly logLimits?: LogLimits
  readonly onEvent: (event: ShardEvent) => void
  /** Something of ours failed inside the shard; the caller only learns ERR_INTERNAL. */
  readonly onFailure: (message: string) => void
  /** The worker turns no more and cannot be ended, as inside a SQLite statement: the process must go. */
  readonly onStuck: () => void
  /** That of the limits when left out. */
  readonly watchdog?: WatchdogOptions
}

interface Waiting {
  resolve(frame: Frame): void
  reject(error: unknown): void
}

export class WorkerShard implements Shard {
  readonly #options: WorkerShardOptions
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  readonly #patience: WatchdogOptions
  readonly #watchdog: Watchdog
  #nextId = 1
  #isClosed = false

  constructor(options: WorkerShardOptions) {
    this.#options = options
    this.#patience = options.watchdog ?? { pingMs: limits.shardPingMs, silenceMsMax: limits.shardSilenceMsMax }
    this.#watchdog = new Watchdog(this.#patience)
  }

  /** Starts the worker before anybody asks it something: to load its code takes longer than to open a database. */
  begin(): void {
    this.#worker ??= this.#start()
  }

  async send<M extends ShardMethod>(
    database: string,
    method: M,
    head: ShardRequest<M>,
    body?: Uint8Array,
  ): Promise<{ head: ShardAnswer<M>; body: Uint8Array }> {
    if (this.#isClosed) throw new HostError('ERR_HOST_CLOSED', 'the host is stopping: nothing was done')
    const frame = await this.#request({ database, method, head }, body)
    return { head: frame.head as ShardAnswer<M>, body: frame.body }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#watchdog.stop()
    if (this.#worker === undefined) return
    // A worker that dies while it stops has stopped.
    await this.#request({ database: '', method: 'stop', head: {} }).catch(() => undefined)
    await this.#worker?.terminate()
  }

  #request(request: Omit<RequestHead, 'id'>, body?: Uint8Array): Promise<Frame> {
    return this.#ask((this.#worker ??= this.#start()), request, body)
  }

  #ask(worker: Worker, request: Omit<RequestHead, 'id'>, body?: Uint8Array): Promise<Frame> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      const frame = encodeFrame({ id, ...request } satisfies RequestHead, body)
      worker.postMessage(frame, [frame.buffer])
    })
  }

  #start(): Worker {
    // Sources run by type stripping, the installed package as JavaScript.
    const file = new URL(`./shard-worker${extname(import.meta.url)}`, import.meta.url)
    const { data, lanes, instances = 'fresh', logLimits: keep = logLimits({}) } = this.#options
    const workerData: ShardWorkerData = { data, lanes, instances, logLimits: keep }
    const worker = new Worker(file, { workerData })
    worker.on('message', (bytes: Uint8Array) => this.#receive(decodeFrame(bytes)))
    worker.on('error', (error: Error) => this.#options.onFailure(`a shard died: ${error.stack ?? error.message}`))
    worker.on('exit', () => this.#lose(worker))
    const ping = (): Promise<Frame> => this.#ask(worker, { database: '', method: 'ping', head: {} })
    // Until it has loaded its code, which takes long on a machine with much else to do, nothing of a guest runs in it.
    ping().then(
      () => this.#watchdog.start(ping, () => this.#end(worker)),
      () => undefined,
    )
    return worker
  }

  /** Ends a worker that answers no more; its calls learn that it is lost. */
  #end(worker: Worker): void {
    this.#options.onFailure(`a shard has not answered for ${this.#patience.silenceMsMax} ms and is ended`)
    const stuck = setTimeout(this.#options.onStuck, limits.shardEndTimeMsMax)
    void worker.terminate().finally(() => clearTimeout(stuck))
  }

  #receive(frame: Frame): void {
    const answer = frame.head as AnswerHead
    if (answer.kind === 'event') return this.#options.onEvent(answer.event)
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (answer.kind === 'answer') return waiting?.resolve({ head: answer.head, body: frame.body })
    if (answer.stack !== undefined) this.#options.onFailure(answer.stack)
    const code = isErrorCode(answer.code) ? answer.code : 'ERR_INTERNAL'
    waiting?.reject(new HostError(code, answer.message, { detail: answer.detail }))
  }

  #lose(worker: Worker): void {
    this.#watchdog.stop()
    if (this.#worker === worker) this.#worker = undefined
    const lost = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const waiting of lost) waiting.reject(new HostError('ERR_SHARD_LOST', 'the shard ended before it answered: the call may or may not have happened'))
  }
}
