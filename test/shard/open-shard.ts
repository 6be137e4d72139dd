/** A shard on this thread, spoken to through its door, and what its files say to another program. */
import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'

import Sqlite from 'better-sqlite3'

import type { AccessLog } from '../../host/access-log/access-log.ts'
import type { CommitLog } from '../../host/log/commit-log.ts'
import type { LogLimits } from '../../host/log-limits.ts'
import type { GateResult } from '../../host/module/gate.ts'
import type { CallerHead, ShardAnswer, ShardEvent, ShardMethod, ShardRequest } from '../../host/protocol/shard-protocol.ts'
import { PackedReader, PackedWriter } from '../../host/packed-bytes.ts'
import { unpackValue } from '../../host/row-codec.ts'
import type { OpenDatabase } from '../../host/shard/open-databases.ts'
import { ShardCore } from '../../host/shard/shard-core.ts'
import { DataFolder, StoppedClock } from '../storage/folder.ts'
import { checked } from './versions.ts'
import type { Version } from './versions.ts'

export const noLayouts = { rowFields: () => [], recordFields: () => [] }

export function callerNamed(subject: string): CallerHead {
  return { sender: { issuer: 'test', subject }, assurance: 'signed', channel: 'test', claims: {} }
}

/** For the rest of a test: a turn ends after some time, and what is to be one turn must not meet that on a slow machine. */
export function stopTime({ mock }: TestContext): void {
  const now = performance.now()
  mock.method(performance, 'now', () => now)
}

export interface OpenShardOptions {
  readonly databasesOpenMax?: number
  /** The file log of the folder when left out. */
  readonly log?: CommitLog
  readonly logLimits?: LogLimits
  /** That of the folder when left out. */
  readonly openAccess?: (folder: DataFolder) => Promise<AccessLog>
  /** One of the test's own, which outlives the shard. */
  readonly folder?: DataFolder
}

export class OpenShard implements AsyncDisposable {
  readonly folder: DataFolder
  readonly #isOwnFolder: boolean
  readonly clock = new StoppedClock()
  readonly events: ShardEvent[] = []
  readonly core: ShardCore

  constructor({ databasesOpenMax, log, logLimits, folder, openAccess }: OpenShardOptions = {}) {
    this.folder = folder ?? new DataFolder()
    this.#isOwnFolder = folder === undefined
    this.core = new ShardCore({
      data: this.folder.path,
      clock: this.clock,
      onEvent: (event) => this.events.push(event),
      ...(databasesOpenMax === undefined ? {} : { databasesOpenMax }),
      ...(logLimits === undefined ? {} : { logLimits }),
      ...(log === undefined ? {} : { openLog: () => log }),
      ...(openAccess === undefined ? {} : { openAccess: () => openAccess(this.folder) }),
    })
  }

  send<M extends ShardMethod>(
    database: string,
    method: M,
    head: ShardRequest<M>,
    body: Uint8Array = new Uint8Array(0),
  ): Promise<{ head: ShardAnswer<M>; body?: Uint8Array }> {
    return this.core.handle(database, method, head, body)
  }

  async create(database: string): Promise<void> {
    await this.send(database, 'open', { create: true, tenant: 'default' })
  }

  async publish(database: string, version: Version, dryRun = false): Promise<ShardAnswer<'publish'>> {
    return this.publishChecked(database, await checked(version), dryRun)
  }

  /** What came through the gate: from here on the shard has it. */
  async publishChecked(database: string, { core, description, componentHash }: GateResult, dryRun = false): Promise<ShardAnswer<'publish'>> {
    const head = { hash: componentHash, coreSizeBytes: core.length, publishedBy: 'test', dryRun }
    return (await this.send(database, 'publish', head, Buffer.concat([core, description]))).head
  }

  /** The label of the module that stamped. */
  async stamp(database: string, version: number, { subject = 'sarah', size = 0, id = '' } = {}): Promise<unknown> {
    const args = new PackedWriter()
    args.u32(size)
    const { body = new Uint8Array(0) } = await this.send(
      database,
      'call',
      { reducer: 0, kind: 'reducer', version, caller: callerNamed(subject), ...(id === '' ? {} : { id }) },
      args.toBytes(),
    )
    return unpackValue(new PackedReader(body, 'ERR_RESULT_MALFORMED'), { kind: 'scalar', scalar: 'string', nullable: false }, noLayouts)
  }

  held(database: string): Promise<OpenDatabase> {
    return this.core.hold(database)
  }

  path(database: string): string {
    return this.folder.at('databases', database, 'state.sqlite')
  }

  /** What another program that opens the file sees once what was kept is committed. */
  async rows(database: string, sql: string): Promise<readonly unknown[]> {
    await this.commit(database)
    const other = new Sqlite(this.path(database), { readonly: true })
    try {
      return other.prepare(sql).pluck().all()
    } finally {
      other.close()
    }
  }

  async commit(database: string): Promise<void> {
    const { state } = await this.held(database)
    if (!state.file.hasBatch) state.file.commit()
  }

  /** Commits that lie in the WAL: its frames with the size of the database in their head (SQLite's file format, 4.1). */
  commits(database: string): number {
    const wal = readFileSync(`${this.path(database)}-wal`)
    const salt = wal.subarray(16, 24)
    const frameSize = 24 + wal.readUInt32BE(8)
    let commits = 0
    for (let at = 32; at + frameSize <= wal.length; at += frameSize) {
      if (wal.readUInt32BE(at + 4) > 0 && wal.subarray(at + 8, at + 16).equals(salt)) commits++
    }
    return commits
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.core.close()
    if (this.#isOwnFolder) this.folder[Symbol.dispose]()
  }
}
