/**
 * Publishing on the database's own thread, after the gate: compile, and then in one batch plan the schema
 * change, carry it out, store the module and, the first time, run its `init` reducers. All of it is one
 * record of the log. Calls go on until the swap; each runs against exactly one version.
 */
import { HostError } from '../errors.ts'
import { hostIssuer } from '../identity.ts'
import { compilePolicies } from '../policy/policy.ts'
import type { CallerHead, PublishReport } from '../protocol/shard-protocol.ts'
import { activate } from '../reducer/active-module.ts'
import type { ActiveModule, GuestRunner, ModuleVersion } from '../reducer/active-module.ts'
import type { Database } from '../reducer/database.ts'
import { runCall } from '../reducer/run-call.ts'
import { GuestModule } from '../sandbox/guest-module.ts'
import { parseDescription } from '../schema/description.ts'
import type { ModuleDescription } from '../schema/description.ts'
import { emptySchema, formatChange, planSchema } from '../schema/schema.ts'
import type { SchemaChange, SchemaPlan } from '../schema/schema.ts'
import { currentModule, currentSchema, storeModule, storeSchema } from '../storage/module-store.ts'
import type { NewModule } from '../storage/module-store.ts'
import type { RowOperation } from '../storage/row-operation.ts'
import { carryOut } from '../storage/schema-changes.ts'
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

/** A database and what puts work into its batches. */
export interface PublishTarget {
  readonly database: Database
  readonly queue: { run<T>(work: () => T): Promise<T> }
}

/** `init` reducers run as the host itself. */
const hostCaller: CallerHead = { sender: { issuer: hostIssuer, subject: 'init' }, assurance: 'none', channel: 'host', claims: {} }

/**
 * @throws HostError ERR_DESCRIPTION, ERR_POLICY, ERR_SCHEMA_CHANGE with the plan of what would be needed, or what
 *   an `init` reducer threw. Then the old module and all rows stay as they were.
 */
export async function publish({ database, queue }: PublishTarget, request: PublishRequest): Promise<PublishReport> {
  const timings: Record<string, number> = {}
  const description = parseDescription(request.description)
  if (database.module?.hash === request.hash) return report(database.module, database.module.description, { isUnchanged: true, changes: [], timings })

  const guest = await timed(timings, 'compile', () => request.compile?.(request.core) ?? GuestModule.compile(request.core, database.instances))
  const planAndSwapNow = (): PublishReport => planAndSwap(database, request, { description, guest, timings })
  return request.isDryRun ? planAndSwapNow() : queue.run(planAndSwapNow)
}

interface Candidate {
  readonly description: ModuleDescription
  readonly guest: GuestRunner
  readonly timings: Record<string, number>
}

/** Nothing awaits here: what was planned is what is carried out. */
function planAndSwap(database: Database, request: PublishRequest, { description, guest, timings }: Candidate): PublishReport {
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
    swap(database, request, plan, { ...candidate, guest })
    timings['store'] = performance.now() - start
  }
  return report(head, before?.description, { isUnchanged: false, changes: plan.changes, timings })
}

/** Starts the module that was published last, when the database is opened. */
export async function resume(database: Database): Promise<void> {
  const stored = currentModule(database.file)
  if (stored === undefined) return
  const guest = await GuestModule.compile(stored.core, database.instances)
  const version = { version: stored.version, hash: stored.hash, descriptionBytes: stored.description, policyVersion: stored.policyVersion }
  database.resumeModule(activate({ file: database.file, plans: database.plans, version, schema: currentSchema(database.file), guest }))
}

/** Whole or not at all, inside the batch: its other calls take no notice of one that fails. */
function swap(database: Database, request: PublishRequest, plan: SchemaPlan, { guest, ...version }: ModuleVersion & { readonly guest: GuestRunner }): void {
  const { file, journal } = database
  journal.requireWritable()
  database.operations.apply()
  file.savepoint('publish')
  const mark = journal.mark()
  try {
    for (const change of plan.changes) carryOut(file, change)
    storeSchema(file, plan.schema)
    const module = activate({ file, plans: database.plans, version, schema: plan.schema, guest })
    const stored: NewModule = {
      version: module.version,
      hash: request.hash,
      core: request.core,
      fuelSchedule: module.guest.fuelSchedule ?? 0,
      description: request.description,
      schemaVersion: plan.schema.version,
      policyVersion: module.policyVersion,
      publishedAt: database.callTime(),
      publishedBy: request.publishedBy,
    }
    storeModule(file, stored)
    const operations = module.version === 1 ? runInits(database, module) : []
    database.operations.apply()
    database.publishModule(module, { module: stored, schema: { schema: plan.schema, changes: plan.changes }, operations })
    file.release('publish')
  } catch (error) {
    journal.rewind(mark)
    guest.close?.()
    database.undoTo('publish')
    throw error
  }
}

function nextPolicyVersion(before: ActiveModule | undefined, description: ModuleDescription): number {
  if (before === undefined) return 1
  return policyFingerprint(before.description) === policyFingerprint(description) ? before.policyVersion : before.policyVersion + 1
}

/** What they leave belongs to the publish's record: it happens whole. */
function runInits(database: Database, module: ActiveModule): readonly RowOperation[] {
  const inits = module.description.reducers.flatMap(({ kind }, reducer) => (kind === 'init' ? [reducer] : []))
  return inits.flatMap((reducer) => runCall(database, module, { reducer, caller: database.caller(hostCaller), args: new Uint8Array(0) }).operations)
}

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
