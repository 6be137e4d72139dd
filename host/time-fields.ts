/** The parts of a time that statements can ask for (docs/sql.md), by PostgreSQL's names. */
export const TRUNCATED: ReadonlySet<string> = new Set(['microseconds', 'milliseconds', 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'])
export const EXTRACTED: ReadonlySet<string> = new Set(['year', 'quarter', 'month', 'week', 'day', 'dow', 'isodow', 'doy', 'hour', 'minute', 'second', 'epoch'])
