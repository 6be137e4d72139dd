/**
 * The access log of one thread: records of every database that answers on it, in segments of their own
 * (docs/access-log.md). A record is the system's before the answer leaves that it tells of, and on the disk at most
 * 20 ms later, or at once where somebody asks for that. Each database has its own chain in it.
 *
 * Records are added while calls run, and written together by whoever is about to answer; what cannot be written is
 * forgotten, and its callers get the failure in place of their answers.
 */
import type { Clock, Micros } from '../clock.ts'
import { HostError } from '../errors.ts'
import type { CommitLog, LogHead, LogSegment, LogTenure } from '../log/commit-log.ts'
import { FileLog } from '../log/file-log.ts'
import type { LogPlace } from '../log/log-reader.ts'
import { RecordBatch } from '../log/record-batch.ts'
import type { BatchMark } from '../log/record-batch.ts'
import { firstChain } from '../log/record.ts'
import type { LoggedRecord, RecordHead } from '../log/record.ts'
import { historyOf, hexOf, recordsAfter } from '../storage/log-history.ts'
import { hostVersion, packVersion } from '../version.ts'
import { SectionWriter } from '../log/sections.ts'
import { packAccess, readAccess } from './access-record.ts'
import { DeferredFiles } from './deferred-files.ts'

export interface AccessLogOptions {
  readonly folder: string
  readonly clock: Clock
  /** Hears of what could not be synced after its answers had left. */
  readonly onFailure: (message: string) => void
  readonly files?: DeferredFiles
}

/** Where the chain of a database has come to. */
export interface AccessHead {
  readonly position: bigint
  readonly chain: Uint8Array
}

export interface AddOptions {
  readonly asOf: bigint
  /** It is on the disk when it is written. */
  readonly isUrgent: boolean
}

export interface AccessMark {
  readonly batch: BatchMark
  readonly head: AccessHead | undefined
}

export class AccessLog {
  readonly #log: FileLog
  readonly #files: DeferredFiles
  readonly #tenure: LogTenure
  readonly #batch = new RecordBatch()
  readonly #sections = new SectionWriter()
  /** By the uid's hex digits: of what is written, and of what was added since. */
  readonly #written: Map<string, AccessHead>
  readonly #added = new Map<string, AccessHead>()
  /** How far the commit log had come when the last record was added, by uid. */
  readonly #asOf = new Map<string, bigint>()
  #isUrgent = false

  private constructor(log: FileLog, files: DeferredFiles, tenure: LogTenure) {
    this.#log = log
    this.#files = files
    this.#tenure = tenure
    this.#written = new Map(Array.from(tenure.heads, ([uid, { position, chain }]) => [uid, { position, chain }]))
  }

  /**
   * Whoever opens it holds the folder's other locks already: this one takes none.
   *
   * @throws HostError ERR_STORAGE, ERR_LOG_DAMAGED
   */
  static async open({ folder, clock, onFailure, files }: AccessLogOptions): Promise<AccessLog> {
    const deferred =
      files ?? new DeferredFiles((error) => onFailure(`the access log could not be synced, and a power loss may take its last records: ${String(error)}`))
    const log = new FileLog({ folder, clock, files: deferred, lock: () => ({ [Symbol.dispose]: () => undefined }) })
    return new AccessLog(log, deferred, await log.acquire())
  }

  get damage(): LogTenure['damage'] {
    return this.#tenure.damage
  }

  /** Of the last record that was added, or written. */
  head(uid: string): AccessHead | undefined {
    return this.#added.get(uid) ?? this.#written.get(uid)
  }

