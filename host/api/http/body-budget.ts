/**
 * The memory that the bodies of one database's requests may take together, from their first byte to the
 * end of the answer. Bodies are counted as announced, or as the most they can become.
 */
import { HostError } from '../../errors.ts'
import * as limits from '../../limits.ts'

export class BodyBudget {
  readonly #sizesBytes = new Map<string, number>()

  /**
   * Takes a share; the answer gives it back.
   *
   * @throws HostError ERR_BUSY when the database's requests hold too much already.
   */
  take(database: string, sizeBytes: number): () => void {
    const taken = (this.#sizesBytes.get(database) ?? 0) + sizeBytes
    if (taken > limits.bodyBytesPerDatabaseMax) {
      throw new HostError('ERR_BUSY', `the requests to ${database} hold ${limits.bodyBytesPerDatabaseMax} bytes already: send fewer at once`)
    }
    this.#sizesBytes.set(database, taken)
    return () => this.#giveBack(database, sizeBytes)
  }

  #giveBack(database: string, sizeBytes: number): void {
    const left = (this.#sizesBytes.get(database) ?? 0) - sizeBytes
    if (left > 0) this.#sizesBytes.set(database, left)
    else this.#sizesBytes.delete(database)
  }
}
