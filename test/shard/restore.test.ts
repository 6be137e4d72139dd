/**
 * Restoring gives what its owner had: after any history and at any moment of it, the file that a host has, its
 * snapshot with the log after it, and the log alone from the first record give the same tables, the host's own among
 * them.
 */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { cpSync, rmSync } from 'node:fs'
import { after, test } from 'node:test'

import Sqlite from 'better-sqlite3'
import fc from 'fast-check'

import { HostError } from '../../host/errors.ts'
import { identityToBytes } from '../../host/identity.ts'
import type { Identity } from '../../host/identity.ts'
import { Sender } from '../../host/sender.ts'
import { DataFolder } from '../storage/folder.ts'
import { OpenShard } from './open-shard.ts'
import { growthMax, grownTally } from './tally-versions.ts'
import { gate } from './versions.ts'

after(() => gate.close())

const calls = fc.record({
  subject: fc.constantFrom('sarah', 'bob', 'clara'),
  /** Few, so that calls are sent again. */
  id: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
  ending: fc.constantFrom('', '', '', 'fail', 'trap'),
  thing: fc.constantFrom('a', 'b'),
  takesAway: fc.boolean(),
  reads: fc.boolean(),
  size: fc.constantFrom(0, 20, 3_000),
  isExtra: fc.boolean(),
})

type Calling = typeof calls extends fc.Arbitrary<infer T> ? T : never

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('calls' as const),
      calls: fc.array(calls, { minLength: 1, maxLength: 8 }),
      crash: fc.option(fc.nat(6), { freq: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('publish' as const), growth: fc.nat(growthMax), number: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const), withSnapshot: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('limits' as const), fuel: fc.constantFrom(50_000, 10_000_000, null) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'rotate' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('link' as const, 'unlink' as const),
      from: fc.constantFrom('sarah', 'phone'),
      to: fc.constantFrom('bob', 'clara'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), hours: fc.integer({ min: -30, max: 60 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'close' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'drop' as const }) },
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const database = 'anna'

class Owner implements AsyncDisposable {
  readonly #folder = new DataFolder()
  #shard = new OpenShard({ folder: this.#folder })
  #growth = 0
  /** How often the copies were compared. */
  comparisons = 0

  static async make(): Promise<Owner> {
    const owner = new Owner()
    await owner.#create()
    return owner
  }

  async run(step: Step): Promise<void> {
    const shard = this.#shard
    switch (step.kind) {
      case 'calls':
        return this.#call(step.calls, step.crash)
      case 'publish':
        // What a version has, all later ones have.
        this.#growth = Math.max(this.#growth, step.growth)
        return this.#publish(step.number)
      case 'checkpoint':
        return (await shard.held(database)).state.checkpoint(step.withSnapshot)
      case 'limits':
        return void (await shard.send(database, 'limits', { change: { fuel: step.fuel } }))
      case 'rotate':
        return this.#rotate()
      case 'link':
      case 'unlink':
        return this.#link(step.kind, step.from, step.to)
      case 'time':
        shard.clock.micros += BigInt(step.hours) * 3_600_000_000n
        return
      case 'close':
        return void (await shard.send(database, 'close', {}))
      case 'restart':
        return this.#restart()
      case 'drop':
        await shard.send(database, 'drop', {})
        return this.#create()
    }
  }

  /** What the host has, and what is made of its files, is the same. */
  async compare(): Promise<void> {
    const { database: open, queue } = await this.#shard.held(database)
    queue.requireReadable()
    const restored = await this.#compareCopies()
    open.file.commit()
    assert.equal(tablesOf(open.file.path), restored, 'the host itself')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shard[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }

  async #create(): Promise<void> {
    this.#growth = 0
    await this.#shard.create(database)
    await this.#publish(1)
  }

