/** The log forgets what is old or too much, and nothing that is not safe without it. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { after, suite, test } from 'node:test'
import type { TestContext } from 'node:test'

import fc from 'fast-check'

import * as limits from '../../host/limits.ts'
import { logLimits } from '../../host/log-limits.ts'
import type { LogLimits } from '../../host/log-limits.ts'
import type { LogSegment } from '../../host/log/commit-log.ts'
import { FileLog } from '../../host/log/file-log.ts'
import { openHost } from '../../host/open-host.ts'
import { countToForget } from '../../host/shard/retention.ts'
import { hexOf } from '../../host/storage/log-history.ts'
import { lockFolder } from '../../host/storage/folder-lock.ts'
import { Snapshots } from '../../host/storage/snapshots.ts'
import { DataFolder } from '../storage/folder.ts'
import { OpenShard } from './open-shard.ts'
import { checked, first, gate } from './versions.ts'

const KiB = 1_024
const dayMicros = 86_400_000_000n
/** Checked before a test stops the timers, which the gate needs too. */
const module = await checked(first)
after(() => gate.close())

const everything: LogLimits = { sizeBytesMax: 2 ** 40, ageSecondsMax: 2 ** 30 }

/** A shard whose segments are small, and whose upkeep has its turn when the test says so. */
class KeepingShard extends OpenShard {
  readonly log: FileLog
  readonly #context: TestContext
  readonly #uids = new Map<string, string>()

  constructor(context: TestContext, logLimits: LogLimits) {
    context.mock.timers.enable({ apis: ['setInterval'] })
    const folder = new DataFolder()
    const clock = { now: (): bigint => this.clock.now() }
    mkdirSync(folder.at('log', '0'), { recursive: true })
    const log = new FileLog({ folder: folder.at('log', '0'), lock: lockFolder, clock, segmentSizeBytes: 16 * KiB })
    super({ log, folder, logLimits })
    this.log = log
    this.#context = context
  }

  async make(...databases: readonly string[]): Promise<void> {
    for (const database of databases) {
      await this.create(database)
      this.#uids.set(database, hexOf((await this.held(database)).database.uid))
      await this.send(database, 'close', {})
      await this.publishChecked(database, module)
      await this.stamp(database, 1)
    }
  }

  /** Enough to fill so many segments. */
  async fill(database: string, segments: number): Promise<void> {
    for (let call = 0; call < segments * 4; call++) await this.stamp(database, 1, { size: 5 * KiB })
  }

  /** Upkeep has its turn, and so many turns of the disk to come to this. */
  async upkeep(isDone: () => boolean): Promise<void> {
    this.#context.mock.timers.tick(limits.laneUpkeepTimeMs)
    for (let turn = 0; turn < 100_000 && !isDone(); turn++) await readdir(this.folder.path)
  }

  /** Upkeep has its turn, and comes to nothing. */
  async vainUpkeep(): Promise<void> {
    this.#context.mock.timers.tick(limits.laneUpkeepTimeMs)
    for (let turn = 0; turn < 500; turn++) await readdir(this.folder.path)
  }

  /** The position of the oldest record of a database that the log has; 0 when it has none. */
  oldestOf(database: string): bigint {
    const uid = this.#uids.get(database) ?? ''
    const heads = this.log.segments().map((segment) => segment.heads.get(uid))
    return heads.find((head) => head !== undefined)?.firstPosition ?? 0n
  }

  get sizeBytes(): number {
    return this.log.segments().reduce((sum, segment) => sum + segment.sizeBytes, 0)
  }

  snapshotOf(database: string): bigint {
    return new Snapshots(this.folder.at('databases', database)).position
  }

  get told(): readonly string[] {
    return this.events.flatMap(({ database, entries }) => entries.filter(({ level }) => level === 'warn').map(({ message }) => `${database}: ${message}`))
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]()
    this.folder[Symbol.dispose]()
  }
}

