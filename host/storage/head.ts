/** Up to which record of its history a file has come: changed in the same transaction as the rows. */
import { HostError } from '../errors.ts'
import type { DatabaseFile } from './database-file.ts'

export interface Head {
  /** Counts the records of this database from 1; 0 before the first. */
  readonly position: bigint
  /** What the next record is chained to (docs/log-format.md). */
  readonly chain: Uint8Array
  /** Of the last record: the time of a database never goes back. */
  readonly timestamp: bigint
}

export function loadHead(file: DatabaseFile): Head {
  const row = file.statement('SELECT position, chain, timestamp FROM _head').row([])
  const [position, chain, timestamp] = row ?? []
  if (typeof position !== 'bigint' || typeof timestamp !== 'bigint' || !(chain instanceof Uint8Array)) {
    throw new HostError('ERR_STORAGE', 'the file does not say which record it has come to: it is damaged')
  }
  return { position, chain, timestamp }
}

export function storeHead(file: DatabaseFile, { position, chain, timestamp }: Head): void {
  file
    .statement(
      'INSERT INTO _head (one, position, chain, timestamp) VALUES (1, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET position = excluded.position, chain = excluded.chain, timestamp = excluded.timestamp',
    )
    .run([position, chain, timestamp])
}
