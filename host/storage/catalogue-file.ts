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
`

export class CatalogueFile implements Disposable {
  readonly #file: DatabaseFile
  /** For drops, which make room. */
  readonly #reserve: Reserve

  /** @throws HostError ERR_FOLDER_LOCKED, ERR_STORAGE; when it is not there too, unless it is to be made. */
  constructor(data: string, { create = true }: { readonly create?: boolean } = {}) {
    this.#file = new DatabaseFile({ path: cataloguePath(data), create, exclusive: true })
    try {
      // The lock is taken with the first transaction.
      this.#file.transaction(() => (create ? this.#file.execute(tables) : undefined))
    } catch (error) {
      this.#file.close()
      throw error
    }
    this.#reserve = new Reserve(new LogFolder(systemFiles, data), limits.hostReserveBytes)
    if (create) this.#reserve.keep()
  }

  keyRing(): KeyRing {
    const [stored] = this.#file.statement('SELECT ring FROM keys').row([]) ?? []
    if (typeof stored === 'string') return JSON.parse(stored) as KeyRing
    const made = newKeyRing()
    this.#file.transaction(() => this.#file.statement('INSERT INTO keys (ring) VALUES (?)').run([JSON.stringify(made)]))
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
    this.#file.transaction(() => this.#file.statement('INSERT INTO lanes (count) VALUES (?)').run([BigInt(wanted)]))
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
    this.#file.transaction(() => this.#file.statement('INSERT INTO tenants (name) VALUES (?)').run([name]))
  }

  databases(): CatalogueEntry[] {
    return this.#file.statement('SELECT name, tenant, module, version FROM databases ORDER BY name').rows([]).map(toEntry)
  }

  databaseCount(): number {
    return Number(this.#file.statement('SELECT count(*) FROM databases').row([])?.[0] ?? 0)
  }

  database(name: string): CatalogueEntry | undefined {
    const row = this.#file.statement('SELECT name, tenant, module, version FROM databases WHERE name = ?').row([name])
    return row === undefined ? undefined : toEntry(row)
  }

  addDatabase(name: string, tenant: string): void {
    this.#file.transaction(() => this.#file.statement('INSERT INTO databases (name, tenant, version) VALUES (?, ?, 0)').run([name, tenant]))
  }

  /** From now on the database is to go, whatever happens: `drops` names it until `removeDatabase`. */
  beginDrop(name: string): void {
    const insert = this.#file.statement('INSERT INTO drops (name) VALUES (?) ON CONFLICT DO NOTHING')
    this.#reserve.spendFor(() => this.#file.transaction(() => insert.run([name])), isDiskFull)
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
      this.#file.statement('DELETE FROM databases WHERE name = ?').run([name])
      this.#file.statement('DELETE FROM drops WHERE name = ?').run([name])
    })
    this.#reserve.keep()
  }

  noteModule(name: string, module: string, version: number): void {
    this.#file.transaction(() => this.#file.statement('UPDATE databases SET module = ?, version = ? WHERE name = ?').run([module, BigInt(version), name]))
  }

  /** What SQLite finds wrong with the file. */
  problems(): readonly string[] {
    return this.#file.problems()
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
