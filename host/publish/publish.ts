/**
 * Publishing on the database's own thread, after the gate: plan the schema change, compile, and then
 * in one transaction change the schema, store the module and, the first time, run its `init`
 * reducers. Calls go on until the swap; each runs against exactly one version.
 */
import { HostError } from '../errors.ts'
import { hostIssuer } from '../identity.ts'
import { storedIndexes } from '../plan/plan.ts'
import type { SqlValue } from '../plan/plan.ts'
import { print } from '../plan/printer.ts'
import { compilePolicies } from '../policy/policy.ts'
import { fromJson } from '../protocol/json-values.ts'
import type { CallerHead, PublishReport } from '../protocol/shard-protocol.ts'
import { activate } from '../reducer/active-module.ts'
import type { ActiveModule, GuestRunner } from '../reducer/active-module.ts'
import type { Database } from '../reducer/database.ts'
import { runCall } from '../reducer/run-call.ts'
import { GuestModule } from '../sandbox/guest-module.ts'
import { parseDescription } from '../schema/description.ts'
import type { ModuleDescription } from '../schema/description.ts'
import { emptySchema, formatChange, layoutsOf, planSchema } from '../schema/schema.ts'
import type { Column, SchemaChange, SchemaPlan, Table } from '../schema/schema.ts'
import { currentModule, currentSchema, storeModule, storeSchema } from '../storage/module-store.ts'
import { toSqlValue } from '../storage/row-image.ts'
import { compareGrants, compareLines, grantsOf, policyFingerprint, policyLines, policyWarnings } from './grants.ts'

export interface PublishRequest {
  readonly core: Uint8Array
  readonly description: Uint8Array
  /** SHA-256 of the whole component, hex. */
  readonly hash: string
  readonly publishedBy: string
  /** Says what would happen and does nothing. */
  readonly isDryRun: boolean
  /** Another implementation of the world than the sandbox, to compare the two. */
  readonly compile?: (core: Uint8Array) => Promise<GuestRunner>
}

/** `init` reducers run as the host itself. */
const hostCaller: CallerHead = { sender: { issuer: hostIssuer, subject: 'init' }, assurance: 'none', channel: 'host', claims: {} }

/**
 * @throws HostError ERR_DESCRIPTION, ERR_POLICY, ERR_SCHEMA_CHANGE with the plan of what would be needed, or what
 *   an `init` reducer threw. Then the old module and all rows stay as they were.
 */
export async function publish(database: Database, request: PublishRequest): Promise<PublishReport> {
  const timings: Record<string, number> = {}
  const description = parseDescription(request.description)
  if (database.module?.hash === request.hash) return report(database.module, database.module.description, { isUnchanged: true, changes: [], timings })

  const guest = await timed(timings, 'compile', () => request.compile?.(request.core) ?? GuestModule.compile(request.core))
  // From here on nothing awaits: what was planned is what is carried out.
  const before = database.module
  if (before?.hash === request.hash) return report(before, before.description, { isUnchanged: true, changes: [], timings })
  const plan = planSchema(before?.schema ?? emptySchema, description)
  refuseLossy(plan)
  compilePolicies(description, plan.schema)
  const version = (before?.version ?? 0) + 1
  const policyVersion = nextPolicyVersion(before, description)
  const candidate = { version, hash: request.hash, descriptionBytes: request.description, policyVersion }
  const head = { version, hash: request.hash, description, policyVersion }
  if (!request.isDryRun) {
    const start = performance.now()
    database.setModule(
      swap(database, request, plan, () => activate({ file: database.file, plans: database.plans, version: candidate, schema: plan.schema, guest })),
    )
    timings['store'] = performance.now() - start
  }
  return report(head, before?.description, { isUnchanged: false, changes: plan.changes, timings })
}

