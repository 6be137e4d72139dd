/**
 * A log as somebody reads it who does not hold it: no lock is taken and nothing is changed, and its host may go
 * on writing. It shows what stood in the segments when it was opened. The last batch of a running host may be
 * among that before it is on the disk: whoever must know that a record is durable asks the host.
 */
import type { Micros } from '../clock.ts'
import * as limits from '../limits.ts'
import type { LogDamage, LogSegment } from './commit-log.ts'
import { findLog } from './find-log.ts'
import type { FoundLog } from './find-log.ts'
import { LogFolder } from './log-folder.ts'
import { isMissing, systemFiles } from './log-files.ts'
import type { LogFiles } from './log-files.ts'
import { LogReader } from './log-reader.ts'
import type { LoggedRecord } from './record.ts'

export class LogView {
  /** What opening it saw: the ends of sealed segments and all of the last one. `check` sees the rest. */
  readonly damage: readonly LogDamage[]
  readonly #found: FoundLog
  readonly #reader: LogReader

  private constructor(found: FoundLog, reader: LogReader) {
    this.damage = found.damage
    this.#found = found
    this.#reader = reader
  }

  /** @throws HostError ERR_LOG_DAMAGED for a log that a later version wrote, and what the files throw. */
  static open(folder: string, now: Micros, files: LogFiles = systemFiles): LogView {
    const opened = new LogFolder(files, folder)
    return new LogView(findWhileTrimmed(opened, now), new LogReader(opened))
  }

  /** Oldest first; the last one may still be written to. */
  segments(): readonly LogSegment[] {
    const { segments } = this.#found
    return segments.map(({ name, endOffset, firstSequence, nextSequence, sealedAt, heads }, index) => ({
      file: name,
      sizeBytes: endOffset,
      firstSequence,
      lastSequence: nextSequence - 1n,
      sealedAt: index === segments.length - 1 ? undefined : sealedAt,
      heads: heads.copy(),
    }))
  }

  /** As CommitLog.read. Segments that are forgotten meanwhile are left out. */
  read(from: bigint, { database }: { readonly database?: Uint8Array } = {}): AsyncIterable<readonly LoggedRecord[]> {
    return this.#reader.chunks(this.#found.segments, { from, database: database && Buffer.from(database).toString('hex') })
  }

  /** As CommitLog.check; `onSegment` hears of each segment before it is read. */
  check(onSegment?: (segment: { readonly name: string; readonly endOffset: number }) => void): Promise<readonly LogDamage[]> {
    return this.#reader.damages(this.#found.segments, onSegment)
  }
}

/** The host forgets old segments between a look into the folder and one into its files. */
function findWhileTrimmed(folder: LogFolder, now: Micros): FoundLog {
  for (let tries = 1; ; tries++) {
    try {
      return findLog(folder, now)
    } catch (error) {
      if (!isMissing(error) || tries === limits.logViewTriesMax) throw error
    }
  }
}