  /** Adds a record that `write` will write. */
  add(uid: string, head: Omit<RecordHead, 'epoch' | 'position' | 'kind'>, sections: Uint8Array, { asOf, isUrgent }: AddOptions): void {
    const before = this.head(uid)
    const position = (before?.position ?? 0n) + 1n
    const record: RecordHead = { ...head, kind: 'access', epoch: this.#tenure.epoch, position }
    const chain = this.#batch.add(record, sections, before?.chain ?? firstChain(head.database))
    this.#added.set(uid, { position, chain })
    this.#asOf.set(uid, asOf)
    if (isUrgent) this.#isUrgent = true
  }

  /** A place to go back to in the records that one database has added. */
  mark(uid: string): AccessMark {
    return { batch: this.#batch.mark(), head: this.#added.get(uid) }
  }

  /** Forgets what was added since: by this database, and nobody else. */
  rewind(uid: string, { batch, head }: AccessMark): void {
    this.#batch.rewind(batch)
    if (head === undefined) this.#added.delete(uid)
    else this.#added.set(uid, head)
  }

  /**
   * Writes all that was added, whoever added it; nothing happens when that is nothing.
   *
   * @returns why it is not written: then it is forgotten, and what it tells of must not be answered.
   */
  write(): HostError | undefined {
    if (this.#batch.count === 0) return undefined
    let failure: HostError | undefined
    this.#files.append(this.#isUrgent, () => this.#log.append(this.#batch, (outcome) => (failure = 'failure' in outcome ? outcome.failure : undefined)))
    if (failure === undefined) for (const [uid, head] of this.#added) this.#written.set(uid, head)
    this.#added.clear()
    this.#batch.reset()
    this.#isUrgent = false
    return failure === undefined ? undefined : unwritten(failure)
  }

  /** A database's records after this position. */
  read(database: Uint8Array, after: bigint): AsyncIterable<readonly LoggedRecord[]> {
    return recordsAfter(this.#log, database, after)
  }

  /** The same in the caller's own turn, from where an earlier reading ended. */
  readNow(database: Uint8Array, after: bigint, place: LogPlace | undefined): ReturnType<FileLog['readNow']> {
    const uid = hexOf(database)
    const segment = this.#log.segments().find(({ heads }) => (heads.get(uid)?.position ?? 0n) > after)
    return this.#log.readNow(place?.sequence ?? segment?.heads.get(uid)?.firstSequence ?? afterAll, database, place)
  }

  /** The position of a database's last record that was written. */
  position(database: Uint8Array): bigint {
    return this.#written.get(hexOf(database))?.position ?? 0n
  }

  /** The last record of a database; undefined for one that has none, or lost it. */
  async last(database: Uint8Array): Promise<LoggedRecord | undefined> {
    const sequence = historyOf(this.#log, [], database).head?.sequence
    if (sequence === undefined) return undefined
    for await (const [record] of this.#log.read(sequence, { database })) return record
    return undefined
  }

  segments(): ReturnType<CommitLog['segments']> {
    return this.#log.segments()
  }

  /**
   * Forgets the segments that were sealed longer ago. Each database of which records go says so itself, in a record of its
   * chain that names where it begins from then on: a log that begins elsewhere was cut by somebody else.
   */
  async forget(now: Micros, ageSecondsMax: number): Promise<void> {
    const old = doomed(this.#log.segments(), now - BigInt(ageSecondsMax) * 1_000_000n)
    const last = old.at(-1)
    if (last === undefined) return
    const heads = new Map(old.flatMap((segment) => [...segment.heads]))
    for (const [uid, head] of heads) {
      const record = await this.last(Buffer.from(uid, 'hex'))
      // A dropped database is forgotten whole.
      if (record !== undefined && !record.isErased) this.#addTrimmed(uid, head, { now, asOf: this.#asOf.get(uid) ?? readAccess(record).asOf })
    }
    const failure = this.write()
    if (failure !== undefined) throw failure
    this.sync()
    await this.#log.trim(last.lastSequence + 1n)
  }

  #addTrimmed(uid: string, { position, chain }: LogHead, { now, asOf }: { readonly now: Micros; readonly asOf: bigint }): void {
    const details = { first: String(position + 1n), chain: Buffer.from(chain).toString('hex') }
    this.#sections.reset()
    this.#sections.write('access', (packed) =>
      packAccess(packed, { event: 'trimmed', name: 'access_log', outcome: '', who: undefined, by: 'host', details, version: 0, asOf }),
    )
    this.add(uid, { ...hostHead, database: Buffer.from(uid, 'hex'), timestamp: now }, this.#sections.view(), { asOf, isUrgent: true })
  }

  /** The database is dropped: what its records said is overwritten, and that there were some stays. */
  async erase(database: Uint8Array): Promise<void> {
    await this.#log.erase(database)
    this.#written.delete(hexOf(database))
  }

  async heartbeat(): Promise<void> {
    await this.#log.heartbeat()
  }

  /** @throws what the system throws. */
  sync(): void {
    this.#files.sync()
  }

  async close(): Promise<void> {
    await this.#log.release()
  }
}

/** The oldest ones that are old enough, one after the other. */
function doomed(segments: readonly LogSegment[], before: Micros): readonly LogSegment[] {
  const kept = segments.findIndex(({ sealedAt }) => sealedAt === undefined || sealedAt >= before)
  return kept < 0 ? segments : segments.slice(0, kept)
}

/** A header's fields for a record that is no module's doing. */
const hostHead = {
  schemaVersion: 0,
  tenant: new Uint8Array(16),
  seed: [0n, 0n],
  fuel: 0,
  moduleHash: new Uint8Array(32),
  policyVersion: 0,
  fuelSchedule: 0,
  hostVersion: packVersion(hostVersion),
  sqliteVersion: 0,
  callKey: new Uint8Array(16),
} as const

/** No log ever comes so far. */
const afterAll = 2n ** 63n

/** The log is another one than the one that commits: what it refuses has not happened, whatever it says of itself. */
function unwritten(cause: HostError): HostError {
  return new HostError('ERR_STORAGE', `the access log could not be written, and what is not in it is not answered: ${cause.message}`, { cause })
}
