/**
 * One open database: its file and history, its directory of people, its keys, and the module that runs in it.
 * Everything here is synchronous and belongs to one thread; the shard queues in front of it.
 */
import type { AccessIndex } from '../access-log/access-index.ts'
import type { AccessLog } from '../access-log/access-log.ts'
import type { AccessEntry } from '../access-log/access-record.ts'
import { AccessTrail } from '../access-log/access-trail.ts'
import type { AccessMoment } from '../access-log/access-trail.ts'
import type { Touched } from '../access-log/touched.ts'
import type { Clock, Micros } from '../clock.ts'
import type { KeyRing } from '../auth/signing-key.ts'
import { changeLimits } from '../database-limits.ts'
import type { DatabaseLimits, LimitChange } from '../database-limits.ts'
import { assert, HostError } from '../errors.ts'
import { identityFromBytes } from '../identity.ts'
import * as limits from '../limits.ts'
import type { Scan } from '../plan/scan.ts'
import type { CallerHead } from '../protocol/shard-protocol.ts'
import { PackedWriter } from '../packed-bytes.ts'
import type { InstanceMode } from '../sandbox/instance-mode.ts'
import type { Layouts } from '../row-codec.ts'
import { parseDescription } from '../schema/description.ts'
import type { ModuleDescription } from '../schema/description.ts'
import { layoutsOf } from '../schema/schema.ts'
import type { LoggedRecord, RecordKind } from '../log/record.ts'
import { applyRecords } from '../storage/apply-records.ts'
import { CallResults } from '../storage/call-results.ts'
import type { DatabaseFile, Savepoint } from '../storage/database-file.ts'
import { Directory } from '../storage/directory.ts'
import type { DirectoryChange } from '../storage/directory.ts'
import { loadHead, storeHead } from '../storage/head.ts'
import { loadKeyRing } from '../storage/key-ring-store.ts'
import { loadLimits, storedLimits } from '../storage/limit-store.ts'
import { moduleOfVersion } from '../storage/module-store.ts'
import { NextIds } from '../storage/next-ids.ts'
import { toObject } from '../storage/row-image.ts'
import type { RowObject } from '../storage/row-image.ts'
import type { RecordPayload } from '../storage/record-payload.ts'
import { loadDatabaseId, setMeta, tenantId } from '../storage/system-tables.ts'
import { hostVersion, packVersion } from '../version.ts'
import type { ActiveModule } from './active-module.ts'
import type { Caller } from './call-context.ts'
import type { LogLine } from './call-log.ts'
import { Journal, noVersions } from './journal.ts'
import { PlanCache } from './plan-cache.ts'
import { recorded } from './recorded.ts'
import { BatchOperations } from './row-operations.ts'
import type { TableAccess } from './table-access.ts'

export interface DatabaseOptions {
  /** At the end of its history (host/storage/open-state.ts). */
  readonly file: DatabaseFile
  readonly clock: Clock
  /** `fresh` when left out. */
  readonly instances?: InstanceMode
  /** Where what is done here leaves its records; a database that nobody answers from has none. */
  readonly access?: DatabaseAccess
}

/** Of an open database's access log: all of its thread, its own last record, and its table. */
export interface DatabaseAccess {
  readonly log: AccessLog
  readonly last: LoggedRecord | undefined
  readonly index: AccessIndex
}

/** What a publish or an operator sets, as the running batch has it. */
interface Settings {
  readonly module: ActiveModule | undefined
  readonly keyRing: KeyRing | undefined
  readonly limits: DatabaseLimits
}

