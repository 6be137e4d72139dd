/** The context of one call: who, when, by which channel, and the seed of its random numbers. */
import { randomFillSync } from 'node:crypto'

import type { Micros } from '../clock.ts'
import { ASSURANCES } from '../identity.ts'
import type { Assurance } from '../identity.ts'
import type { PackedWriter } from '../packed-bytes.ts'

/** Who calls, in whose name, and what of that is proven. */
export interface Caller {
  /** 32 bytes each. */
  readonly sender: Uint8Array
  readonly actor: Uint8Array
  readonly assurance: Assurance
  readonly channel: string
  readonly claims: Readonly<Record<string, string>>
  /** What it may do that its policies say nothing of. */
  readonly rights?: readonly string[]
  /** Why, and in which conversation: for the access log alone. */
  readonly purpose?: string | undefined
  readonly session?: string | undefined
}

/** What is drawn anew for each call, and all that a call depends on besides its request, its module and the rows. */
export interface CallMoment {
  readonly timestamp: Micros
  readonly seed: readonly [bigint, bigint]
}

export interface CallContext extends Caller, CallMoment {}

const contextVersion = 1

export function packContext(writer: PackedWriter, context: CallContext): void {
  writer.u8(contextVersion)
  writer.u8(ASSURANCES.indexOf(context.assurance))
  writer.raw(context.sender)
  writer.raw(context.actor)
  writer.i64(context.timestamp)
  writer.u64(context.seed[0])
  writer.u64(context.seed[1])
  writer.string(context.channel)
  const claims = Object.entries(context.claims)
  writer.u32(claims.length)
  for (const [name, value] of claims) {
    writer.string(name)
    writer.string(value)
  }
}

/** Drawn 512 at a time: a draw alone costs a microsecond. */
const seeds = new BigUint64Array(1_024)
let seedsUsed = seeds.length

export function drawSeed(): readonly [bigint, bigint] {
  if (seedsUsed === seeds.length) {
    randomFillSync(seeds)
    seedsUsed = 0
  }
  return [seeds[seedsUsed++] ?? 0n, seeds[seedsUsed++] ?? 0n]
}
