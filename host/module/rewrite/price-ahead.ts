/**
 * How much code lies between a fork and the end of the block around it: what charges.ts decides by
 * whether that code pays for itself. Loops within are left out: they have a site of their own.
 */
import type { DecodedBody } from './decoded-body.ts'
import type { BodyStructure } from './structure.ts'

interface Frame {
  readonly isLoop: boolean
  /** Prices since the block (or the `else`) began. */
  sum: number
  /** Of the arm before the `else`. */
  firstArm: number
  /** Forks in it whose code ahead is not measured yet, each with the sum where it stands. */
  forks: { position: number; sum: number }[]
}

/** By the position of an `if`, `else`, `br_if` or `end`: the price of what follows in its block. */
export function priceAhead({ count, opcodes }: DecodedBody, { live, rounds }: BodyStructure, prices: Uint32Array): Uint32Array {
  const ahead = new Uint32Array(count)
  const frames: Frame[] = [openFrame(false)]
  for (let position = 0; position < count; position += 1) {
    if (live[position] === 0) continue
    const opcode = opcodes[position] ?? 0
    const frame = frames.at(-1)
    if (frame === undefined) break
    frame.sum += prices[position] ?? 0
    switch (opcode) {
      case 0x02:
      case 0x03:
      case 0x04:
        frames.push(openFrame(rounds[position] === 1, opcode === 0x04 ? position : undefined))
        break
      case 0x05:
        measure(frame, ahead)
        frame.firstArm = frame.sum
        frame.sum = 0
        frame.forks = [{ position, sum: 0 }]
        break
      case 0x0b:
        measure(frame, ahead)
        frames.pop()
        closeInto(frames.at(-1), frame, position)
        break
      case 0x0d:
        frame.forks.push({ position, sum: frame.sum })
    }
  }
  return ahead
}

function openFrame(isLoop: boolean, fork?: number): Frame {
  return { isLoop, sum: 0, firstArm: 0, forks: fork === undefined ? [] : [{ position: fork, sum: 0 }] }
}

function measure({ forks, sum }: Frame, ahead: Uint32Array): void {
  for (const fork of forks) ahead[fork.position] = sum - fork.sum
}

/** The end of a block is a fork as well: a branch within may have gone further out. */
function closeInto(outer: Frame | undefined, inner: Frame, position: number): void {
  if (outer === undefined) return
  if (!inner.isLoop) outer.sum += Math.max(inner.sum, inner.firstArm)
  outer.forks.push({ position, sum: outer.sum })
}
