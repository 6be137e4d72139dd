/**
 * A data folder with a history to look into: three databases, two versions of a module, calls of every kind, some
 * of them at once, some refused, a changed limit, a snapshot in the middle. Made once for a test file, by hosts
 * that open it and close it; a test that damages it takes a copy.
 */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import Sqlite from 'better-sqlite3'

import { FolderHistory } from '../../host/history/folder-history.ts'
import type { DatabaseHistory } from '../../host/history/folder-history.ts'
import { buildModule } from '../../host/module/build.ts'
import { openHost } from '../../host/open-host.ts'
import type { LocalHost } from '../../host/open-host.ts'
import { sumFile } from '../../host/storage/durable-file.ts'
import { ledgerComponent } from '../reducer/ledger.ts'
import { OpenShard } from '../shard/open-shard.ts'
import { component, first, second } from '../shard/versions.ts'
import { DataFolder, StoppedClock } from '../storage/folder.ts'

export const day = 86_400_000_000n

export class HistoryFixture extends DataFolder {
  /** Of the snapshot of `ledger`. */
  snapshotPosition = 0n

  static async make(): Promise<HistoryFixture> {
    const fixture = new HistoryFixture()
    await fixture.#begin()
    await fixture.#snapshot()
    await fixture.#goOn()
    return fixture
  }

  copy(): HistoryFixture {
    const copied = new HistoryFixture()
    cpSync(this.path, copied.path, { recursive: true })
    copied.snapshotPosition = this.snapshotPosition
    return copied
  }

  history(database: string): DatabaseHistory {
    return FolderHistory.open(this.path, 1_900_000_000_000_000n).database(database)
  }

  async #begin(): Promise<void> {
    await using host = await openHost({ data: this.path, clock: new StoppedClock() })
    const ledger = await host.database('ledger', { create: true })
    await ledger.publish(await ledgerComponent())
    const sarah = await ledger.as({ subject: 'sarah' }, { assurance: 'signed', claims: { role: 'customer' } })
    const bob = await ledger.as({ subject: 'bob' })
    await sarah.call('remember', { content: 'the first', score: 3 }, { id: 'first-note' })
    await Promise.all([sarah, bob].flatMap((person) => [0, 1, 2, 3].map((score) => person.call('remember', { content: `note ${score}`, score }))))
    await sarah.call('change', { id: 1n, content: 'the first, changed' })
    await sarah.call('forget', { owner: sarah.identity, id: 5n })
    await sarah.call('refuse', { message: 'not today' }).catch(() => undefined)
    await sarah.call('write_and_end', { ending: 'trap' }).catch(() => undefined)
    await sarah.call('take', { name: 'sarah', nick: 'sal', badge: 'red' })
    await bob.call('take', { name: 'bob', nick: 'sal', badge: 'red' }).catch(() => undefined)
    const stamps = await host.database('stamps', { create: true })
    await stamps.publish(await component(first))
    await (await stamps.as({ subject: 'sarah' })).call('stamp', { size: 5 })
    await this.#pay(host)
  }

  /** Policies that depend on claims and reducers, ids of chance, and a call that its policy refused. */
  async #pay(host: LocalHost): Promise<void> {
    const bank = await host.database('bank', { create: true })
    await bank.publish((await buildModule('modules/bank', { optimize: false })).component)
    const [sarah, bob] = [await bank.as({ subject: 'sarah' }), await bank.as({ subject: 'bob' })]
    const teller = await bank.as({ subject: 'teller' }, { assurance: 'signed', claims: { role: 'teller' } })
    for (const person of [sarah, bob]) await person.call('open_account')
    await teller.call('deposit', { holder: sarah.identity, account: 1n, cents: 500n })
    for (const cents of [300n, 300n, 100n]) await sarah.call('transfer', { from: 1n, payee: bob.identity, to: 1n, cents }).catch(() => undefined)
  }

  /** Beside it the limits of `stamps` change, and what one call may burn with them. */
  async #snapshot(): Promise<void> {
    await using shard = new OpenShard({ folder: this })
    const { state } = await shard.held('ledger')
    await state.checkpoint(true)
    this.snapshotPosition = state.snapshotPosition
    await shard.send('stamps', 'limits', { change: { fuel: 200_000, rowsRead: 50 } })
  }

  async #goOn(): Promise<void> {
    const clock = new StoppedClock()
    clock.micros += day
    await using host = await openHost({ data: this.path, clock })
    const ledger = await host.database('ledger')
    const sarah = await ledger.as({ subject: 'sarah' })
    const desk = await ledger.as({ subject: 'sarah' }, { actor: { subject: 'desk' }, assurance: 'provider' })
    await sarah.call('read_own_writes', [])
    await Promise.all([sarah, desk, sarah, desk].map((person, score) => person.call('remember_twice', { content: `twice ${score}` })))
    await desk.call('remember', { content: 'of the desk', score: 1 }, { id: '7' })
    await sarah.call('rename', { name: 'sarah', nick: null, badge: 'blue' })
    const stamps = await host.database('stamps')
    await stamps.publish(await component(second))
    const again = await stamps.as({ subject: 'sarah' })
    for (const size of [0, 100, 5]) await again.call('stamp', { size })
  }
}

/** Changes the newest snapshot of a database as somebody would who knows how: its sum is right afterwards. */
export async function forgeSnapshot(folder: DataFolder, database: string, sql: string, ...values: readonly unknown[]): Promise<void> {
  const snapshots = folder.at('databases', database, 'snapshots')
  const newest = readdirSync(snapshots)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .at(-1)
  const note = join(snapshots, newest ?? '')
  const path = note.replace('.json', '.sqlite')
  const file = new Sqlite(path)
  file.prepare(sql).run(...values)
  file.pragma('wal_checkpoint(TRUNCATE)')
  file.close()
  const stored = JSON.parse(readFileSync(note, 'utf8')) as object
  writeFileSync(note, JSON.stringify({ ...stored, ...(await sumFile(path)) }))
}

/** Every file of a folder with its sum: two of them are equal when nothing has changed. */
export function contentOf(folder: string): Readonly<Record<string, string>> {
  if (!existsSync(folder)) return {}
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort()
  return Object.fromEntries(paths.map((path) => [relative(folder, path), createHash('sha256').update(readFileSync(path)).digest('hex')]))
}
