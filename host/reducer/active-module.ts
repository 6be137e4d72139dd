/** The running module of a database: compiled code, its description, and a door to each of its tables. */
import { assert } from '../errors.ts'
import type { ModuleDescription } from '../schema/description.ts'
import { parseDescription } from '../schema/description.ts'
import type { Layouts } from '../row-codec.ts'
import { layoutsOf } from '../schema/schema.ts'
import type { Schema } from '../schema/schema.ts'
import type { GuestCall, GuestOutcome } from '../sandbox/guest-module.ts'
import type { DatabaseFile } from '../storage/database-file.ts'
import type { RecordVersions } from './journal.ts'
import { compilePolicies } from '../policy/policy.ts'
import type { PlanCache } from './plan-cache.ts'
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
  /** Counts the publishes that changed a policy of this database, from 1. */
  readonly policyVersion: number
}

export interface ActiveModule extends ModuleVersion {
  readonly description: ModuleDescription
  readonly schema: Schema
  readonly layouts: Layouts
  readonly guest: GuestRunner
  /** What a record of the log says it was made under. */
  readonly recordVersions: RecordVersions
  readonly tables: ReadonlyMap<string, TableAccess>
}

export interface Activation {
  readonly file: DatabaseFile
  readonly plans: PlanCache
  readonly version: ModuleVersion
  readonly schema: Schema
  readonly guest: GuestRunner
}

/**
 * The tables of `schema` must be there: their statements are prepared here.
 *
 * @throws HostError ERR_POLICY
 */
export function activate({ file, plans, version, schema, guest }: Activation): ActiveModule {
  const description = parseDescription(version.descriptionBytes)
  const policies = compilePolicies(description, schema)
  const planVersion = { schema: schema.version, policy: version.policyVersion }
  const tables = new Map<string, TableAccess>()
  for (const table of schema.tables) {
    const own = policies.get(table.name)
    assert(own !== undefined, 'every table has policies, if only none')
    tables.set(table.name, new TableAccess({ file, table, policies: own, plans, version: planVersion }))
  }
  const recordVersions: RecordVersions = {
    moduleHash: Buffer.from(version.hash, 'hex'),
    schemaVersion: schema.version,
    policyVersion: version.policyVersion,
    fuelSchedule: guest.fuelSchedule ?? 0,
  }
  return { ...version, recordVersions, description, schema, layouts: layoutsOf(description), guest, tables }
}