suite('the log', () => {
  test('forgets what is past its size as it grows, and databases that lag get their snapshots and stay as they were', async (context) => {
    const sizeBytesMax = 64 * KiB
    await using shard = new KeepingShard(context, { ...everything, sizeBytesMax })
    await shard.make('busy', 'idle', 'closed')
    await shard.send('closed', 'close', {})
    await shard.fill('busy', 12)
    await shard.upkeep(() => shard.sizeBytes <= sizeBytesMax)
    assert.ok(shard.sizeBytes <= sizeBytesMax, `${shard.sizeBytes} bytes`)
    assert.ok(shard.oldestOf('busy') > 20n)
    assert.deepEqual([shard.oldestOf('idle'), shard.oldestOf('closed')], [0n, 0n])
    for (const database of ['idle', 'closed']) assert.equal(shard.snapshotOf(database), 4n, database)
    assert.match(readFileSync(shard.folder.at('databases', 'closed', 'state.json'), 'utf8'), /"phase":"clean"/)
    assert.match(readFileSync(shard.folder.at('databases', 'idle', 'state.json'), 'utf8'), /"phase":"open"/)
    assert.deepEqual(shard.told, [])
  })

  test('gives back a database that is rebuilt from its snapshot and what is left of the log', async (context) => {
    await using shard = new KeepingShard(context, { ...everything, sizeBytesMax: 64 * KiB })
    await shard.make('busy', 'closed')
    await shard.fill('busy', 12)
    await shard.upkeep(() => shard.oldestOf('closed') === 0n)
    for (const database of ['busy', 'closed']) {
      await shard.send(database, 'close', {})
      rmSync(shard.path(database))
    }
    for (const [database, count] of [
      ['busy', 50],
      ['closed', 2],
    ] as const) {
      await shard.stamp(database, 1)
      assert.deepEqual(await shard.rows(database, 'SELECT count(*) FROM stamps'), [count])
    }
  })

  test('forgets what is past its age when its time comes, and not before', async (context) => {
    await using shard = new KeepingShard(context, logLimits({}))
    await shard.make('anna')
    await shard.fill('anna', 3)
    shard.clock.micros += 29n * dayMicros
    await shard.vainUpkeep()
    assert.equal(shard.oldestOf('anna'), 1n)
    shard.clock.micros += 2n * dayMicros
    await shard.upkeep(() => shard.log.segments().length === 1)
    assert.equal(shard.log.segments().length, 1)
  })

  test('forgets nothing of a database that can have no snapshot, says so once, and goes on when it can', async (context) => {
    await using shard = new KeepingShard(context, { ...everything, sizeBytesMax: 32 * KiB })
    await shard.make('stuck', 'anna')
    const snapshots = shard.folder.at('databases', 'stuck', 'snapshots')
    rmSync(snapshots, { recursive: true, force: true })
    writeFileSync(snapshots, 'in the way')
    await shard.fill('anna', 4)
    await shard.vainUpkeep()
    await shard.vainUpkeep()
    const oldest = shard.oldestOf('stuck')
    assert.ok(oldest > 0n)
    assert.equal(shard.told.length, 1)
    assert.match(shard.told[0] ?? '', /^stuck: the log cannot forget what is old, since there is no snapshot of this database: /)
    rmSync(snapshots)
    await shard.upkeep(() => shard.oldestOf('stuck') === 0n)
    assert.equal(shard.oldestOf('stuck'), 0n)
  })

  test('forgets a database that was dropped', async (context) => {
    await using shard = new KeepingShard(context, { ...everything, sizeBytesMax: 48 * KiB })
    await shard.make('gone', 'anna')
    await shard.send('gone', 'drop', {})
    await shard.fill('anna', 4)
    await shard.upkeep(() => shard.oldestOf('gone') === 0n)
    assert.equal(shard.oldestOf('gone'), 0n)
    assert.deepEqual(shard.told, [])
  })

  test('keeps what it has of a database whose folder is lost, until it is there again', async (context) => {
    await using shard = new KeepingShard(context, { ...everything, sizeBytesMax: 200 * KiB })
    await shard.make('lost', 'anna')
    await shard.send('lost', 'close', {})
    renameSync(shard.folder.at('databases', 'lost'), shard.folder.at('elsewhere'))
    await shard.fill('anna', 12)
    await shard.vainUpkeep()
    assert.equal(shard.oldestOf('lost'), 1n)
    renameSync(shard.folder.at('elsewhere'), shard.folder.at('databases', 'lost'))
    await shard.upkeep(() => shard.oldestOf('lost') === 0n)
    assert.deepEqual([shard.oldestOf('lost'), shard.snapshotOf('lost')], [0n, 4n])
  })

  test('believes no snapshot whose bytes are not what was written', async (context) => {
    await using shard = new KeepingShard(context, { ...everything, sizeBytesMax: 200 * KiB })
    await shard.make('quiet', 'anna')
    const { state } = await shard.held('quiet')
    await state.checkpoint(true)
    const file = 'databases/quiet/snapshots/00000000000000000004.sqlite'
    shard.folder.flip(file, 6_000)
    const damaged = readFileSync(shard.folder.at(file))
    await shard.fill('anna', 12)
    await shard.upkeep(() => shard.oldestOf('quiet') === 0n)
    assert.equal(shard.oldestOf('quiet'), 0n)
    assert.ok(!readFileSync(shard.folder.at(file)).equals(damaged), 'another one was made in its place')
  })

  test('keeps its last segment whatever its size', async (context) => {
    await using shard = new KeepingShard(context, { sizeBytesMax: 1, ageSecondsMax: 1 })
    await shard.make('anna')
    await shard.fill('anna', 1)
    shard.clock.micros += dayMicros
    await shard.upkeep(() => shard.log.segments().length === 1)
    await shard.vainUpkeep()
    assert.equal(shard.log.segments().length, 1)
  })

  test('has a reserve after its first upkeep', async (context) => {
    await using shard = new KeepingShard(context, everything)
    await shard.make('anna')
    const reserve = shard.folder.at('log', '0', 'reserve')
    await shard.upkeep(() => existsSync(reserve))
    assert.ok(existsSync(reserve))
  })
})

