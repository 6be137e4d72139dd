/**
 * ctx.random(): xoroshiro128++ 1.0 by David Blackman and Sebastiano Vigna (public domain,
 * https://prng.di.unimi.it/xoroshiro128plusplus.c). Its 128 bits of state are the seed that the host
 * gives each call, so a call that is replayed draws the same numbers.
 */

let s0: u64 = 0;
let s1: u64 = 0;

export function isSeeded(): bool {
  return (s0 | s1) != 0;
}

/** The generator stays at zero from a state of zeros, so that one seed gets a bit. */
export function seedRandom(first: u64, second: u64): void {
  s0 = first | u64((first | second) == 0);
  s1 = second;
}

export function randomU64(): u64 {
  const result = rotl<u64>(s0 + s1, 17) + s0;
  const mixed = s1 ^ s0;
  s0 = rotl<u64>(s0, 49) ^ mixed ^ (mixed << 21);
  s1 = rotl<u64>(mixed, 28);
  return result;
}
