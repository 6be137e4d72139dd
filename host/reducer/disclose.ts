/**
 * Rows that leave the host for an outside provider: a prompt for a model, a transcript for a recogniser. Whoever sends
 * them says so before it does, by the records of the reads that gave it the rows: the disclosure names the same rows,
 * so that the account of one person's disclosures is one query (HIPAA 164.528).
 */
import type { AccessIndex } from '../access-log/access-index.ts'
import { HostError } from '../errors.ts'
import { disclosedReadsMax } from '../limits.ts'
import type { ShardRequest } from '../protocol/shard-protocol.ts'
import type { Database } from './database.ts'

/**
 * In a batch.
 *
 * @throws HostError ERR_REQUEST_MALFORMED for a record that is not there, or is none of this caller's reads: what was not
 *   read cannot be disclosed.
 */
export function disclose(database: Database, index: AccessIndex, { caller, provider, what, turn, reads }: ShardRequest<'disclose'>): void {
  if (reads.length > disclosedReadsMax)
    throw new HostError('ERR_REQUEST_MALFORMED', `a disclosure names at most ${disclosedReadsMax} reads: record it in parts`)
  const who = database.caller(caller)
  const parts = [...new Set(reads)].flatMap((position) => {
    const found = index.touchesOf(BigInt(position), who.sender)
    if (found === undefined) throw new HostError('ERR_REQUEST_MALFORMED', `record ${position} of the access log is no read of this caller`)
    return found
  })
  database.note({ event: 'disclosure', name: provider, outcome: '', who, details: { what, turn, reads: reads.join(' ') }, parts })
}
