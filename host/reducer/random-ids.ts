/**
 * Ids of tables without an owner: 63 random bits, because a counter would tell each caller how many rows
 * others have, seen or not. They follow from the seed of the call, so that a replay gives the same ones.
 */
import { hash } from 'node:crypto'

export class RandomIds {
  readonly #input = Buffer.alloc(24)
  #count = 0n

  constructor(seed: readonly [bigint, bigint]) {
    this.#input.writeBigUInt64LE(seed[0], 0)
    this.#input.writeBigUInt64LE(seed[1], 8)
  }

  /** From 1 to 2^63 − 1. */
  next(): bigint {
    this.#input.writeBigUInt64LE(this.#count++, 16)
    const id = hash('sha256', this.#input, 'buffer').readBigUInt64LE() >> 1n
    return id === 0n ? this.next() : id
  }
}
