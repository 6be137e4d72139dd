/**
 * What a shard does, whatever thread it is on: it owns its databases' files and all guest code, and
 * answers the methods of the door (protocol/shard-protocol.ts).
 */
import { existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { AccessIndex, removeIndex } from '../access-log/access-index.ts'
import { accessTable } from '../access-log/access-table.ts'
import { AccessLog } from '../access-log/access-log.ts'
import { mintDatabaseToken } from '../auth/mint-token.ts'
import { issuerState, newKeyRing, removeKey, rotateKeys } from '../auth/signing-key.ts'
import type { KeyRing } from '../auth/signing-key.ts'
import { formatTimestamp } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { assert, HostError } from '../errors.ts'
import { hostIssuer, identityFromBytes } from '../identity.ts'
import { laneOf } from '../lane.ts'
import * as limits from '../limits.ts'
import { logLimits } from '../log-limits.ts'
import type { LogLimits } from '../log-limits.ts'
import type { CommitLog } from '../log/commit-log.ts'
import { isFileError } from '../log/log-files.ts'
import type { DatabaseState, IssuerState, LogEntry, ShardAnswer, ShardEvent, ShardMethod, ShardRequest, TokenRequest } from '../protocol/shard-protocol.ts'
import { publish, resume } from '../publish/publish.ts'
import { Database } from '../reducer/database.ts'
import type { LogLine } from '../reducer/call-log.ts'
import { runOnce } from '../reducer/run-call.ts'
import { runSql } from '../reducer/run-sql.ts'
import type { CallResult } from '../reducer/run-call.ts'
import { PackedWriter } from '../packed-bytes.ts'
import type { InstanceMode } from '../sandbox/instance-mode.ts'
import { isParserLoaded, loadParser } from '../sql/parse-statement.ts'
import { accessFolder, accessIndexPath, databaseFolder, databaseFolders, laneFolders } from '../storage/data-folder.ts'
import { makeDatabaseNote, readDatabaseNote } from '../storage/database-note.ts'
import { syncFolder } from '../storage/durable-file.ts'
import { moduleOfVersion } from '../storage/module-store.ts'
import { openState } from '../storage/open-state.ts'
import { idOfRemains } from '../storage/remains.ts'
import { packSqlValue } from '../storage/row-image.ts'
import type { ScalarType } from '../value-type.ts'
import type { StateReport } from '../storage/open-state.ts'
import { bringUp, checkpoint, exportFooter, exportPart, recordDisclosure, report } from './access-methods.ts'
import { CallQueue } from './call-queue.ts'
import { fileLog } from './file-log.ts'
import { Lanes } from './lanes.ts'
import { Retention } from './retention.ts'
import { Upkeep } from './upkeep.ts'
import { OpenDatabases } from './open-databases.ts'
import type { OpenDatabase } from './open-databases.ts'

export interface ShardCoreOptions {
  /** The host's data folder. */
  readonly data: string
  readonly clock: Clock
  readonly onEvent: (event: ShardEvent) => void
  /** Lanes of the folder, and those of them that are this shard's; one and only when left out. */
  readonly lanes?: ShardLanes
  /** What the log keeps, all lanes together; the limits' own when left out. */
  readonly logLimits?: LogLimits
  /** Opens the log of a lane; the file log of the data folder when left out. */
  readonly openLog?: (lane: number) => CommitLog
  /** Opens the access log of a lane; that of the data folder when left out. */
  readonly openAccess?: (lane: number) => Promise<AccessLog>
  /** `fresh` when left out. */
  readonly instances?: InstanceMode
  /** `limits.databasesOpenMax` when left out. */
  readonly databasesOpenMax?: number
}

export interface ShardLanes {
  readonly count: number
  readonly own: readonly number[]
}

interface Answer<M extends ShardMethod> {
  readonly head: ShardAnswer<M>
  readonly body?: Uint8Array
}

type Methods = {
  [M in ShardMethod]: (database: string, head: ShardRequest<M>, body: Uint8Array) => Promise<Answer<M>>
}

export class ShardCore {
  readonly #options: ShardCoreOptions
  readonly #databases: OpenDatabases
  readonly #lanes: Lanes
  #logSeq = 0

  constructor(options: ShardCoreOptions) {
    this.#options = options
    const lanes = options.lanes ?? { count: 1, own: [0] }
    const openLog = options.openLog ?? ((lane): CommitLog => fileLog(options.data, lane, options.clock))
    const { accessAgeSecondsMax = limits.accessAgeSecondsMax } = options.logLimits ?? {}
    this.#lanes = new Lanes({
      lanes,
      forgetAccess: (access) => access.forget(options.clock.now(), accessAgeSecondsMax),
      openLog,
      openAccess: options.openAccess ?? ((lane) => this.#openAccess(lane)),
      retentionOf: (lane, log) => this.#retentionOf(lane, log, lanes),
    })
    this.#databases = new OpenDatabases({
      open: (name, tenant) => this.#openDatabase(name, tenant),
      openMax: options.databasesOpenMax ?? limits.databasesOpenMax,
    })
  }

  /** Reads the logs that there are, so that the first who comes need not wait for that. */
  async begin(): Promise<void> {
    await this.#lanes.openThose(laneFolders(this.#options.data))
  }

  #openAccess(lane: number): Promise<AccessLog> {
    const { data, clock } = this.#options
    return AccessLog.open({ folder: accessFolder(data, lane), clock, onFailure: (message) => this.#tell('', [{ level: 'error', reducer: '', message }]) })
  }

  async handle<M extends ShardMethod>(database: string, method: M, head: ShardRequest<M>, body: Uint8Array): Promise<Answer<M>> {
    return this.#methods[method](database, head, body)
  }

  /** The database for somebody in this process who keeps it. */
  hold(name: string): Promise<OpenDatabase> {
    return this.#databases.hold(name)
  }

  /** Ends after what was taken; what comes later is refused. */
  async close(): Promise<void> {
    await this.#lanes.stopUpkeep()
    await this.#databases.closeAll()
    await this.#lanes.close()
  }

  readonly #methods: Methods = {
    open: (name, request) => this.#databases.use(name, ({ database }) => ({ head: stateOf(database) }), request.create ? request.tenant : undefined),
    close: async (name) => {
      await this.#databases.close(name)
      return { head: {} }
    },
    drop: async (name) => {
      await this.#databases.close(name, () => this.#drop(name))
      return { head: {} }
    },
    publish: (name, { hash, coreSizeBytes, publishedBy, dryRun }, body) =>
      this.#databases.use(name, async (open) => {
        const core = body.slice(0, coreSizeBytes)
        try {
          return { head: await publish(open, { hash, core, description: body.slice(coreSizeBytes), publishedBy, isDryRun: dryRun }) }
        } finally {
          open.showLog()
        }
      }),
    describe: (name, { version }) => this.#databases.use(name, ({ database }) => describe(database, version)),
    access: (name, head) => this.#databases.use(name, (open) => report(open, head)),
    accessExport: (name, head) => this.#databases.use(name, (open) => exportPart(open, head)),
    accessFooter: (name, head) => this.#databases.use(name, (open) => ({ head: { line: exportFooter(open, head) } })),
    disclose: (name, head) => this.#databases.use(name, async (open) => ({ head: await recordDisclosure(open, head) })),
    checkpoint: (name, head) => this.#databases.use(name, async (open) => ({ head: await checkpoint(open, head) })),
    call: (name, head, body) => this.#databases.use(name, (open) => call(open, head, body)),
    sql: (name, head) => this.#databases.use(name, (open) => sql(open, head)),
    identify: (name, { login }) => this.#change(name, ({ directory }) => ({ identity: identityFromBytes(directory.identify(login)) })),
    identities: (name, { by = 'host' }) =>
      this.#change(name, (database) => {
        database.note({ event: 'identity', name: 'list', outcome: '', who: undefined, by })
        return { identities: database.directory.list() }
      }),
    link: (name, { login, to, by }) => this.#change(name, ({ directory }) => ({ identity: directory.link(login, to, by) })),
    unlink: (name, { login, by }) => this.#change(name, ({ directory }) => ({ identity: directory.unlink(login, by) })),
    token: (name, { by, ...request }) =>
      this.#databases.use(name, async ({ database, queue }) => {
        const token = await mintDatabaseToken(database.keyRing, request, this.#options.clock)
        await queue.run(() => noteToken(database, request, by))
        return { head: { token } }
      }),
    rotateKey: (name, { by }) => this.#change(name, (database) => issuerAfter(database, rotateKeys(database.keyRing), by)),
    removeKey: (name, { kid, by }) => this.#change(name, (database) => issuerAfter(database, removeKey(database.keyRing, kid), by)),
    limits: (name, { change, by }) => this.#change(name, (database) => (Object.keys(change).length > 0 ? database.setLimits(change, by) : database.limits)),
  }

  /** Work of one batch; what it gives leaves when the batch is in the log. */
  #change<T>(name: string, work: (database: Database) => T): Promise<{ head: T }> {
    return this.#databases.use(name, async ({ database, queue }) => ({ head: await queue.run(() => work(database)) }))
  }

  #retentionOf(lane: number, log: CommitLog, { count }: ShardLanes): Retention {
    const { data, clock, logLimits: all = logLimits({}) } = this.#options
    return new Retention({
      log,
      keep: { ...all, sizeBytesMax: Math.ceil(all.sizeBytesMax / count) },
      clock,
      databases: {
        names: () => databaseFolders(data).filter((name) => laneOf(name, count) === lane),
        folder: (name) => databaseFolder(data, name),
        snapshot: (name) => this.#databases.visit(name, snapshotNow),
      },
      onPinned: (name, message) => this.#tell(name, [{ level: 'warn', reducer: '', message }]),
    })
  }

  async #openDatabase(name: string, tenant: string | undefined): Promise<OpenDatabase> {
    try {
      return await this.#openFolder(name, tenant)
    } catch (error) {
      throw named(name, error)
    }
  }

  async #openFolder(name: string, tenant: string | undefined): Promise<OpenDatabase> {
    const folder = databaseFolder(this.#options.data, name)
    const id = readDatabaseNote(folder) ?? (tenant === undefined ? undefined : makeDatabaseNote(folder, tenant))
    if (id === undefined) throw new HostError('ERR_STORAGE', `its files are not in this data folder: restore ${join('databases', name)} from a backup`)
    const lane = await this.#lanes.of(name)
    const start = performance.now()
    const { state, report: opening } = await openState(folder, { id, history: lane.history(id.uid), isCreation: tenant !== undefined })
    const { clock, instances = 'fresh' } = this.#options
    const indexPath = accessIndexPath(folder)
    if (opening.condition !== 'closed' && opening.condition !== 'killed') removeIndex(indexPath)
    const index = new AccessIndex(indexPath, lane.access, id.uid)
    const access = { log: lane.access, last: await lane.access.last(id.uid), index }
    const database = new Database({ file: state.file, clock, instances, access })
    const showLog = (): void => this.#showLog(name, database)
    const queue: CallQueue = new CallQueue(database, lane.group, () => {
      showLog()
      upkeep.afterTurn()
    })
    const upkeep = new Upkeep(state, queue)
    try {
      database.settleAccess()
      if (!database.hasKeyRing) await queue.run(() => database.setKeyRing(newKeyRing()))
      await resume(database)
      // What only the file has is copied before anything else happens to it.
      if (opening.recordsAhead > 0n) await state.checkpoint(true)
    } catch (error) {
      await state.close()
      throw error
    }
    const told = describeReport(opening, performance.now() - start)
    if (told !== undefined) this.#tell(name, [{ level: opening.condition === 'damaged' ? 'warn' : 'info', reducer: '', message: told }])
    return { database, access: lane.access, state, queue, upkeep, showLog }
  }

  /**
   * May be done again from any point: the folder says what to erase until the log has done it. An erasure that has
   * begun is finished by whoever takes the log next.
   */
  async #drop(name: string): Promise<void> {
    const folder = databaseFolder(this.#options.data, name)
    try {
      const id = idOfRemains(folder)
      if (id !== undefined) {
        const { access, log } = await this.#lanes.of(name)
        await access.erase(id.uid)
        await log.erase(id.uid)
      }
      if (!existsSync(folder)) return
      rmSync(folder, { recursive: true })
      syncFolder(dirname(folder))
    } catch (error) {
      throw named(name, error)
    }
  }

  #showLog(name: string, database: Database): void {
    this.#tell(name, database.takeLog())
  }

  #tell(name: string, lines: readonly LogLine[]): void {
    if (lines.length === 0) return
    const at = formatTimestamp(this.#options.clock.now())
    const entries = lines.map((line): LogEntry => ({ seq: ++this.#logSeq, at, ...line }))
    this.#options.onEvent({ kind: 'log', database: name, entries })
  }
}

async function call(
  { database, queue }: OpenDatabase,
  { reducer, kind, version, caller, id }: ShardRequest<'call'>,
  args: Uint8Array,
): Promise<Answer<'call'>> {
  if (kind === 'hook') assert(caller.actor?.issuer === hostIssuer, "hooks are the host's own calls")
  const run = (): CallResult & { readonly record: string } => {
    const module = database.requireModule()
    if (module.version !== version) {
      throw new HostError('ERR_BUSY', 'the module was published anew meanwhile: try again', { detail: { version: module.version } })
    }
    assert(module.description.reducers[reducer]?.kind === kind, 'the API checked the kind of the reducer')
    const result = runOnce(database, module, { reducer, caller: database.caller(caller), args, id })
    return { ...result, record: lastRecord(database) }
  }
  const outcome = await queue.run(run, { isRead: kind === 'query' })
  return { head: { version: outcome.version, fuel: outcome.fuel, record: outcome.record }, body: outcome.result }
}

/** Of what has just been done. */
function lastRecord({ trail }: Database): string {
  return String(trail?.position ?? 0n)
}

/** Between two turns; not while rows are missing that the log has. */
async function snapshotNow({ database, state }: OpenDatabase): Promise<void> {
  if (!database.isBehind && !state.file.hasBatch) await state.checkpoint(true)
}

async function sql({ database, queue }: OpenDatabase, { sql: text, params, caller, explain }: ShardRequest<'sql'>): Promise<Answer<'sql'>> {
  // Once it is there, a statement keeps its place among the calls that came with it.
  if (!isParserLoaded()) await loadParser()
  if (database.accessIndex !== undefined && text.includes(accessTable.name)) await bringUp(database.accessIndex)
  const run = (): Answer<'sql'> => {
    const request = { sql: text, params, caller: database.caller(caller), isExplained: explain }
    const { columns, rows, examined, explanation } = runSql(database, database.requireModule(), request)
    const body = new PackedWriter('ERR_SQL_BUDGET', 2 * limits.resultSizeBytesMax)
    const types = columns.map(({ type }): ScalarType => ({ kind: 'scalar', scalar: type, nullable: true }))
    for (const row of rows) types.forEach((type, index) => packSqlValue(body, type, row[index] ?? null))
    return {
      head: { columns, rowCount: rows.length, examined, record: lastRecord(database), ...(explanation === undefined ? {} : { explanation }) },
      body: body.toBytes(),
    }
  }
  return queue.run(run, { isRead: true })
}

function describe({ module, file }: Database, version = module?.version): Answer<'describe'> {
  if (version === undefined) return { head: { version: 0, hash: '' } }
  if (version === module?.version) return { head: { version, hash: module.hash }, body: module.descriptionBytes }
  const stored = moduleOfVersion(file, version)
  if (stored === undefined) throw new HostError('ERR_MODULE_MISSING', `this database has no version ${version} of its module`)
  return { head: { version, hash: stored.hash }, body: stored.description }
}

/** Whom it is for by their identity, once they have one; the token itself is nobody's to read. */
function noteToken(database: Database, { subject, ttlSeconds, rights }: TokenRequest, by = 'host'): void {
  const known = database.directory.find({ issuer: database.keyRing.issuer, subject })
  const whom: Readonly<Record<string, string>> = known === undefined ? { subject } : { identity: identityFromBytes(known) }
  const details = { ...whom, seconds: String(ttlSeconds), rights: rights.join(' ') }
  database.note({ event: 'token', name: 'issued', outcome: '', who: undefined, by, details })
}

function issuerAfter(database: Database, ring: KeyRing, by: string | undefined): IssuerState {
  database.setKeyRing(ring, by)
  return issuerState(ring)
}

/** For whoever looks after the host; nothing for a file that was as it should be. */
function describeReport({ condition, isRebuilt, recordsReplayed, recordsAhead }: StateReport, timeMs: number): string | undefined {
  if (condition === 'new' || condition === 'closed') return undefined
  const done = isRebuilt ? `rebuilt from a snapshot and ${recordsReplayed} records` : `${recordsReplayed} records replayed`
  const ahead = recordsAhead === 0n ? '' : `; the log has lost the last ${recordsAhead} records, which the file has`
  return `the state file was left by: ${condition}; ${done} in ${timeMs.toFixed(0)} ms${ahead}`
}

/** What keeps a database from opening, with its name: nobody else is refused for it. A bug of our own stays what it is. */
function named(name: string, error: unknown): unknown {
  if (error instanceof HostError) return new HostError(error.code, `database ${name}: ${error.message}`, { detail: error.detail, cause: error })
  if (!isFileError(error)) return error
  return new HostError('ERR_STORAGE', `database ${name}: its files could not be used (${error.code}): check the disk and the data folder`, { cause: error })
}

function stateOf(database: Database): DatabaseState {
  return { version: database.module?.version ?? 0, hash: database.module?.hash ?? '', issuer: issuerState(database.keyRing) }
}
