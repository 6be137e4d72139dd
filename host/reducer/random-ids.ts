/**
 * Ids of tables without an owner: 63 random bits, because a counter would tell each caller how many rows
 * others have, seen or not. They follow from the seed of the call, so that a replay gives the same ones.
 */
import { hash } from 'node:crypto'

export class RandomIds {
  readonly #seed: readonly [bigint, bigint]
  #count = 0n

  constructor(seed: readonly [bigint, bigint]) {
    this.#seed = seed
  }

  /** From 1 to 2^63 − 1. */
  next(): bigint {
    const input = BigUint64Array.of(this.#seed[0], this.#seed[1], this.#count++)
    const id = hash('sha256', input, 'buffer').readBigUInt64LE() >> 1n
    return id === 0n ? this.next() : id
  }
}
