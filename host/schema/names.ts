/**
 * What a table, column, reducer or record may be called. The compiler's transform refuses a bad name
 * while its author types; a publish checks it again, because a component can come from anywhere.
 */

/** PostgreSQL folds case and clients quote nothing, so a name is lower case and fits its 63 bytes. */
const NAME = /^[a-z][a-z0-9_]{0,62}$/

/**
 * The words that PostgreSQL 18 reserves: "reserved" and "reserved (can be function or type)" in
 * appendix C of its manual. A column of such a name could not be written without quotes.
 */
export const RESERVED_WORDS: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric both case cast check collate column constraint
  create current_catalog current_date current_role current_time current_timestamp current_user default
  deferrable desc distinct do else end except false fetch for foreign from grant group having in
  initially intersect into lateral leading limit localtime localtimestamp not null offset on only or
  order placing primary references returning select session_user some symmetric system_user table then
  to trailing true union unique user using variadic when where window with
  authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull
  join left like natural notnull outer overlaps right similar tablesample verbose`.split(/\s+/),
)

/** SQLite makes no table of a name that begins with this. */
export const RESERVED_PREFIX = 'sqlite_'

/** What the host itself shows beside a module's tables. */
export const ACCESS_LOG_TABLE = 'access_log'

/** A name that can stand in SQL without quotes: tables, columns, reducers, records and their fields. */
export function isName(text: string): boolean {
  return isParameterName(text) && !RESERVED_WORDS.has(text) && !text.startsWith(RESERVED_PREFIX)
}

/** A parameter's name never stands in SQL, so `limit` and `user` are fine there. */
export function isParameterName(text: string): boolean {
  return NAME.test(text)
}

/** `rememberTurn` → `remember_turn`, `HTTPCall` → `http_call`. What is snake_case stays as it is. */
export function snakeCase(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
}
