/**
 * A commit log in memory, for tests of what stands on it: it answers late, not at all, or wrongly in every way
 * that a driver may. Several of them on one store are the hosts of one log; `reopen` is the next one after a crash.
 */
import { assert, HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { ChainCheck } from './chain-check.ts'
import type { AppendOutcome, CommitLog, LogDamage, LogSegment, LogTenure } from './commit-log.ts'
import { erasure, frameAt, recordOf } from './frame.ts'
import type { Frame } from './frame.ts'
import { HeadTable } from './head-table.ts'
import { fenced, unknownOutcome } from './log-errors.ts'
import type { RecordBatch } from './record-batch.ts'
import type { LoggedRecord } from './record.ts'

/**
 * What the next append meets. `hold`: no answer until `settle`. `unknown-kept` and `unknown-dropped`:
 * ERR_COMMIT_UNKNOWN, and the batch is in the log or is not. `failing`: ERR_STORAGE. `fenced`: somebody else has
 * taken the log.
 */
export type MemoryFault = 'hold' | 'unknown-kept' | 'unknown-dropped' | 'failing' | 'fenced'

/** What outlives the logs that are opened on it. */
export class MemoryLogStore {
  epoch = 0n
  nextSequence = 1n
  /** Stamped frames, one record each, oldest first. */
  readonly frames: Buffer[] = []
  /** Those of a batch of which nobody knows: the next acquire finds them, and the next append makes them void. */
  doubtful: readonly Buffer[] = []
}

/** Records of one segment. */
const segmentRecords = 64
const mark = 0x4d454d4f52594c47n

interface HeldAppend {
  readonly batch: RecordBatch
  readonly done: (outcome: AppendOutcome) => void
}

export class MemoryLog implements CommitLog {
  readonly #store: MemoryLogStore
  readonly #faults: MemoryFault[] = []
  readonly #waiting: HeldAppend[] = []
  #epoch = 0n

  constructor(store: MemoryLogStore = new MemoryLogStore()) {
    this.#store = store
  }

  /** The next appends meet these, one each. */
  inject(...faults: readonly MemoryFault[]): void {
    this.#faults.push(...faults)
  }

  /** Answers the appends that were held, in their order. */
  settle(): void {
    for (const { batch, done } of this.#waiting.splice(0)) done(this.#isOurs ? { firstSequence: this.#keep(batch) } : { failure: fenced() })
  }

  /** The next host after a crash of this one: appends that were held are answered by nobody, and happened or not. */
  reopen({ heldAre = 'dropped' }: { readonly heldAre?: 'kept' | 'dropped' } = {}): MemoryLog {
    const waiting = this.#waiting.splice(0)
    if (heldAre === 'kept') for (const { batch } of waiting) this.#keep(batch)
    this.#epoch = 0n
    return new MemoryLog(this.#store)
  }

  async acquire(): Promise<LogTenure> {
    const store = this.#store
    store.epoch += 1n
    this.#epoch = store.epoch
    store.nextSequence += BigInt(store.doubtful.length)
    store.frames.push(...store.doubtful)
    store.doubtful = []
    return { epoch: store.epoch, nextSequence: store.nextSequence, heads: headsOf(store.frames).copy(), damage: [] }
  }

  async heartbeat(): Promise<void> {
    this.#assertOurs()
  }

  append(batch: RecordBatch, done: (outcome: AppendOutcome) => void): void {
    assert(batch.count > 0, 'an append has records')
    const fault = this.#isOurs ? this.#faults.shift() : 'fenced'
    switch (fault) {
      case undefined:
      case 'hold':
        this.#waiting.push({ batch, done })
        // Behind one that is held an append waits too.
        if (fault === undefined && this.#waiting.length === 1) this.settle()
        return
      case 'unknown-kept':
        this.#store.doubtful = framesOf(batch, this.#store.nextSequence)
        return done({ failure: unknownOutcome() })
      case 'unknown-dropped':
        return done({ failure: unknownOutcome() })
      case 'failing':
        return done({ failure: new HostError('ERR_STORAGE', 'the commit log could not be written') })
      case 'fenced':
        this.#epoch = 0n
        return done({ failure: fenced() })
    }
  }

  async *read(from: bigint, { database }: { readonly database?: Uint8Array } = {}): AsyncGenerator<readonly LoggedRecord[]> {
    this.#assertOurs()
    const wanted = this.#store.frames
      .map((bytes) => recordOf(bytes, frameOf(bytes)))
      .filter((record) => record.sequence >= from && (database === undefined || Buffer.compare(record.head.database, database) === 0))
    for (let at = 0; at < wanted.length; at += limits.logChunkRecordsMax) yield wanted.slice(at, at + limits.logChunkRecordsMax)
  }

  async check(): Promise<readonly LogDamage[]> {
    this.#assertOurs()
    const chains = new ChainCheck()
    return this.#store.frames.flatMap((bytes) => {
      const record = recordOf(bytes, frameOf(bytes))
      const what = chains.problemOf(record)
      return what === undefined
        ? []
        : [{ file: 'memory', offset: 0, sizeBytes: bytes.length, firstSequence: record.sequence, lastSequence: record.sequence, what }]
    })
  }

  segments(): readonly LogSegment[] {
    this.#assertOurs()
    const { frames, nextSequence } = this.#store
    const whole = frames.length - (frames.length % segmentRecords)
    const starts = Array.from({ length: whole / segmentRecords + 1 }, (_segment, index) => index * segmentRecords)
    return starts.map((start) => {
      const own = frames.slice(start, start + segmentRecords)
      const firstSequence = nextSequence - BigInt(frames.length - start)
      return {
        file: `memory ${firstSequence}`,
        sizeBytes: own.reduce((size, bytes) => size + bytes.length, 0),
        firstSequence,
        lastSequence: firstSequence + BigInt(own.length) - 1n,
        sealedAt: start < whole ? 0n : undefined,
        heads: headsOf(own).copy(),
      }
    })
  }

  async trim(before: bigint): Promise<void> {
    const gone = this.segments().filter((segment) => segment.sealedAt !== undefined && segment.lastSequence < before)
    this.#store.frames.splice(0, gone.length * segmentRecords)
  }

  async erase(database: Uint8Array): Promise<void> {
    this.#assertOurs()
    for (const bytes of this.#store.frames) {
      if (Buffer.compare(recordOf(bytes, frameOf(bytes)).head.database, database) !== 0) continue
      bytes.set(erasure.word, erasure.wordOffset)
      bytes.fill(0, erasure.payloadOffset)
    }
  }

  async release(): Promise<void> {
    this.#epoch = 0n
  }

  get #isOurs(): boolean {
    return this.#epoch !== 0n && this.#epoch === this.#store.epoch
  }

  #assertOurs(): void {
    if (!this.#isOurs) throw fenced()
  }

  /** Gives the first sequence. */
  #keep(batch: RecordBatch): bigint {
    const store = this.#store
    const firstSequence = store.nextSequence
    store.frames.push(...framesOf(batch, firstSequence))
    store.doubtful = []
    store.nextSequence += BigInt(batch.count)
    return firstSequence
  }
}

function framesOf(batch: RecordBatch, firstSequence: bigint): readonly Buffer[] {
  const bytes = Buffer.from(batch.stamp(mark, firstSequence))
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; at += frames.at(-1)?.length ?? 0) {
    const frame = frameAt(bytes, at, mark)
    assert(frame !== undefined, 'a batch is made of frames')
    frames.push(bytes.subarray(at, at + frame.sizeBytes))
  }
  return frames
}

function frameOf(bytes: Buffer): Frame {
  const frame = frameAt(bytes, 0, mark)
  assert(frame !== undefined, 'what was kept is a frame')
  return frame
}

function headsOf(frames: readonly Buffer[]): HeadTable {
  const heads = new HeadTable()
  for (const bytes of frames) {
    const { head, sequence, chainAfter } = recordOf(bytes, frameOf(bytes))
    heads.note(Buffer.from(head.database).toString('hex'), { position: head.position, sequence, chain: chainAfter })
  }
  return heads
}
