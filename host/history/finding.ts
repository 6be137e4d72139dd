/** What a check says of something that is not as it should be. */

export interface Finding {
  /**
   * `log`: bytes of it; `history`: what can be had of a database's past; `snapshot`, `state`: files that are derived
   * from it; `catalogue`: databases that are not where they should be, or not known.
   */
  readonly part: 'log' | 'history' | 'snapshot' | 'state' | 'catalogue'
  readonly database: string | null
  /** In the data folder. */
  readonly file: string
  readonly offset: number | null
  /** Of the records of the log, the first and the last. */
  readonly sequences: readonly [first: string, last: string] | null
  readonly what: string
  /** What can be done about it, in a line. */
  readonly todo: string
}

/** Most findings are about a whole file of a database. */
export function finding(part: Finding['part'], database: string | null, file: string, what: string, todo: string): Finding {
  return { part, database, file, offset: null, sequences: null, what, todo }
}