test('segments are forgotten from the oldest on, while one is too old or all are too large', () => {
  const segment = fc.record({ sizeBytes: fc.integer({ min: 1, max: 100 }), ageSeconds: fc.integer({ min: 0, max: 100 }) })
  fc.assert(
    fc.property(
      fc.array(segment, { maxLength: 12 }),
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 1, max: 100 }),
      (made, sizeBytesMax, ageSecondsMax) => {
        const ordered = made.toSorted((left, right) => right.ageSeconds - left.ageSeconds)
        const segments = ordered.map(({ sizeBytes, ageSeconds }, index): LogSegment => {
          const sealedAt = index === ordered.length - 1 ? undefined : -BigInt(ageSeconds) * 1_000_000n
          return { file: '', sizeBytes, firstSequence: 0n, lastSequence: 0n, sealedAt, heads: new Map() }
        })
        const count = countToForget(segments, { sizeBytesMax, ageSecondsMax }, 0n)
        const sizeFrom = (index: number): number => segments.slice(index).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
        const mustGo = (index: number): boolean =>
          index < segments.length - 1 && ((ordered[index]?.ageSeconds ?? 0) > ageSecondsMax || sizeFrom(index) > sizeBytesMax)
        assert.equal(mustGo(count), false)
        for (let index = 0; index < count; index++) assert.ok(mustGo(index))
      },
    ),
  )
})

test('limits of the log are whole numbers above 0', async () => {
  using folder = new DataFolder()
  for (const options of [{ logSizeBytesMax: 0 }, { logAgeSecondsMax: -1 }, { logSizeBytesMax: 1.5 }]) {
    await assert.rejects(openHost({ data: folder.path, ...options }), { code: 'ERR_ARGUMENT_RANGE' })
  }
})