export class Database {
  readonly file: DatabaseFile
  readonly directory: Directory
  readonly nextIds: NextIds
  readonly calls: CallResults
  readonly journal: Journal
  readonly operations: BatchOperations
  readonly clock: Clock
  readonly trail: AccessTrail | undefined
  readonly accessIndex: AccessIndex | undefined
  /** What its records in the log are known by. */
  readonly uid: Uint8Array
  /** What its modules are compiled for. */
  readonly instances: InstanceMode
  readonly plans = new PlanCache()
  /** Shared by all calls, one after the other: what it holds is copied out before the next use. */
  readonly rowWriter = new PackedWriter('ERR_CALL_LIMIT', limits.rowBytesPerCallMax)
  readonly contextWriter = new PackedWriter()
  #settings: Settings
  #committed: Settings
  #isBehind = false
  #isMissingRows = false
  /** Of the turn that waits for the log. */
  #batchBytes = 0
  #lastCallTime: Micros
  #log: LogLine[] = []

  constructor({ file, clock, instances = 'fresh', access }: DatabaseOptions) {
    this.file = file
    this.clock = clock
    this.instances = instances
    const head = loadHead(file)
    const { uid, tenant } = loadDatabaseId(file)
    this.uid = uid
    const facts = { database: uid, tenant: tenantId(tenant), sqliteVersion: sqliteNumber(file.sqliteVersion) }
    this.journal = new Journal(facts, head)
    this.trail = access && new AccessTrail(access.log, { ...facts, hostVersion: packVersion(hostVersion) }, access.last)
    this.accessIndex = access?.index
    this.#lastCallTime = head.timestamp
    this.directory = new Directory(
      file,
      () => this.#changeTime(),
      (directory) => this.#record('identity', { directory }, identityChange(directory)),
    )
    this.nextIds = new NextIds(file)
    this.calls = new CallResults(file)
    this.operations = new BatchOperations(file)
    this.#settings = { module: undefined, keyRing: loadKeyRing(file), limits: loadLimits(file) }
    this.#committed = this.#settings
  }

  /** The running module, or undefined before the first publish. */
  get module(): ActiveModule | undefined {
    return this.#settings.module
  }

  /** @throws HostError ERR_MODULE_MISSING before the first publish. */
  requireModule(): ActiveModule {
    const { module } = this.#settings
    if (module === undefined) throw new HostError('ERR_MODULE_MISSING', 'this database has no module yet: publish one')
    return module
  }

  /** The module that was published last, when the file is opened. */
  resumeModule(module: ActiveModule): void {
    this.#settings = { ...this.#settings, module }
    this.#committed = this.#settings
  }

