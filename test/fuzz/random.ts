/** Numbers that are the same for the same seed: a finding is named by its seed and index, and found again. */

export class Random {
  #state: number

  constructor(seed: number, index = 0) {
    this.#state = (Math.imul(seed, 0x9e37_79b1) ^ Math.imul(index + 1, 0x85eb_ca6b)) >>> 0
  }

  /** mulberry32 by Tommy Ettinger: 32 bits. */
  u32(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** From 0 up to and without `end`. */
  below(end: number): number {
    return end <= 1 ? 0 : this.u32() % end
  }

  chance(one: number): boolean {
    return this.below(one) === 0
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.below(choices.length)]
    if (chosen === undefined) throw new RangeError('nothing to choose from')
    return chosen
  }

  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.below(256))
  }
}
