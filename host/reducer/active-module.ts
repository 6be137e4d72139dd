/** The running module of a database: compiled code, its description, and a door to each of its tables. */
import type { ModuleDescription } from '../schema/description.ts'
import { parseDescription } from '../schema/description.ts'
import type { Layouts } from '../row-codec.ts'
import { layoutsOf } from '../schema/schema.ts'
import type { Schema } from '../schema/schema.ts'
import type { GuestCall, GuestOutcome } from '../sandbox/guest-module.ts'
import type { DatabaseFile } from '../storage/database-file.ts'
import { TableAccess } from './table-access.ts'

/** What runs a call: the sandbox, or another implementation of the same world that is compared with it. */
export interface GuestRunner {
  /** Version of the prices that its module was built with, where it counts fuel. */
  readonly fuelSchedule?: number
  run(call: GuestCall): GuestOutcome
  /** No call of it comes any more. */
  close?(): void
}

export interface ModuleVersion {
  /** Counts the publishes of this database, from 1. */
  readonly version: number
  /** SHA-256 of the published component, hex. */
  readonly hash: string
  /** The description as published. */
  readonly descriptionBytes: Uint8Array
}

export interface ActiveModule extends ModuleVersion {
  readonly description: ModuleDescription
  readonly schema: Schema
  readonly layouts: Layouts
  readonly guest: GuestRunner
  readonly tables: ReadonlyMap<string, TableAccess>
}

/** The tables of `schema` must be there: their statements are prepared here. */
export function activate(file: DatabaseFile, version: ModuleVersion, schema: Schema, guest: GuestRunner): ActiveModule {
  const description = parseDescription(version.descriptionBytes)
  const tables = new Map(schema.tables.map((table) => [table.name, new TableAccess(file, table)]))
  return { ...version, description, schema, layouts: layoutsOf(description), guest, tables }
}
