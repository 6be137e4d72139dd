/**
 * Which values need their NaN made canonical. Arithmetic that gives NaN leaves its sign and payload to
 * the engine, and V8's two compilers differ; only the result of such an instruction may be replaced,
 * since loads, constants and arguments keep every bit by the rules. A result that only other
 * arithmetic, comparisons and conversions see needs nothing: its bits reach nobody. What a module then
 * sees is what it would see if every instruction gave the canonical NaN.
 *
 * A local that is set to nothing but such results is left as it is and made canonical where it is
 * read for more than arithmetic, so that a sum in a loop costs nothing.
 */
import type { ValueType } from '../core-module.ts'
import { blockArity, calledType } from './decoded-body.ts'
import type { DecodedBody } from './decoded-body.ts'
import { stackEffect } from './stack-effect.ts'
import type { BodyStructure } from './structure.ts'

/** By position: 0, or the opcode of the constant type (0x7d f32, 0x7c f64) to make canonical after it. */
export type NanPlan = Uint8Array

const F32 = 0x7d
const F64 = 0x7c

/** Undefined where no instruction of the body can make a NaN. */
export function planNanBits(body: DecodedBody, structure: BodyStructure): NanPlan | undefined {
  const { opcodes, count } = body
  let hasArithmetic = false
  for (let position = 0; position < count && !hasArithmetic; position += 1) hasArithmetic = floatResult(opcodes[position] ?? 0) !== 0
  if (!hasArithmetic) return undefined
  const mixed = new Set<number>()
  new NanWalk(body, structure, mixed, false).walk()
  return new NanWalk(body, structure, mixed, true).walk()
}

/** What is on the stack: bits that must stay, bits that cannot be an open NaN, or the position of who made an open one. */
const EXACT = -1
const CLOSED = -2

interface Frame {
  readonly base: number
  readonly parameters: number
  readonly results: number
  readonly isLoop: boolean
}

class NanWalk {
  readonly #body: DecodedBody
  readonly #live: Uint8Array
  /** Locals that are also set to exact values. Parameters are such. */
  readonly #mixed: Set<number>
  readonly #isFinal: boolean
  readonly #plan: Uint8Array
  readonly #stack: number[] = []
  readonly #frames: Frame[] = []
  readonly #selectTypes = new Map<number, number>()

  constructor(body: DecodedBody, { live }: BodyStructure, mixed: Set<number>, isFinal: boolean) {
    this.#body = body
    this.#live = live
    this.#mixed = mixed
    this.#isFinal = isFinal
    this.#plan = new Uint8Array(body.count)
  }

  walk(): NanPlan {
    const { count, opcodes, type } = this.#body
    this.#frames.push({ base: 0, parameters: 0, results: type.results.length, isLoop: false })
    for (let position = 0; position < count; position += 1) {
      if (this.#live[position] !== 0) this.#step(position, opcodes[position] ?? 0)
    }
    return this.#plan
  }

  #step(position: number, opcode: number): void {
    if (opcode < 0x20) return this.#control(position, opcode)
    const made = floatResult(opcode)
    if (made !== 0) {
      this.#pop(arithmeticOperands(opcode))
      this.#stack.push(position)
      return
    }
    switch (opcode) {
      case 0x20:
        this.#stack.push(this.#read(position))
        return
      case 0x43:
      case 0x44:
        this.#stack.push(this.#isNanConstant(position, opcode) ? EXACT : CLOSED)
        return
      case 0x21:
        return this.#write(position, this.#stack.pop() ?? EXACT)
      case 0x22:
        return this.#write(position, this.#stack.at(-1) ?? EXACT)
      case 0x8b: // f32.abs and f64.abs: the absolute value of an open NaN is one
      case 0x99:
        return this.#pass(position)
      default:
        return this.#other(opcode)
    }
  }

