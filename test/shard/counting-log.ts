/** A log in memory that says what was appended, and that can be made unreadable. */
import { HostError } from '../../host/errors.ts'
import type { AppendOutcome } from '../../host/log/commit-log.ts'
import { MemoryLog } from '../../host/log/memory-log.ts'
import type { RecordBatch } from '../../host/log/record-batch.ts'

/** Counts the appends, and the records of each. */
export class CountingLog extends MemoryLog {
  readonly appends: number[] = []
  isReadable = true

  override read(...args: Parameters<MemoryLog['read']>): ReturnType<MemoryLog['read']> {
    if (!this.isReadable) throw new HostError('ERR_STORAGE', 'the log does not read')
    return super.read(...args)
  }

  override append(batch: RecordBatch, done: (outcome: AppendOutcome) => void): void {
    this.appends.push(batch.count)
    super.append(batch, done)
  }
}
