/** The keys with which a file's owner signs tokens: kept in the file itself, so that they travel with it. */
import { newKeyRing } from '../auth/signing-key.ts'
import type { KeyRing } from '../auth/signing-key.ts'
import type { DatabaseFile } from './database-file.ts'
import { meta, setMeta } from './system-tables.ts'

/** The stored ring, made at the first opening. */
export function loadKeyRing(file: DatabaseFile): KeyRing {
  const stored = meta(file, 'key_ring')
  if (typeof stored === 'string') return JSON.parse(stored) as KeyRing
  const made = newKeyRing()
  storeKeyRing(file, made)
  return made
}

export function storeKeyRing(file: DatabaseFile, ring: KeyRing): void {
  file.transaction(() => setMeta(file, 'key_ring', JSON.stringify(ring)))
}
