/** The catalogue of a host: its own file, and the shards that hold what the file lists. */
import type { Catalogue, DatabaseEntry } from './api/ports.ts'
import { defaultTenant } from './api/ports.ts'
import { mintHostToken } from './auth/mint-token.ts'
import type { HostTokenRequest } from './auth/mint-token.ts'
import { issuerState } from './auth/signing-key.ts'
import type { KeyRing } from './auth/signing-key.ts'
import type { Clock } from './clock.ts'
import { checkDatabaseName } from './database-name.ts'
import { HostError } from './errors.ts'
import type { IssuerState, Shard } from './protocol/shard-protocol.ts'
import { CatalogueFile } from './storage/catalogue-file.ts'

export class HostCatalogue implements Catalogue {
  readonly #file: CatalogueFile
  readonly #keyRing: KeyRing
  readonly #clock: Clock
  readonly #shardOf: (database: string) => Shard
  /** Names whose file is being made: a second creation would drop it again. */
  readonly #creating = new Set<string>()

  /** @throws HostError ERR_FOLDER_LOCKED when another host has the folder. */
  constructor(data: string, clock: Clock, shardOf: (database: string) => Shard) {
    this.#file = new CatalogueFile(data)
    this.#keyRing = this.#file.keyRing()
    this.#clock = clock
    this.#shardOf = shardOf
    if (!this.tenants().includes(defaultTenant)) this.createTenant(defaultTenant)
  }

  issuer(): IssuerState {
    return issuerState(this.#keyRing)
  }

  mintHostToken(request: HostTokenRequest): Promise<string> {
    return mintHostToken(this.#keyRing, request, this.#clock)
  }

  tenants(): readonly string[] {
    return this.#file.tenants()
  }

  createTenant(name: string): void {
    this.#file.createTenant(name)
  }

  databases(): readonly DatabaseEntry[] {
    return this.#file.databases()
  }

  databaseCount(): number {
    return this.#file.databaseCount()
  }

  database(name: string): DatabaseEntry | undefined {
    return this.#file.database(name)
  }

  async createDatabase(name: string, tenant: string): Promise<DatabaseEntry> {
    checkDatabaseName(name)
    if (!this.tenants().includes(tenant)) throw new HostError('ERR_TENANT_UNKNOWN', `there is no tenant ${tenant}`)
    if (this.database(name) !== undefined || this.#creating.has(name)) throw new HostError('ERR_DATABASE_EXISTS', `there is a database ${name} already`)
    this.#creating.add(name)
    try {
      const shard = this.#shardOf(name)
      // A folder without an entry is what a crash left of an earlier creation or drop.
      await shard.send(name, 'drop', {})
      await shard.send(name, 'open', { create: true })
      this.#file.addDatabase(name, tenant)
    } finally {
      this.#creating.delete(name)
    }
    return { name, tenant, module: null, version: 0 }
  }

  async dropDatabase(name: string): Promise<void> {
    this.#file.removeDatabase(name)
    await this.#shardOf(name).send(name, 'drop', {})
  }

  noteModule(name: string, module: string, version: number): void {
    this.#file.noteModule(name, module, version)
  }

  close(): void {
    this.#file.close()
  }
}
