/**
 * The shape of one function body: which instructions can run at all, how high its stack gets, where
 * its blocks end and whom it calls. Code after a branch up to the block's end is dead by the rules of
 * validation; the rewriter drops it, and no later phase needs to think about it.
 */
import { isBlockStart } from '../instructions.ts'
import { blockArity, calledType } from './decoded-body.ts'
import type { DecodedBody } from './decoded-body.ts'
import { stackEffect } from './stack-effect.ts'

export interface BodyStructure {
  /** 1 for an instruction that stays. */
  readonly live: Uint8Array
  /** By the position of a block, loop or if: the position of its `end`. */
  readonly ends: Uint32Array
  /** 1 at the position of a loop that some branch goes back to; others are blocks. */
  readonly rounds: Uint8Array
  /** Operands on the stack at most, with those of calls and the results that they leave. */
  readonly heightMax: number
  /** Functions called directly, by index, each once. */
  readonly callees: ReadonlySet<number>
  readonly callsIndirectly: boolean
  readonly hasRounds: boolean
  /** memory.grow, memory.copy or memory.fill: what they cost shows only when they run. */
  readonly hasSizedWork: boolean
}

interface Frame {
  readonly position: number
  readonly base: number
  readonly parameters: number
  readonly results: number
}

export function analyseStructure(body: DecodedBody): BodyStructure {
  return new StructureWalk(body).walk()
}

class StructureWalk {
  readonly #body: DecodedBody
  readonly #live: Uint8Array
  readonly #ends: Uint32Array
  readonly #rounds: Uint8Array
  readonly #callees = new Set<number>()
  readonly #frames: Frame[] = []
  #height = 0
  #heightMax = 0
  #isReachable = true
  /** Blocks opened in dead code. */
  #deadBlocks = 0
  #callsIndirectly = false
  #hasRounds = false
  #hasSizedWork = false

  constructor(body: DecodedBody) {
    this.#body = body
    this.#live = new Uint8Array(body.count)
    this.#ends = new Uint32Array(body.count)
    this.#rounds = new Uint8Array(body.count)
  }

  walk(): BodyStructure {
    const { count, opcodes, type } = this.#body
    this.#frames.push({ position: -1, base: 0, parameters: 0, results: type.results.length })
    for (let position = 0; position < count; position += 1) {
      const opcode = opcodes[position] ?? 0
      if (!this.#isReachable && this.#isDead(opcode)) continue
      this.#live[position] = 1
      this.#step(position, opcode)
      if (this.#height > this.#heightMax) this.#heightMax = this.#height
    }
    return {
      live: this.#live,
      ends: this.#ends,
      rounds: this.#rounds,
      heightMax: this.#heightMax,
      callees: this.#callees,
      callsIndirectly: this.#callsIndirectly,
      hasRounds: this.#hasRounds,
      hasSizedWork: this.#hasSizedWork,
    }
  }

  /** Only the `else` and `end` of a block that was live at its start bring code to life again. */
  #isDead(opcode: number): boolean {
    if (isBlockStart(opcode)) this.#deadBlocks += 1
    else if (opcode === 0x0b && this.#deadBlocks > 0) this.#deadBlocks -= 1
    else if (opcode === 0x0b || opcode === 0x05) return this.#deadBlocks > 0
    return true
  }

  #step(position: number, opcode: number): void {
    switch (opcode) {
      case 0x02:
      case 0x03:
        return this.#open(position)
      case 0x04:
        this.#height -= 1
        return this.#open(position)
      case 0x05:
        return this.#turn()
      case 0x0b:
        return this.#close(position)
      case 0x0c:
      case 0x0e:
        this.#markRounds(position, opcode)
        this.#isReachable = false
        return
      case 0x0d:
        this.#markRounds(position, opcode)
        this.#height -= 1
        return
      case 0x00:
      case 0x0f:
        this.#isReachable = false
        return
      case 0x10:
        this.#callees.add(this.#body.indices[position] ?? 0)
        return this.#call(position)
      case 0x11:
        this.#callsIndirectly = true
        this.#height -= 1
        return this.#call(position)
      default:
        this.#hasSizedWork ||= opcode === 0x40 || opcode >= 0xfc0a
        this.#height += stackEffect(opcode)
    }
  }

  #markRounds(position: number, opcode: number): void {
    const { labels, indices, opcodes } = this.#body
    for (const label of opcode === 0x0e ? (labels.get(position) ?? []) : [indices[position] ?? 0]) {
      const target = this.#frames.at(-1 - label)?.position ?? -1
      if (target < 0 || opcodes[target] !== 0x03) continue
      this.#rounds[target] = 1
      this.#hasRounds = true
    }
  }

  #open(position: number): void {
    const { parameters, results } = blockArity(this.#body, position)
    this.#frames.push({ position, base: this.#height - parameters, parameters, results })
  }

  #turn(): void {
    const frame = this.#frames.at(-1)
    this.#height = frame === undefined ? 0 : frame.base + frame.parameters
    this.#isReachable = true
  }

  #close(position: number): void {
    const frame = this.#frames.pop()
    if (frame === undefined) return
    if (frame.position >= 0) this.#ends[frame.position] = position
    this.#height = frame.base + frame.results
    this.#isReachable = true
  }

  #call(position: number): void {
    const { parameters, results } = calledType(this.#body, position)
    this.#height += results.length - parameters.length
  }
}
