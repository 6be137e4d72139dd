/**
 * Follows the chain of each database through the records of a log. A record that is missing where no damage was
 * found, or that does not go on where the one before it ended, was changed by somebody who knew how.
 */
import type { LogDamage, LogHead } from './commit-log.ts'
import { firstChain } from './record.ts'
import type { LoggedRecord } from './record.ts'

export class ChainCheck {
  readonly #ends = new Map<string, { readonly position: bigint; readonly chain: Uint8Array }>()
  /** Whose records are known to be lost since their last one; `undefined` is anybody's. */
  readonly #damaged = new Set<string | undefined>()

  /** After a damage a database's positions may jump. */
  noteDamage({ database }: Pick<LogDamage, 'database'>): void {
    if (database === undefined) this.#ends.clear()
    else this.#ends.delete(database)
    this.#damaged.add(database)
  }

  /** What is wrong with the next record of the log, if anything is. */
  problemOf({ head, chainBefore, chainAfter }: LoggedRecord): string | undefined {
    const database = Buffer.from(head.database).toString('hex')
    const end = this.#ends.get(database)
    this.#ends.set(database, { position: head.position, chain: chainAfter })
    if (end !== undefined && head.position !== end.position + 1n) return `after position ${end.position} of its database comes ${head.position}`
    // What came before the first record that the log still has is for a snapshot to say.
    const expected = head.position === 1n ? firstChain(head.database) : end?.chain
    return expected === undefined || Buffer.compare(chainBefore, expected) === 0 ? undefined : 'its chain does not go on from the record before it'
  }

  /** What is wrong with the end of a database. */
  problemOfHead(database: string, { position, chain }: LogHead): string | undefined {
    const end = this.#ends.get(database)
    if (end === undefined) return this.#damaged.has(database) || this.#damaged.has(undefined) ? undefined : 'all its records are missing'
    return end.position === position && Buffer.compare(end.chain, chain) === 0 ? undefined : `its last position should be ${position} and is ${end.position}`
  }
}
