/**
 * Looks at every byte of the access log of a data folder, with or without its host, and names what is not as it was
 * written: in frames, payloads, chains, in the segments' own books, and in bytes that mean nothing and must be zero.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

import type { Micros } from '../clock.ts'
import { HostError } from '../errors.ts'
import type { LogDamage } from '../log/commit-log.ts'
import { findLog } from '../log/find-log.ts'
import type { FoundLog } from '../log/find-log.ts'
import { payloadOffset, recordOf } from '../log/frame.ts'
import { LogFolder } from '../log/log-folder.ts'
import { readAll, systemFiles } from '../log/log-files.ts'
import type { LogFile } from '../log/log-files.ts'
import { parseSegmentName, rangeOf } from '../log/segment.ts'
import type { SealedSegment } from '../log/segment.ts'
import { walk } from '../log/segment-walk.ts'
import type { FrameStep } from '../log/segment-walk.ts'
import { segmentZeros } from '../log/segment-header.ts'
import { ChainFollower } from './chain-follower.ts'
import type { AccessProblem } from './chain-follower.ts'
import type { Checkpoint } from './checkpoint.ts'

export interface VerifiedDatabase {
  /** Hex of the uid. */
  readonly database: string
  readonly records: number
  readonly last: string
  readonly chain: string
}

export interface FolderVerdict {
  readonly databases: readonly VerifiedDatabase[]
  readonly sizeBytes: number
  readonly problems: readonly AccessProblem[]
}

export interface VerifyOptions {
  readonly now: Micros
  readonly checkpoints?: readonly Checkpoint[]
  /** Hex of the uids that are no more: what their records said may be erased. */
  readonly isDropped: (database: string) => boolean
  readonly onProgress?: (line: string) => void
}

/** `folders` are those of the lanes. @throws HostError ERR_LOG_DAMAGED for a log of a later version, and what the files throw. */
export async function verifyFolders(folders: readonly string[], options: VerifyOptions): Promise<FolderVerdict> {
  const verifier = new FolderVerifier(options)
  for (const folder of folders) await verifier.folder(folder)
  return verifier.verdict()
}

class FolderVerifier {
  readonly #options: VerifyOptions
  readonly #problems: AccessProblem[] = []
  readonly #chains = new Map<string, ChainFollower>()
  #sizeBytes = 0

  constructor(options: VerifyOptions) {
    this.#options = options
  }

  async folder(path: string): Promise<void> {
    const folder = new LogFolder(systemFiles, path)
    const found = findLog(folder, this.#options.now)
    for (const damage of found.damage) this.#damage(damage)
    this.#emptySegments(folder, found)
    for (const [index, segment] of found.segments.entries()) {
      this.#options.onProgress?.(`${segment.name}: ${index + 1} of ${found.segments.length}`)
      folder.within(segment.name, 'read', (file) => this.#segment(segment, file))
      await nextTurn()
    }
    for (const [database, head] of found.heads.copy()) this.#end(database, head.position)
  }

  verdict(): FolderVerdict {
    const { checkpoints = [] } = this.#options
    const known = new Set(this.#chains.keys())
    const unknown = checkpoints.filter(({ database }) => !known.has(database))
    return {
      databases: [...this.#chains].map(([database, { records, last, chain }]) => ({ database, records, last: String(last), chain })),
      sizeBytes: this.#sizeBytes,
      problems: [
        ...this.#problems,
        ...[...this.#chains.values()].flatMap(({ problems }) => problems),
        ...unknown.map(({ database, position }) => ({
          where: 'the end',
          position,
          what: `the checkpoint is of a database ${database}, of which there is no record`,
        })),
      ],
    }
  }

  /** Segments without records have a header all the same. */
  #emptySegments(folder: LogFolder, { segments }: FoundLog): void {
    const known = new Set(segments.map(({ name }) => name))
    for (const name of folder.names()) {
      if (parseSegmentName(name) !== undefined && !known.has(name)) folder.within(name, 'read', (file) => this.#zeros(name, file, file.sizeBytes))
    }
  }

  #segment(segment: SealedSegment, file: LogFile): void {
    this.#sizeBytes += segment.endOffset
    this.#zeros(segment.name, file, segment.endOffset)
    const range = rangeOf(segment, file)
    if (range === undefined) return
    for (const step of walk(range)) {
      if (step.kind === 'gap') {
        const { offset, firstSequence, lastSequence } = step
        this.#find(segment.name, offset, null, `bytes that are no records of this log, where records ${firstSequence} to ${lastSequence} were`)
      } else this.#frame(segment.name, step)
    }
  }

  #frame(name: string, step: FrameStep): void {
    const { frame, bytes, offset } = step
    try {
      const record = { ...recordOf(bytes, frame) }
      const database = Buffer.from(record.head.database).toString('hex')
      const where = `${name}, offset ${offset}`
      this.#chain(database).follow(record, where)
      if (frame.isErased && !this.#options.isDropped(database))
        this.#find(name, offset, record.head.position, 'what it says was erased, and its database was not dropped')
      this.#meaningless(name, step, record.head.position)
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      this.#find(name, offset, null, error.message)
    }
  }

  /** Bytes of a frame that no checksum covers. */
  #meaningless(name: string, { frame, bytes, offset }: FrameStep, position: bigint): void {
    const word = bytes.readUInt32LE(erasedWordOffset)
    if (word !== 0 && !frame.isErased) this.#find(name, offset, position, 'the word that says whether it is erased is neither')
    const end = payloadOffset + frame.payloadBytes
    if (bytes.subarray(end, frame.sizeBytes).some((byte) => byte !== 0)) this.#find(name, offset + end, position, 'bytes between two records are not zero')
    if (frame.isErased && bytes.subarray(payloadOffset, end).some((byte) => byte !== 0))
      this.#find(name, offset, position, 'it is erased, and some of it is still there')
  }

  #zeros(name: string, file: LogFile, endOffset: number): void {
    for (const { offset, sizeBytes } of segmentZeros(file)) {
      const bytes = readAll(file, Buffer.alloc(Math.max(0, Math.min(sizeBytes, endOffset - offset))), offset)
      if (bytes.some((byte) => byte !== 0)) this.#find(name, offset, null, 'bytes of the header that must be zero are not')
    }
  }

  #end(database: string, position: bigint): void {
    const { last } = this.#chain(database)
    if (last !== position)
      this.#find('the end', 0, position, `the segments' books say that ${database} came to position ${position}, and its last record is ${last}`)
  }

  #chain(database: string): ChainFollower {
    const known = this.#chains.get(database)
    if (known !== undefined) return known
    const { checkpoints = [] } = this.#options
    const made = new ChainFollower(checkpoints.filter((one) => one.database === database))
    this.#chains.set(database, made)
    return made
  }

  #damage({ file, offset, firstSequence, lastSequence, what }: LogDamage): void {
    const records = lastSequence < firstSequence ? '' : ` (records ${firstSequence} to ${lastSequence} of the log)`
    this.#find(file, offset, null, `${what}${records}`)
  }

  #find(name: string, offset: number, position: bigint | null, what: string): void {
    this.#problems.push({ where: `${name}, offset ${offset}`, position: position === null ? null : String(position), what })
  }
}

const erasedWordOffset = 8
