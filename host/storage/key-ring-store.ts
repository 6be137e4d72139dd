/** The keys with which a file's owner signs tokens: kept in the file itself, so that they travel with it. */
import type { KeyRing } from '../auth/signing-key.ts'
import type { DatabaseFile } from './database-file.ts'
import { meta } from './system-tables.ts'

/** The stored ring; undefined in a database that is being made. */
export function loadKeyRing(file: DatabaseFile): KeyRing | undefined {
  const stored = meta(file, 'key_ring')
  return typeof stored === 'string' ? (JSON.parse(stored) as KeyRing) : undefined
}
