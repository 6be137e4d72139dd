/** The limits that an operator has set for a database; the others follow the host's defaults. */
import { changeLimits, defaultLimits, limitNames } from '../database-limits.ts'
import type { DatabaseLimits, LimitChange } from '../database-limits.ts'
import type { DatabaseFile } from './database-file.ts'
import { meta, setMeta } from './system-tables.ts'

export function loadLimits(file: DatabaseFile): DatabaseLimits {
  const stored = meta(file, 'limits')
  return typeof stored === 'string' ? changeLimits(defaultLimits, JSON.parse(stored) as LimitChange) : defaultLimits
}

export function storeLimits(file: DatabaseFile, limits: DatabaseLimits): void {
  const changed = limitNames.filter((name) => limits[name] !== defaultLimits[name])
  file.transaction(() => setMeta(file, 'limits', JSON.stringify(Object.fromEntries(changed.map((name) => [name, limits[name]])))))
}
