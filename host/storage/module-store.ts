/**
 * The modules and schemas of a database, every version of them: stored rows and records name the
 * version they were written under.
 */
import { HostError } from '../errors.ts'
import type { SqlRow } from '../plan/plan.ts'
import type { Schema } from '../schema/schema.ts'
import { emptySchema } from '../schema/schema.ts'
import type { DatabaseFile } from './database-file.ts'

export interface StoredModule {
  readonly version: number
  readonly hash: string
  /** The rewritten core module: what runs. */
  readonly core: Uint8Array
  /** Version of the prices it was rewritten with; 0 for one that counts nothing. */
  readonly fuelSchedule: number
  readonly description: Uint8Array
  readonly schemaVersion: number
  readonly policyVersion: number
}

export interface NewModule extends StoredModule {
  readonly publishedAt: bigint
  readonly publishedBy: string
}

const moduleColumns = 'version, hash, core, fuel_schedule, description, schema_version, policy_version'

/** The module published last, or undefined before the first. */
export function currentModule(file: DatabaseFile): StoredModule | undefined {
  return toModule(file.statement(`SELECT ${moduleColumns} FROM _modules ORDER BY version DESC LIMIT 1`).row([]))
}

function toModule(row: SqlRow | undefined): StoredModule | undefined {
  if (row === undefined) return undefined
  const [version, hash, core, fuelSchedule, description, schemaVersion, policyVersion] = row
  if (!(core instanceof Uint8Array) || !(description instanceof Uint8Array)) throw damaged('module')
  const numbers = { version: Number(version), fuelSchedule: Number(fuelSchedule), schemaVersion: Number(schemaVersion), policyVersion: Number(policyVersion) }
  return { ...numbers, hash: String(hash), core, description }
}

/** The module of an earlier version; undefined for one that there never was. */
export function moduleOfVersion(file: DatabaseFile, version: number): StoredModule | undefined {
  return toModule(file.statement(`SELECT ${moduleColumns} FROM _modules WHERE version = ?`).row([BigInt(version)]))
}

export function storeModule(file: DatabaseFile, module: NewModule): void {
  file
    .statement(
      'INSERT INTO _modules (version, hash, core, fuel_schedule, description, schema_version, policy_version, published_at, published_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run([
      BigInt(module.version),
      module.hash,
      module.core,
      BigInt(module.fuelSchedule),
      module.description,
      BigInt(module.schemaVersion),
      BigInt(module.policyVersion),
      module.publishedAt,
      module.publishedBy,
    ])
}

export function currentSchema(file: DatabaseFile): Schema {
  const row = file.statement('SELECT schema FROM _schemas ORDER BY version DESC LIMIT 1').row([])
  return row === undefined ? emptySchema : reviveSchema(JSON.parse(String(row[0])) as Schema)
}

/** An earlier schema; undefined for one that there never was. */
export function schemaOfVersion(file: DatabaseFile, version: number): Schema | undefined {
  const row = file.statement('SELECT schema FROM _schemas WHERE version = ?').row([BigInt(version)])
  return row === undefined ? undefined : reviveSchema(JSON.parse(String(row[0])) as Schema)
}

/** A version is written once: stored row images refer to it. */
export function storeSchema(file: DatabaseFile, schema: Schema): void {
  file.statement('INSERT INTO _schemas (version, schema) VALUES (?, ?) ON CONFLICT (version) DO NOTHING').run([BigInt(schema.version), JSON.stringify(schema)])
}

/**
 * A schema that was JSON. The columns that a table refers to are made the very objects of its column list
 * again, which is how the rest of the host compares them.
 */
export function reviveSchema(schema: Schema): Schema {
  return {
    ...schema,
    tables: schema.tables.map((table) => {
      const byId = new Map(table.columns.map((column) => [column.id, column]))
      const column = (stored: { readonly id: number }): (typeof table.columns)[number] => {
        const found = byId.get(stored.id)
        if (found === undefined) throw damaged('schema')
        return found
      }
      return {
        ...table,
        key: column(table.key),
        owner: table.owner === undefined ? undefined : column(table.owner),
        ...(table.subject === undefined ? {} : { subject: column(table.subject) }),
        clustered: table.clustered.map(column),
        indexes: table.indexes.map((index) => ({ ...index, unique: index.unique, columns: index.columns.map(column) })),
      }
    }),
  }
}

function damaged(what: string): HostError {
  return new HostError('ERR_STORAGE', `the stored ${what} does not read back: the file is damaged`)
}