  /** From the next call of the open batch on, and for good once that is committed. */
  publishModule(module: ActiveModule, payload: RecordPayload): void {
    this.#runFromNowOn(module)
    this.#record('publish', payload, {
      name: `version ${module.version}`,
      by: payload.module?.publishedBy,
      details: { hash: module.hash, policy: String(module.policyVersion) },
    })
  }

  #runFromNowOn(module: ActiveModule | undefined): void {
    const { module: before } = this.#settings
    if (before !== module && before !== this.#committed.module) before?.guest.close?.()
    this.#settings = { ...this.#settings, module }
  }

  /** What one call may use. */
  get limits(): DatabaseLimits {
    return this.#settings.limits
  }

  /**
   * In the open batch.
   *
   * @throws HostError ERR_LIMIT
   */
  setLimits(change: LimitChange, by?: string): DatabaseLimits {
    const changed = changeLimits(this.limits, change)
    const details = Object.fromEntries(Object.entries(change).map(([name, value]) => [name, String(value ?? 'default')]))
    this.#setMeta('limit', 'limits', storedLimits(changed), { name: 'change', by, details })
    this.#settings = { ...this.#settings, limits: changed }
    return changed
  }

  get keyRing(): KeyRing {
    const { keyRing } = this.#settings
    assert(keyRing !== undefined, 'a database gets its keys when it is made')
    return keyRing
  }

  get hasKeyRing(): boolean {
    return this.#settings.keyRing !== undefined
  }

  /** In the open batch. */
  setKeyRing(keyRing: KeyRing, by?: string): void {
    // Their public names: what signs is nobody's to read.
    const details = { keys: keyRing.keys.map(({ kid }) => kid).join(' ') }
    this.#setMeta('key', 'key_ring', JSON.stringify(keyRing), { name: 'change', by, details })
    this.#settings = { ...this.#settings, keyRing }
  }

  #setMeta(kind: 'limit' | 'key', name: string, value: string, change: Change): void {
    this.journal.requireWritable()
    this.file.begin()
    setMeta(this.file, name, value)
    this.#record(kind, { meta: { [name]: value } }, change)
  }

  /** Whatever changes a database beside its rows is in both logs. */
  #record(kind: Exclude<RecordKind, 'call'>, payload: RecordPayload, { name, by, details }: Change): void {
    this.journal.add({ kind, timestamp: this.callTime(), versions: this.module?.recordVersions ?? noVersions, payload })
    this.note({ event: changeEvents[kind] ?? 'database', name, outcome: '', who: undefined, ...(by ? { by } : { by: 'host' }), ...(details && { details }) })
  }

  /** Leaves a record of something that is no call, written with the batch that it belongs to. */
  note(entry: Omit<AccessEntry, 'version' | 'asOf'>): void {
    assert(this.journal.isOpen || this.trail === undefined, 'what is noted beside calls belongs to a batch')
    this.trail?.add({ ...entry, version: this.module?.version ?? 0, asOf: this.journal.head.position }, this.#accessMoment())
  }

  #accessMoment(): AccessMoment {
    return { timestamp: this.callTime(), ...(this.module?.recordVersions ?? noVersions) }
  }

  /**
   * When the database is opened: says what one of the two logs has and the other lacks.
   *
   * @throws HostError ERR_STORAGE
   */
  settleAccess(): void {
    if (this.trail === undefined) return
    const { position } = this.journal.committed
    this.trail.settle(position)
    this.trail.addUndone(this.#accessMoment())
    this.trail.addLost(position, this.#accessMoment())
    const failure = this.trail.write()
    if (failure !== undefined) throw failure
  }

  /** What arguments and results of an earlier version look like. */
  describeVersion(version: number): { readonly description: ModuleDescription; readonly layouts: Layouts } {
    const stored = moduleOfVersion(this.file, version)
    if (stored === undefined) throw new HostError('ERR_MODULE_MISSING', `this database has no version ${version} of its module`)
    const description = parseDescription(stored.description)
    return { description, layouts: layoutsOf(description) }
  }

  access(module: ActiveModule, table: string): TableAccess {
    const access = module.tables.get(table)
    assert(access !== undefined, `table ${table} was checked by the description`)
    return access
  }

  /**
   * Rows of a table that the sender may read, without any guest code.
   *
   * @throws HostError ERR_TABLE_UNKNOWN, ERR_NO_INDEX, ERR_CALL_LIMIT past `rowsReadPerCallMax` rows.
   */
  rows(caller: Caller, access: TableAccess, scan: Scan): RowObject[] {
    const work = { event: 'rows', name: access.table.name, caller, timestamp: this.callTime() } as const
    return recorded(this, this.requireModule(), work, (touched) => this.#rows(caller, access, scan, touched))
  }

  #rows(caller: Caller, access: TableAccess, scan: Scan, touched: Touched): RowObject[] {
    const own = { text: identityFromBytes(caller.sender), bytes: caller.sender }
    this.file.rowsExaminedLeft = limits.rowsExaminedPerCallMax
    const rows = access.scan(scan, limits.rowsReadPerCallMax + 1, { policy: { ...caller, reducer: undefined }, touched })
    if (rows.length > limits.rowsReadPerCallMax) {
      throw new HostError('ERR_CALL_LIMIT', `there are more than ${limits.rowsReadPerCallMax} rows: ask for the latest, the newest or the oldest so many`)
    }
    return rows.map((row) => toObject(access.table.columns, row, own))
  }

  /** The one time of a call: never before that of an earlier call. */
  callTime(): Micros {
    const now = this.clock.now()
    if (now > this.#lastCallTime) this.#lastCallTime = now
    return this.#lastCallTime
  }

  /** The time of a change that is not a call's, when there may be one now. */
  #changeTime(): Micros {
    this.journal.requireWritable()
    return this.callTime()
  }

  keepLog(lines: readonly LogLine[]): void {
    this.#log.push(...lines)
  }

  /** What was logged since the last time, for those who follow the log. */
  takeLog(): readonly LogLine[] {
    const taken = this.#log
    this.#log = []
    return taken
  }

  /** What the batch did stands in the file's open batch when this returns, and can still be undone. */
  finishBatch(): void {
    this.operations.apply()
    this.#batchBytes = this.journal.batchBytes
    if (!this.journal.hasRecords) return
    this.file.begin()
    storeHead(this.file, this.journal.head)
  }

  /** The batch is in the log: from here on it is read, and it enters the file with the next commit of that. */
  commit(): void {
    this.journal.commit()
    if (this.#committed.module !== this.module) this.#committed.module?.guest.close?.()
    this.#committed = this.#settings
    this.file.keep(this.#batchBytes)
    this.nextIds.commit()
  }

  /** Nothing the batch did is left, in the file or in memory. */
  rollback(): void {
    this.journal.rollback()
    this.#runFromNowOn(this.#committed.module)
    this.#settings = this.#committed
    this.#forget()
    this.file.rollback()
  }

  /** Takes the file's rows back to a savepoint, and with them what was read of them. */
  undoTo(savepoint: Savepoint): void {
    this.file.rollbackToSavepoint(savepoint)
    this.#forget()
  }

  #forget(): void {
    this.operations.forget()
    this.directory.forget()
    this.nextIds.forget()
    this.calls.forget()
    this.plans.forget()
  }

  /** The log may have more than this file: it is asked before anything else happens. */
  doubt(): void {
    this.#isBehind = true
    this.#forget()
  }

  /** Some of what the log has may not be in the file: nothing may be changed until `catchUp`. */
  get isBehind(): boolean {
    return this.#isBehind || this.isMissingRows
  }

  /** Somebody was told of what the file has lost: nothing may be read either. */
  get isMissingRows(): boolean {
    return this.#isMissingRows || this.file.hasLostBatches
  }

  /** Brings the file to where the log is; `read` gives the log's records after a position. */
  async catchUp(read: (after: bigint) => AsyncIterable<readonly LoggedRecord[]>): Promise<void> {
    this.file.rollback()
    this.#isMissingRows = this.isMissingRows
    this.file.forgetLostBatches()
    this.#forget()
    await applyRecords(this.file, read(loadHead(this.file).position), { isKept: true })
    this.journal.resume(loadHead(this.file))
    this.#isMissingRows = false
    this.trail?.settle(this.journal.committed.position)
    this.#isBehind = false
  }

  /** The caller of a request with logins turned into identities, minted in the open batch where they are new. */
  caller({ sender, actor, ...rest }: CallerHead): Caller {
    const identity = this.directory.identify(sender)
    return { ...rest, sender: identity, actor: actor === undefined ? identity : this.directory.identify(actor) }
  }

  close(): void {
    this.accessIndex?.close()
    this.module?.guest.close?.()
  }
}

/** What the access log says of a change beside what the commit log does. */
interface Change {
  readonly name: string
  readonly by?: string | undefined
  readonly details?: Readonly<Record<string, string>>
}

const changeEvents: Partial<Record<RecordKind, AccessEntry['event']>> = { publish: 'publish', limit: 'limits', key: 'keys', identity: 'identity' }

/** People by their identities: what their logins are stands in the directory, for those who may read it. */
function identityChange({ kind, before, after, by }: DirectoryChange): Change {
  const details = { identity: identityFromBytes(after), ...(before === null ? {} : { before: identityFromBytes(before) }) }
  return { name: kind, by, details }
}

/** As SQLite counts its releases: 3.54.0 is 3054000. */
function sqliteNumber(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return major * 1_000_000 + minor * 1_000 + patch
}
