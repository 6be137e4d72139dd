/** A database's folder and the history that a log would have of it, without a host. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'

import type { HostError } from '../../host/errors.ts'
import { frameAt, recordOf } from '../../host/log/frame.ts'
import { RecordBatch } from '../../host/log/record-batch.ts'
import type { LoggedRecord } from '../../host/log/record.ts'
import { Journal, noVersions } from '../../host/reducer/journal.ts'
import { makeDatabaseNote, readDatabaseNote } from '../../host/storage/database-note.ts'
import { loadHead, storeHead } from '../../host/storage/head.ts'
import { openState } from '../../host/storage/open-state.ts'
import type { History, OpenedState } from '../../host/storage/open-state.ts'
import { setMeta, tenantId } from '../../host/storage/system-tables.ts'
import type { DatabaseId } from '../../host/storage/system-tables.ts'
import { DataFolder } from './folder.ts'

export class StateFolder implements Disposable {
  readonly #data = new DataFolder()
  readonly path = this.#data.at('claims')
  readonly id: DatabaseId
  /** Everything that was acknowledged, in order. */
  readonly records: LoggedRecord[] = []
  /** The log has forgotten or lost what is before this position, or after that one. */
  firstKept = 1n
  lastKept = 1_000_000n
  hasLostRecords = false
  /** What becomes of whoever follows the log. */
  readFailure: HostError | undefined

  constructor() {
    mkdirSync(this.path)
    this.id = makeDatabaseNote(this.path, 'default')
  }

  at(name: string): string {
    return `${this.path}/${name}`
  }

  get history(): History {
    const kept = this.records.filter(({ head }) => head.position >= this.firstKept && head.position <= this.lastKept)
    const last = kept.at(-1)
    return {
      head:
        last === undefined
          ? undefined
          : {
              position: last.head.position,
              sequence: last.sequence,
              chain: last.chainAfter,
              firstSequence: kept[0]?.sequence ?? 0n,
              firstPosition: kept[0]?.head.position ?? 0n,
            },
      hasLostRecords: this.hasLostRecords,
      read: (after) => {
        if (this.readFailure !== undefined) throw this.readFailure
        return chunks(kept.filter(({ head }) => head.position > after))
      },
    }
  }

  async open({ isCreation = true } = {}): Promise<OpenedState> {
    const id = readDatabaseNote(this.path)
    assert(id !== undefined, 'the folder has its note')
    return openState(this.path, { id, history: this.history, isCreation })
  }

  /** One acknowledged change: `value` under `key` in the file's own settings. */
  change({ state: { file } }: OpenedState, key: string, value: string): void {
    const records = new RecordBatch()
    const journal = new Journal({ database: this.id.uid, tenant: tenantId(this.id.tenant), sqliteVersion: 3_054_000 }, loadHead(file))
    journal.begin(records, 1n)
    journal.add({ kind: 'limit', timestamp: 1_800_000_000_000_000n, versions: noVersions, payload: { meta: { [key]: value } } })
    this.records.push(...recordsOf(records, BigInt(this.records.length + 1)))
    file.transaction(() => {
      setMeta(file, key, value)
      storeHead(file, journal.head)
    })
  }

  [Symbol.dispose](): void {
    this.#data[Symbol.dispose]()
  }
}

async function* chunks(records: readonly LoggedRecord[]): AsyncIterable<readonly LoggedRecord[]> {
  for (let next = 0; next < records.length; next += 3) yield records.slice(next, next + 3)
}

/** As a log gives them back. */
function recordsOf(batch: RecordBatch, firstSequence: bigint): LoggedRecord[] {
  const mark = 1n
  const bytes = Buffer.from(batch.stamp(mark, firstSequence))
  const records: LoggedRecord[] = []
  for (let at = 0; at < bytes.length;) {
    const frame = frameAt(bytes, at, mark)
    assert(frame !== undefined, 'a batch is whole frames')
    records.push(recordOf(bytes, frame))
    at += frame.sizeBytes
  }
  return records
}
