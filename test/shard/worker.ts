/** A shard in a worker thread: it may die, it may stop, and nobody waits for ever. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import type { Worker } from 'node:worker_threads'

import { Watchdog } from '../../host/shard/watchdog.ts'
import { WorkerShard } from '../../host/shard/worker-shard.ts'
import { DataFolder } from '../storage/folder.ts'

const sarah = { login: { issuer: 'test', subject: 'sarah' } }

class OpenWorker implements AsyncDisposable {
  readonly folder = new DataFolder()
  readonly failures: string[] = []
  readonly shard = new WorkerShard({
    data: this.folder.path,
    onEvent: () => undefined,
    onFailure: (message) => this.failures.push(message),
    onStuck: () => this.failures.push('stuck'),
  })

  /** Opens the database `anna`, and gives the thread that does it. */
  async start(): Promise<Worker> {
    const started = once(process, 'worker')
    await this.shard.send('anna', 'open', { create: true })
    const [worker] = await started
    return worker as Worker
  }

  async identity(): Promise<string> {
    return (await this.shard.send('anna', 'identify', sarah)).head.identity
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shard.close()
    this.folder[Symbol.dispose]()
  }
}

suite('worker', () => {
  test('what a dead worker owed is answered ERR_SHARD_LOST', async () => {
    await using open = new OpenWorker()
    const worker = await open.start()
    const ended = worker.terminate()
    const owed = Array.from({ length: 5 }, () => open.identity())
    await Promise.all(owed.map((one) => assert.rejects(one, { code: 'ERR_SHARD_LOST' })))
    await ended
  })

  test('after a worker died the next request starts another on the same files', async () => {
    await using open = new OpenWorker()
    const worker = await open.start()
    const identity = await open.identity()
    await worker.terminate()
    assert.equal(await open.identity(), identity)
  })

  test('a shard that is asked to stop answers what it took and refuses what comes later', async () => {
    await using open = new OpenWorker()
    await open.start()
    const taken = open.identity()
    const closing = open.shard.close()
    const late = assert.rejects(open.identity(), { code: 'ERR_HOST_CLOSED' })
    assert.match(await taken, /^[0-9a-f]{64}$/)
    await Promise.all([closing, late])
    assert.deepEqual(open.failures, [])
  })

  test('a worker that dies while it stops has stopped', async () => {
    await using open = new OpenWorker()
    const worker = await open.start()
    const closing = open.shard.close()
    void worker.terminate()
    await closing
  })

  test('an error of the shard itself reaches its log and not its caller', async () => {
    await using open = new OpenWorker()
    await open.start()
    const broken = open.shard.send('anna', 'call', { reducer: 0, kind: 'query', version: 0, caller: undefined as never })
    await assert.rejects(
      broken,
      (error: { code: string; message: string }) => ['ERR_INTERNAL', 'ERR_MODULE_MISSING'].includes(error.code) && !/\.ts/.test(error.message),
    )
  })

  test('a process that stood still takes nobody for silent', (context) => {
    context.mock.timers.enable({ apis: ['setInterval'] })
    const watchdog = new Watchdog({ pingMs: 1_000, silenceMsMax: 10_000 })
    watchdog.start(
      () => new Promise(() => undefined),
      () => assert.fail('nobody had time to answer'),
    )
    context.mock.timers.tick(1_000)
    context.mock.method(
      performance,
      'now',
      (
        (real) => () =>
          real() + 3_600_000
      )(performance.now.bind(performance)),
    )
    context.mock.timers.tick(1_000)
    watchdog.stop()
  })
})