/** Starts the module that was published last, when the database is opened. */
export async function resume(database: Database): Promise<void> {
  const stored = currentModule(database.file)
  if (stored === undefined) return
  const guest = await GuestModule.compile(stored.core)
  const version = { version: stored.version, hash: stored.hash, descriptionBytes: stored.description, policyVersion: stored.policyVersion }
  database.setModule(activate({ file: database.file, plans: database.plans, version, schema: currentSchema(database.file), guest }))
}

function swap(database: Database, request: PublishRequest, plan: SchemaPlan, activateModule: () => ActiveModule): ActiveModule {
  const { file } = database
  try {
    file.begin()
    for (const change of plan.changes) carryOut(database, change)
    storeSchema(file, plan.schema)
    const module = activateModule()
    storeModule(file, {
      version: module.version,
      hash: request.hash,
      core: request.core,
      fuelSchedule: module.guest.fuelSchedule ?? 0,
      description: request.description,
      schemaVersion: plan.schema.version,
      policyVersion: module.policyVersion,
      publishedAt: database.clock.now(),
      publishedBy: request.publishedBy,
    })
    if (module.version === 1) runInits(database, module)
    database.commit()
    return module
  } catch (error) {
    database.rollback()
    throw error
  }
}

function nextPolicyVersion(before: ActiveModule | undefined, description: ModuleDescription): number {
  if (before === undefined) return 1
  return policyFingerprint(before.description) === policyFingerprint(description) ? before.policyVersion : before.policyVersion + 1
}

function runInits(database: Database, module: ActiveModule): void {
  for (const [reducer, { kind }] of module.description.reducers.entries()) {
    if (kind === 'init') runCall(database, module, { reducer, caller: database.caller(hostCaller), args: new Uint8Array(0) })
  }
}

function carryOut({ file }: Database, change: SchemaChange): void {
  switch (change.kind) {
    case 'create-table':
      file.execute(print(change).sql)
      for (const index of storedIndexes(change.table)) file.execute(print({ kind: 'create-index', table: change.table, index }).sql)
      return
    case 'create-index':
      file.execute(print(change).sql)
      return
    case 'add-column':
      file.execute(print({ ...change, literal: defaultValue(change.table, change.column) }).sql)
  }
}

function defaultValue(table: Table, column: Column): SqlValue {
  const where = `the default of ${table.name}.${column.name}`
  return toSqlValue(column.type, fromJson(column.type, column.default ?? null, noLayouts, where), where)
}

const noLayouts = layoutsOf({ sdk: '', module: '', records: [], tables: [], reducers: [] })

function refuseLossy({ refused }: SchemaPlan): void {
  if (refused.length === 0) return
  throw new HostError('ERR_SCHEMA_CHANGE', `the module would change stored rows; the running one stays. ${refused.join('. ')}`, { detail: { plan: refused } })
}

interface Outcome {
  readonly isUnchanged: boolean
  readonly changes: readonly SchemaChange[]
  readonly timings: Readonly<Record<string, number>>
}

function report(
  module: { readonly version: number; readonly hash: string; readonly description: ModuleDescription; readonly policyVersion: number },
  before: ModuleDescription | undefined,
  { isUnchanged, changes, timings }: Outcome,
): PublishReport {
  const grants = grantsOf(module.description)
  const { added, removed } = compareGrants(before === undefined ? [] : grantsOf(before), grants)
  const policies = compareLines(before === undefined ? [] : policyLines(before), policyLines(module.description))
  return {
    module: module.description.module,
    version: module.version,
    hash: module.hash,
    unchanged: isUnchanged,
    grants,
    grantsAdded: added,
    grantsRemoved: removed,
    policiesAdded: policies.added,
    policiesRemoved: policies.removed,
    policyVersion: module.policyVersion,
    schemaChanges: changes.map(formatChange),
    warnings: policyWarnings(module.description),
    timings,
  }
}

async function timed<T>(timings: Record<string, number>, step: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await work()
  timings[step] = performance.now() - start
  return result
}