  async #publish(number: number): Promise<void> {
    await this.#shard.publishChecked(database, await grownTally(this.#growth, number))
  }

  async #rotate(): Promise<void> {
    const { head } = await this.#shard.send(database, 'rotateKey', {})
    const old = head.keys.find(({ kid }) => kid !== head.keys.at(-1)?.kid)
    if (old !== undefined && head.keys.length > 3) await quietly(() => this.#shard.send(database, 'removeKey', { kid: old.kid }))
  }

  async #link(method: 'link' | 'unlink', from: string, subject: string): Promise<void> {
    const login = { issuer: 'test', subject: from }
    const to = { issuer: 'test', subject }
    await quietly(() =>
      method === 'link' ? this.#shard.send(database, 'link', { login, to, by: 'test' }) : this.#shard.send(database, 'unlink', { login, by: 'test' }),
    )
  }

  async #restart(): Promise<void> {
    const { clock } = this.#shard
    await this.#shard[Symbol.asyncDispose]()
    this.#shard = new OpenShard({ folder: this.#folder })
    this.#shard.clock.micros = clock.micros
  }

  /** A kill after so many turns of the loop leaves the files as they are then: nothing else happens while they are copied. */
  async #call(calling: readonly Calling[], crash: number | null): Promise<void> {
    const running = calling.map((one) => quietly(() => this.#callOne(one)))
    if (crash !== null) {
      for (let turn = 0; turn < crash; turn++) await new Promise((resolve) => setImmediate(resolve))
      await this.#compareCopies()
    }
    await Promise.all(running)
  }

  async #callOne({ subject, id, ending, thing, takesAway, reads, size, isExtra }: Calling): Promise<unknown> {
    const { head } = await this.#shard.send(database, 'identify', { login: { issuer: 'test', subject } })
    const identity = identityToBytes(head.identity as Identity)
    const sender = new Sender(await this.#shard.held(database), { sender: identity, actor: identity, assurance: 'signed', channel: 'test', claims: {} })
    const options = id === undefined ? {} : { id: `id-${id}` }
    return isExtra && this.#growth === growthMax
      ? sender.call('extra', [thing, size, takesAway], options)
      : sender.call('enter', [`call ${id}`, thing, takesAway, reads, size, ending], options)
  }

  /** As a host finds them that was killed, one that has lost its file, and one that has lost its snapshots too. */
  async #compareCopies(): Promise<string | undefined> {
    using killed = this.#copy()
    using fromSnapshot = this.#copy('state.sqlite', 'state.sqlite-wal', 'state.sqlite-shm', 'state.json')
    using fromLog = this.#copy('state.sqlite', 'state.sqlite-wal', 'state.sqlite-shm', 'state.json', 'snapshots')
    const tables = [await restored(killed), await restored(fromSnapshot), await restored(fromLog)]
    assert.equal(tables[1], tables[0], 'snapshot and log')
    assert.equal(tables[2], tables[0], 'the log alone')
    this.comparisons += 1
    return tables[0]
  }

  #copy(...lost: readonly string[]): DataFolder {
    const copy = new DataFolder()
    cpSync(this.#folder.path, copy.path, { recursive: true })
    for (const name of lost) rmSync(copy.at('databases', database, name), { recursive: true, force: true })
    return copy
  }
}

/** The tables of a host that starts on this folder. */
async function restored(folder: DataFolder): Promise<string> {
  await using shard = new OpenShard({ folder })
  const { state } = await shard.held(database)
  return tablesOf(state.file.path)
}

/** Every row of every table, and how the tables are made, read by another program. */
function tablesOf(path: string): string {
  const file = new Sqlite(path, { readonly: true })
  try {
    const schema = file.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').raw().all()
    const names = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all()
    const tables = names.map((name) => {
      const rows = file
        .prepare(`SELECT * FROM "${String(name)}"`)
        .raw()
        .safeIntegers()
        .all()
      return `${String(name)} ${rows
        .map((row) => JSON.stringify(row, plain))
        .toSorted()
        .join('\n')}`
    })
    return [JSON.stringify(schema), ...tables].join('\n')
  } finally {
    file.close()
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  return value instanceof Uint8Array && value.length > 100 ? hash('sha256', value) : value
}

/** Calls that fail are part of a history. */
async function quietly(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof HostError) || error.code === 'ERR_STORAGE') throw error
  }
}

test('after any history, and at any moment of one, a restored database is the one that was', { timeout: 180_000 }, async (context) => {
  let comparisons = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
      await using owner = await Owner.make()
      for (const one of steps) await owner.run(one)
      await owner.compare()
      comparisons += owner.comparisons
    }),
    { numRuns: 15 },
  )
  context.diagnostic(`${comparisons} comparisons`)
})
