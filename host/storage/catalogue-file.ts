/**
 * The host's own book, `host.sqlite` in its data folder: tenants, databases and the key that signs
 * host tokens. It is held exclusively, so a second host on the folder is refused at its start.
 */
import type { KeyRing } from '../auth/signing-key.ts'
import { newKeyRing } from '../auth/signing-key.ts'
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { systemFiles } from '../log/log-files.ts'
import { LogFolder } from '../log/log-folder.ts'
import { Reserve } from '../log/reserve.ts'
import type { SqlRow } from '../plan/plan.ts'
import { BookSums } from './book-sums.ts'
import { cataloguePath } from './data-folder.ts'
import { DatabaseFile, isDiskFull } from './database-file.ts'

export interface CatalogueEntry {
  readonly name: string
  readonly tenant: string
  /** Undefined before the first publish. */
  readonly module: string | null
  readonly version: number
}

const tables = `
CREATE TABLE IF NOT EXISTS tenants (name TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS databases (
  name TEXT NOT NULL PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenants (name),
  module TEXT, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (ring TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS lanes (count INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS drops (name TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sums (name TEXT NOT NULL PRIMARY KEY, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

/** What of them has a sum. */
const summed = {
  tenants: 'SELECT name FROM tenants',
  databases: 'SELECT name, tenant, module, version FROM databases',
  keys: 'SELECT ring FROM keys',
  lanes: 'SELECT count FROM lanes',
  drops: 'SELECT name FROM drops',
}

export class CatalogueFile implements Disposable {
  readonly #file: DatabaseFile
  readonly #sums: BookSums
  /** For drops, which make room. */
  readonly #reserve: Reserve

  /** @throws HostError ERR_FOLDER_LOCKED, ERR_STORAGE; when it is not there too, unless it is to be made. */
  constructor(data: string, { create = true }: { readonly create?: boolean } = {}) {
    this.#file = new DatabaseFile({ path: cataloguePath(data), create, exclusive: true })
    this.#sums = new BookSums(this.#file, summed)
    try {
      // The lock is taken with the first transaction.
      this.#file.transaction(() => (create ? this.#begin() : undefined))
    } catch (error) {
      this.#file.close()
      throw error
    }
    this.#reserve = new Reserve(new LogFolder(systemFiles, data), limits.hostReserveBytes)
    if (create) this.#reserve.keep()
  }

  #begin(): void {
    this.#file.execute(tables)
    const [differing] = this.#sums.differing()
    if (differing !== undefined) {
      throw new HostError('ERR_STORAGE', `host.sqlite, the host's own book, is not what was written (${differing}): restore it from a backup`)
    }
    this.#sums.begin()
  }

  keyRing(): KeyRing {
    const [stored] = this.#file.statement('SELECT ring FROM keys').row([]) ?? []
    if (typeof stored === 'string') return JSON.parse(stored) as KeyRing
    const made = newKeyRing()
    this.#insert('keys', 'INSERT INTO keys (ring) VALUES (?)', [JSON.stringify(made)])
    return made
  }

  /** Undefined before the first start of a host. */
  get storedLaneCount(): number | undefined {
    const [stored] = this.#file.statement('SELECT count FROM lanes').row([]) ?? []
    return stored === undefined ? undefined : Number(stored)
  }

  laneCount(wanted: number): number {
    const stored = this.storedLaneCount
    if (stored !== undefined) return stored
    this.#insert('lanes', 'INSERT INTO lanes (count) VALUES (?)', [BigInt(wanted)])
    return wanted
  }

  tenants(): string[] {
    return this.#file
      .statement('SELECT name FROM tenants ORDER BY name')
      .rows([])
      .map(([name]) => String(name))
  }

  /** @throws HostError ERR_TENANT_EXISTS */
  createTenant(name: string): void {
    if (this.tenants().includes(name)) throw new HostError('ERR_TENANT_EXISTS', `there is a tenant ${name} already`)
    this.#insert('tenants', 'INSERT INTO tenants (name) VALUES (?)', [name])
  }

  databases(): CatalogueEntry[] {
    return this.#file.statement(`${summed.databases} ORDER BY name`).rows([]).map(toEntry)
  }

  databaseCount(): number {
    return Number(this.#file.statement('SELECT count(*) FROM databases').row([])?.[0] ?? 0)
  }

  database(name: string): CatalogueEntry | undefined {
    const row = this.#row(name)
    return row === undefined ? undefined : toEntry(row)
  }

  #row(name: string): SqlRow | undefined {
    return this.#file.statement(`${summed.databases} WHERE name = ?`).row([name])
  }

  addDatabase(name: string, tenant: string): void {
    this.#insert('databases', 'INSERT INTO databases (name, tenant, module, version) VALUES (?, ?, ?, ?)', [name, tenant, null, 0n])
  }

  /** From now on the database is to go, whatever happens: `drops` names it until `removeDatabase`. */
  beginDrop(name: string): void {
    if (this.drops().includes(name)) return
    this.#reserve.spendFor(() => this.#insert('drops', 'INSERT INTO drops (name) VALUES (?)', [name]), isDiskFull)
  }

  /** The databases of which something may be left. */
  drops(): string[] {
    return this.#file
      .statement('SELECT name FROM drops ORDER BY name')
      .rows([])
      .map(([name]) => String(name))
  }

  removeDatabase(name: string): void {
    this.#file.transaction(() => {
      this.#sums.change('databases', { from: this.#row(name) })
      this.#file.statement('DELETE FROM databases WHERE name = ?').run([name])
      this.#sums.change('drops', { from: this.drops().includes(name) ? [name] : undefined })
      this.#file.statement('DELETE FROM drops WHERE name = ?').run([name])
    })
    this.#reserve.keep()
  }

  noteModule(name: string, module: string, version: number): void {
    this.#file.transaction(() => {
      const from = this.#row(name)
      this.#file.statement('UPDATE databases SET module = ?, version = ? WHERE name = ?').run([module, BigInt(version), name])
      this.#sums.change('databases', { from, to: this.#row(name) })
    })
  }

  #insert(table: keyof typeof summed, sql: string, row: SqlRow): void {
    this.#file.transaction(() => {
      this.#file.statement(sql).run(row)
      this.#sums.change(table, { to: row })
    })
  }

  /** What SQLite finds wrong with the file, and which tables are not what was written. */
  problems(): readonly string[] {
    const found = this.#file.problems()
    return found.length > 0 ? found : this.#sums.differing().map((table) => `its table ${table} is not what was written`)
  }

  close(): void {
    this.#file.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

function toEntry(row: readonly unknown[]): CatalogueEntry {
  const [name, tenant, module, version] = row
  return { name: String(name), tenant: String(tenant), module: typeof module === 'string' ? module : null, version: Number(version) }
}
