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
  /** Names whose file is being made or dropped: nobody else may begin either. */
  readonly #changing = new Set<string>()
  /** Databases whose drop was decided and has not ended: nobody sees them. */
  readonly #dropping: Set<string>

  /** @throws HostError ERR_FOLDER_LOCKED when another host has the folder. */
  constructor(data: string, clock: Clock, shardOf: (database: string) => Shard) {
    this.#file = new CatalogueFile(data)
    this.#keyRing = this.#file.keyRing()
    this.#clock = clock
    this.#shardOf = shardOf
    this.#dropping = new Set(this.#file.drops())
    if (!this.tenants().includes(defaultTenant)) this.createTenant(defaultTenant)
  }

  /** How many logs the folder has; as many as its first host wanted, then always. */
  laneCount(wanted: number): number {
    return this.#file.laneCount(wanted)
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
    return this.#file.databases().filter(({ name }) => !this.#isHidden(name))
  }

  databaseCount(): number {
    return this.#file.databaseCount()
  }

  database(name: string): DatabaseEntry | undefined {
    return this.#isHidden(name) ? undefined : this.#file.database(name)
  }

  #isHidden(name: string): boolean {
    return this.#changing.has(name) || this.#dropping.has(name)
  }

  async createDatabase(name: string, tenant: string): Promise<DatabaseEntry> {
    checkDatabaseName(name)
    if (!this.tenants().includes(tenant)) throw new HostError('ERR_TENANT_UNKNOWN', `there is no tenant ${tenant}`)
    if (this.#changing.has(name) || (this.#file.database(name) !== undefined && !this.#dropping.has(name))) {
      throw new HostError('ERR_DATABASE_EXISTS', `there is a database ${name} already`)
    }
    await this.#change(name, async (shard) => {
      if (this.#dropping.has(name)) await this.#drop(name, shard)
      const left = await shard.send(name, 'open', { create: true, tenant })
      if (left.head.version > 0) {
        throw new HostError(
          'ERR_DATABASE_EXISTS',
          `the host's book does not list ${name}, but its folder has a database of that name: restore host.sqlite, or move the folder away`,
        )
      }
      // A file without a module and without an entry is what a crash left of an earlier creation.
      await this.#drop(name, shard)
      await shard.send(name, 'open', { create: true, tenant })
      this.#file.addDatabase(name, tenant)
    })
    return { name, tenant, module: null, version: 0 }
  }

  async dropDatabase(name: string): Promise<void> {
    await this.#change(name, (shard) => this.#drop(name, shard))
  }

  /** What an earlier host began. A drop that fails again waits for the next start. */
  async finishDrops(onFailure: (name: string, error: unknown) => void): Promise<void> {
    for (const name of this.#dropping) {
      await this.#change(name, (shard) => this.#drop(name, shard)).catch((error: unknown) => onFailure(name, error))
    }
  }

  /** Once it has begun it is done, if need be by the next start: what is half erased is no database any more. */
  async #drop(name: string, shard: Shard): Promise<void> {
    this.#file.beginDrop(name)
    this.#dropping.add(name)
    await shard.send(name, 'drop', {})
    this.#file.removeDatabase(name)
    this.#dropping.delete(name)
  }

  async #change(name: string, work: (shard: Shard) => Promise<void>): Promise<void> {
    this.#changing.add(name)
    try {
      await work(this.#shardOf(name))
    } finally {
      this.#changing.delete(name)
    }
  }

  noteModule(name: string, module: string, version: number): void {
    this.#file.noteModule(name, module, version)
  }

  close(): void {
    this.#file.close()
  }
}