  /** Everything else takes exact bits (stores, globals, neg, copysign, reinterpretation) or does not care. */
  #other(opcode: number): void {
    const takesBits =
      (opcode >= 0x36 && opcode <= 0x3e) ||
      opcode === 0x24 ||
      opcode === 0x8c ||
      opcode === 0x9a ||
      opcode === 0x98 ||
      opcode === 0xa6 ||
      opcode === 0xbc ||
      opcode === 0xbd
    const operands = operandCount(opcode)
    for (let left = operands; left > 0; left -= 1) {
      const operand = this.#stack.pop() ?? EXACT
      if (takesBits) this.#close(operand)
    }
    const pushed = stackEffect(opcode) + operands
    if (pushed > 0) this.#stack.push(isClosedResult(opcode) ? CLOSED : EXACT)
  }

  #control(position: number, opcode: number): void {
    switch (opcode) {
      case 0x04:
        this.#stack.pop()
        return this.#open(position)
      case 0x02:
      case 0x03:
        return this.#open(position)
      case 0x05:
      case 0x0b:
        return this.#end(opcode)
      case 0x0d:
        this.#stack.pop()
        return this.#closeLabel(this.#body.indices[position] ?? 0)
      case 0x0c:
        return this.#closeLabel(this.#body.indices[position] ?? 0)
      case 0x0e:
        this.#stack.pop()
        return this.#closeLabel(this.#body.labels.get(position)?.at(-1) ?? 0)
      case 0x0f:
        return this.#closeTop(this.#body.type.results.length)
      case 0x11:
        this.#stack.pop()
        return this.#call(position)
      case 0x10:
        return this.#call(position)
      case 0x1a:
        this.#stack.pop()
        return
      case 0x1b:
        return this.#select(position)
    }
  }

  #open(position: number): void {
    const { parameters, results } = blockArity(this.#body, position)
    this.#closeTop(parameters)
    this.#frames.push({ base: this.#stack.length - parameters, parameters, results, isLoop: this.#body.opcodes[position] === 0x03 })
    for (let at = this.#stack.length - parameters; at < this.#stack.length; at += 1) this.#stack[at] = EXACT
  }

  #end(opcode: number): void {
    const frame = this.#frames.at(-1)
    if (frame === undefined) return
    this.#closeTop(Math.min(frame.results, this.#stack.length - frame.base))
    if (opcode === 0x0b) this.#frames.pop()
    const height = opcode === 0x0b ? frame.results : frame.parameters
    this.#stack.length = Math.min(this.#stack.length, frame.base)
    for (let left = height; left > 0; left -= 1) this.#stack.push(EXACT)
  }

  /** Values that leave by a branch meet values of other ways. All labels of a table take the same. */
  #closeLabel(label: number): void {
    const frame = this.#frames.at(-1 - label)
    if (frame !== undefined) this.#closeTop(frame.isLoop ? frame.parameters : frame.results)
  }

  #closeTop(count: number): void {
    for (let at = this.#stack.length - count; at < this.#stack.length; at += 1) this.#closeAt(at)
  }

  #call(position: number): void {
    const { parameters, results } = calledType(this.#body, position)
    for (let left = parameters.length; left > 0; left -= 1) this.#close(this.#stack.pop() ?? EXACT)
    for (let left = results.length; left > 0; left -= 1) this.#stack.push(EXACT)
  }

  #select(position: number): void {
    this.#stack.pop()
    const right = this.#stack.pop() ?? EXACT
    const left = this.#stack.pop() ?? EXACT
    if (left !== EXACT && right !== EXACT) {
      const isClosed = left === CLOSED && right === CLOSED
      this.#stack.push(isClosed ? CLOSED : position)
      this.#selectTypes.set(position, this.#typeOf(Math.max(left, right)))
      return
    }
    this.#close(left)
    this.#close(right)
    this.#stack.push(EXACT)
  }

  #pass(position: number): void {
    const operand = this.#stack.pop() ?? EXACT
    this.#stack.push(operand >= 0 ? position : operand)
  }

  #read(position: number): number {
    const local = this.#body.indices[position] ?? 0
    return this.#isFinal && this.#isOpen(local) ? position : EXACT
  }

  /** local.set has taken its value from the stack, local.tee has left it there. */
  #write(position: number, value: number): void {
    const local = this.#body.indices[position] ?? 0
    if (!this.#isFinal) {
      if (value === EXACT) this.#mixed.add(local)
    } else if (!this.#isOpen(local)) {
      this.#close(value)
      if (value >= 0 && this.#body.opcodes[position] === 0x22) this.#stack[this.#stack.length - 1] = CLOSED
    }
  }

  /** Whether the local may hold an open NaN, because nothing but arithmetic ever sets it. */
  #isOpen(local: number): boolean {
    const type = this.#body.localTypes[local]
    return (type === 'f32' || type === 'f64') && local >= this.#body.type.parameters.length && !this.#mixed.has(local)
  }

  #pop(count: number): void {
    for (let left = count; left > 0; left -= 1) this.#stack.pop()
  }

  #closeAt(at: number): void {
    const value = this.#stack[at] ?? EXACT
    if (value < 0) return
    this.#close(value)
    this.#stack[at] = CLOSED
  }

  #close(value: number): void {
    if (value >= 0) this.#plan[value] = this.#typeOf(value)
  }

  #isNanConstant(position: number, opcode: number): boolean {
    const { module, offsets } = this.#body
    const words = new DataView(module.bytes.buffer, module.bytes.byteOffset + (offsets[position] ?? 0) + 1)
    return Number.isNaN(opcode === 0x43 ? words.getFloat32(0, true) : words.getFloat64(0, true))
  }

  /** The type of what the instruction at `position` leaves open. */
  #typeOf(position: number): number {
    const { opcodes, indices, localTypes } = this.#body
    const opcode = opcodes[position] ?? 0
    if (opcode === 0x20) return valueTypeCode(localTypes[indices[position] ?? 0])
    if (opcode === 0x8b) return F32
    if (opcode === 0x99) return F64
    return opcode === 0x1b ? (this.#selectTypes.get(position) ?? 0) : floatResult(opcode)
  }
}

function valueTypeCode(type: ValueType | undefined): number {
  return type === 'f32' ? F32 : F64
}

/** F32 or F64 for an instruction whose NaN has bits that the engine chooses, otherwise 0. */
function floatResult(opcode: number): number {
  if ((opcode >= 0x8d && opcode <= 0x97) || opcode === 0xb6) return F32
  if ((opcode >= 0x9b && opcode <= 0xa5) || opcode === 0xbb) return F64
  return 0
}

function arithmeticOperands(opcode: number): number {
  return (opcode >= 0x92 && opcode <= 0x97) || (opcode >= 0xa0 && opcode <= 0xa5) ? 2 : 1
}

/** Constants may be NaN with a payload; what comes from an integer never is one. */
function isClosedResult(opcode: number): boolean {
  return (opcode >= 0xb2 && opcode <= 0xb5) || (opcode >= 0xb7 && opcode <= 0xba)
}

function operandCount(opcode: number): number {
  const effect = stackEffect(opcode)
  if (effect === -2) return 2
  if (effect === -3) return 3
  if (effect === -1) return opcode === 0x24 ? 1 : 2
  return effect === 1 ? 0 : 1
}
