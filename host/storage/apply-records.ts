/** Brings a file along its history. */
import type { LoggedRecord } from '../log/record.ts'
import type { DatabaseFile } from './database-file.ts'
import { RecordApplier } from './record-applier.ts'

export interface ApplyOptions {
  /** The last record to apply. */
  readonly until?: bigint | undefined
  /** They are kept, and left to the next commit of the file. */
  readonly isKept?: boolean
}

/**
 * Applies what follows the file's own position, and passes over what it has already.
 *
 * @returns how many records were applied.
 * @throws HostError ERR_LOG_DAMAGED when a record is missing, was erased or does not read.
 */
export async function applyRecords(
  file: DatabaseFile,
  records: AsyncIterable<readonly LoggedRecord[]>,
  { until, isKept = false }: ApplyOptions = {},
): Promise<number> {
  const applier = new RecordApplier(file)
  const start = applier.position
  for await (const chunk of records) {
    const next = chunk.filter(({ head }) => head.position > applier.position && (until === undefined || head.position <= until))
    if (next.length > 0) applier.apply(next, isKept)
    if (applier.position === until) break
  }
  return Number(applier.position - start)
}
