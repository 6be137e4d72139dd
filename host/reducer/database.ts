/**
 * One open database: its file, its directory of people, its keys, and the module that runs in it.
 * Everything here is synchronous and belongs to one thread; the shard queues in front of it.
 */
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
import { DatabaseFile } from '../storage/database-file.ts'
import { Directory } from '../storage/directory.ts'
import { loadKeyRing, storeKeyRing } from '../storage/key-ring-store.ts'
import { loadLimits, storeLimits } from '../storage/limit-store.ts'
import { NextIds } from '../storage/next-ids.ts'
import { toObject } from '../storage/row-image.ts'
import type { RowObject } from '../storage/row-image.ts'
import { prepareSystemTables } from '../storage/system-tables.ts'
import type { ActiveModule } from './active-module.ts'
import type { Caller } from './call-context.ts'
import type { LogLine } from './call-log.ts'
import { PlanCache } from './plan-cache.ts'
import type { TableAccess } from './table-access.ts'

export interface DatabaseOptions {
  readonly path: string
  readonly create: boolean
  readonly clock: Clock
}

export class Database implements Disposable {
  readonly file: DatabaseFile
  readonly directory: Directory
  readonly nextIds: NextIds
  readonly clock: Clock
  readonly plans = new PlanCache()
  /** Shared by all calls, one after the other: what it holds is copied out before the next use. */
  readonly rowWriter = new PackedWriter('ERR_CALL_LIMIT', limits.rowBytesPerCallMax)
  readonly contextWriter = new PackedWriter()
  #keyRing: KeyRing
  #limits: DatabaseLimits
  #module: ActiveModule | undefined
  #lastCallTime: Micros = 0n
  #log: LogLine[] = []

  constructor({ path, create, clock }: DatabaseOptions) {
    this.file = new DatabaseFile({ path, create })
    this.clock = clock
    this.directory = new Directory(this.file, clock)
    this.nextIds = new NextIds(this.file)
    try {
      prepareSystemTables(this.file, create)
      this.#keyRing = loadKeyRing(this.file)
      this.#limits = loadLimits(this.file)
    } catch (error) {
      this.file.close()
      throw error
    }
  }

  /** The running module, or undefined before the first publish. */
  get module(): ActiveModule | undefined {
    return this.#module
  }

  /** @throws HostError ERR_MODULE_MISSING before the first publish. */
  requireModule(): ActiveModule {
    if (this.#module === undefined) throw new HostError('ERR_MODULE_MISSING', 'this database has no module yet: publish one')
    return this.#module
  }

  /** From the next call on. */
  setModule(module: ActiveModule): void {
    this.#module = module
  }

  /** What one call may use. */
  get limits(): DatabaseLimits {
    return this.#limits
  }

  /** @throws HostError ERR_LIMIT */
  setLimits(change: LimitChange): void {
    const changed = changeLimits(this.#limits, change)
    storeLimits(this.file, changed)
    this.#limits = changed
  }

  get keyRing(): KeyRing {
    return this.#keyRing
  }

  setKeyRing(ring: KeyRing): void {
    storeKeyRing(this.file, ring)
    this.#keyRing = ring
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
    const own = { text: identityFromBytes(caller.sender), bytes: caller.sender }
    this.file.rowsExaminedLeft = limits.rowsExaminedPerCallMax
    const rows = access.scan(scan, limits.rowsReadPerCallMax + 1, { ...caller, reducer: undefined })
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

  keepLog(lines: readonly LogLine[]): void {
    this.#log.push(...lines)
  }

  /** What was logged since the last time, for those who follow the log. */
  takeLog(): readonly LogLine[] {
    const taken = this.#log
    this.#log = []
    return taken
  }

  /** Everything the batch did is on disk when this returns. */
  commit(): void {
    this.file.commit()
  }

  /** Nothing the batch did is left, in the file or in memory. */
  rollback(): void {
    this.file.rollback()
    this.directory.forget()
    this.nextIds.forget()
    this.plans.forget()
  }

  /** The caller of a request with logins turned into identities, minted in the open batch where they are new. */
  caller({ sender, actor, ...rest }: CallerHead): Caller {
    const identity = this.directory.identify(sender)
    return { ...rest, sender: identity, actor: actor === undefined ? identity : this.directory.identify(actor) }
  }

  close(): void {
    this.file.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
