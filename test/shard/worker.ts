/** A shard in a worker thread: it may die, it may stop, and nobody waits for ever. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import type { Worker } from 'node:worker_threads'

import * as limits from '../../host/limits.ts'
import { Watchdog } from '../../host/shard/watchdog.ts'
import type { WatchdogOptions } from '../../host/shard/watchdog.ts'
import { WorkerShard } from '../../host/shard/worker-shard.ts'
import { attackingGuest } from '../attack/guest.ts'
import { DataFolder } from '../storage/folder.ts'
import { callerNamed } from './open-shard.ts'
import { gate } from './versions.ts'

const sarah = { login: { issuer: 'test', subject: 'sarah' } }

class OpenWorker implements AsyncDisposable {
  readonly folder = new DataFolder()
  readonly failures: string[] = []
  readonly shard: WorkerShard

  constructor(watchdog?: WatchdogOptions) {
    this.shard = new WorkerShard({
      data: this.folder.path,
      lanes: { count: 1, own: [0] },
      onEvent: () => undefined,
      onFailure: (message) => this.failures.push(message),
      onStuck: () => this.failures.push('stuck'),
      ...(watchdog && { watchdog }),
    })
  }

  /** Opens the database `anna`, and gives the thread that does it. */
  async start(): Promise<Worker> {
    const started: Worker[] = []
    const note = (worker: Worker): number => started.push(worker)
    process.on('worker', note)
    await this.shard.send('anna', 'open', { create: true, tenant: 'default' })
    process.off('worker', note)
    // jco's tools, which build a module here, have one of their own, which starts when they are loaded.
    const worker = started.at(-1)
    assert(worker !== undefined)
    return worker
  }

  async identity(): Promise<string> {
    return (await this.shard.send('anna', 'identify', sarah)).head.identity
  }

  /** Publishes a module whose first reducer of its own reads memory in no order, as slowly as fuel allows. */
  async publishSlow(): Promise<void> {
    const keepAndRead = `(call $keep) (drop (memory.grow (i32.const 1022)))
      (loop $on (local.set $b (i32.add (local.get $b) (i32.load (i32.and (local.tee $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223))) (i32.const 0x3fffffc))))) (br $on))`
    const tables = [{ table: 'notes', mode: 'append' }] as const
    const reducers = [
      { name: 'read_on', tables, body: keepAndRead },
      { name: 'keep', tables, body: '(call $keep)' },
    ]
    const { core, description, componentHash: hash } = await gate.check(await attackingGuest({ reducers }))
    await this.shard.send('anna', 'limits', { change: { fuel: limits.fuelPerCallCeiling } })
    const head = { hash, coreSizeBytes: core.length, publishedBy: 'test', dryRun: false }
    await this.shard.send('anna', 'publish', head, Buffer.concat([core, description]))
  }

  /** By its place: `count_notes` is 0, `read_on` 2, `keep` 3. */
  async call(reducer: number, kind: 'reducer' | 'query' = 'reducer'): Promise<Uint8Array> {
    return (await this.shard.send('anna', 'call', { reducer, kind, version: 1, caller: callerNamed('sarah') })).body
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

  test('a shard that answers no more is ended, and the next request finds what was acknowledged and no more', async () => {
    // Patient while threads start, which takes its time on a busy machine.
    const watchdog = { pingMs: 50, silenceMsMax: 60_000 }
    await using open = new OpenWorker(watchdog)
    await open.start()
    await open.publishSlow()
    await open.call(3)
    watchdog.silenceMsMax = 500
    await assert.rejects(open.call(2), { code: 'ERR_SHARD_LOST' })
    assert.deepEqual(open.failures, ['a shard has not answered for 500 ms and is ended'])
    watchdog.silenceMsMax = 60_000
    assert.equal(Buffer.from(await open.call(0, 'query')).readBigUInt64LE(), 1n)
  })

  test('a shard that still loads its code is waited for', async () => {
    const watchdog = { pingMs: 1, silenceMsMax: 20 }
    await using open = new OpenWorker(watchdog)
    open.shard.begin()
    const [worker] = (await once(process, 'worker')) as [Worker]
    await Promise.race([once(worker, 'message'), once(worker, 'exit')])
    watchdog.silenceMsMax = 60_000
    assert.deepEqual(open.failures, [])
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
