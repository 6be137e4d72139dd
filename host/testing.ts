/**
 * A module under test, in the test's own process: built, published through the gate into a host in a
 * temporary folder, called as anybody at any time. What the module may do in production is what it may
 * do here.
 *
 *   const module = await openModule(import.meta.dirname)
 *   const sarah = await module.as('sarah')
 *   module.setTime('2026-11-22T09:30:00Z')
 *   await sarah.call('remember_turn', { content: 'Hello' })
 *   sarah.query('recall', { limit: 20 })
 *   sarah.rows('turns', { latest: 20 })
 *   await module.testPolicies()                                  // docs/policies.md: who sees what
 *   await module.close()
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { parseTimestamp } from './clock.ts'
import type { Clock, Micros } from './clock.ts'
import { HostError } from './errors.ts'
import { buildModule } from './module/build.ts'
import { openHost } from './open-host.ts'
import { testPolicies } from './policy-test/test-policies.ts'
import type { PolicyReport, PolicyTestOptions } from './policy-test/test-policies.ts'
import type { LocalDatabase, SenderOptions } from './local-database.ts'
import type { LocalHost } from './open-host.ts'
import type { Sender } from './sender.ts'
import type { LogEntry, PublishReport } from './protocol/shard-protocol.ts'

export interface OpenModuleOptions {
  /** The time of every call until setTime: RFC 3339; 2026-01-01T09:00:00Z when left out. */
  readonly time?: string
}

/**
 * Builds the module of a folder, or takes a component, and publishes it.
 *
 * @throws HostError ERR_BUILD, ERR_COMPONENT_*, ERR_DESCRIPTION
 */
export async function openModule(source: string | Uint8Array, { time = '2026-01-01T09:00:00Z' }: OpenModuleOptions = {}): Promise<TestModule> {
  const component = typeof source === 'string' ? (await buildModule(source, { optimize: false })).component : source
  const data = await mkdtemp(path.join(tmpdir(), 'remembrancer-test-'))
  const clock = new SetClock(time)
  const log: LogEntry[] = []
  const host = await openHost({ data, clock, onLog: (_database, entry) => log.push(entry) })
  try {
    const database = await host.database('test', { create: true })
    const report = await database.publish(component)
    return new TestModule({ data, clock, log, host, database, report })
  } catch (error) {
    await host.close()
    await rm(data, { recursive: true })
    throw error
  }
}

interface Opened {
  readonly data: string
  readonly clock: SetClock
  readonly log: readonly LogEntry[]
  readonly host: LocalHost
  readonly database: LocalDatabase
  readonly report: PublishReport
}

export class TestModule implements AsyncDisposable {
  readonly #opened: Opened

  constructor(opened: Opened) {
    this.#opened = opened
  }

  /** What the publish said: grants, schema changes, warnings. */
  get report(): PublishReport {
    return this.#opened.report
  }

  /** What the module's reducers have logged so far. */
  get log(): readonly LogEntry[] {
    return this.#opened.log
  }

  /** Somebody to call as, by the subject of a login or by a whole login; the same login is the same person. */
  async as(who: string | { readonly issuer?: string; readonly subject: string }, options: SenderOptions = {}): Promise<Sender> {
    return this.#opened.database.as(typeof who === 'string' ? { subject: who } : who, options)
  }

  /** The time of the calls from now on, as RFC 3339 in any zone. */
  setTime(time: string): void {
    this.#opened.clock.set(time)
  }

  /**
   * Whether people are isolated from each other in every table, and whether the cases of a sheet hold
   * (docs/policies.md). The calls of the sheet are made in this module's database, and stay.
   *
   * @throws HostError ERR_POLICY_TEST
   */
  async testPolicies(options: PolicyTestOptions = {}): Promise<PolicyReport> {
    return testPolicies(this.#opened.database, options)
  }

  /** Publishes another version over the data, as a deployment does. */
  async publish(source: string | Uint8Array): Promise<PublishReport> {
    const component = typeof source === 'string' ? (await buildModule(source, { optimize: false })).component : source
    return this.#opened.database.publish(component)
  }

  async close(): Promise<void> {
    await this.#opened.host.close()
    await rm(this.#opened.data, { recursive: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

class SetClock implements Clock {
  #now: Micros

  constructor(time: string) {
    this.#now = parsed(time)
  }

  now(): Micros {
    return this.#now
  }

  set(time: string): void {
    this.#now = parsed(time)
  }
}

function parsed(time: string): Micros {
  const micros = parseTimestamp(time)
  if (micros === undefined) throw new HostError('ERR_USAGE', `${JSON.stringify(time)} is no time: write it as in 2026-11-22T09:30:00Z`)
  return micros
}
