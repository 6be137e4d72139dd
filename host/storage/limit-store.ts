/** The limits that an operator has set for a database; the others follow the host's defaults. */
import { changeLimits, defaultLimits, limitNames } from '../database-limits.ts'
import type { DatabaseLimits, LimitChange } from '../database-limits.ts'
import type { DatabaseFile } from './database-file.ts'
import { meta } from './system-tables.ts'

export function loadLimits(file: DatabaseFile): DatabaseLimits {
  const stored = meta(file, 'limits')
  return typeof stored === 'string' ? changeLimits(defaultLimits, JSON.parse(stored) as LimitChange) : defaultLimits
}

/** Only what differs from the defaults, which may change with a release. */
export function storedLimits(limits: DatabaseLimits): string {
  const changed = limitNames.filter((name) => limits[name] !== defaultLimits[name])
  return JSON.stringify(Object.fromEntries(changed.map((name) => [name, limits[name]])))
}
