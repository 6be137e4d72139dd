/** One random function: statements and expressions by type, written as they are drawn. */
import { BinaryWriter } from '../../host/module/rewrite/binary-writer.ts'
import type { FunctionType, ValueType } from '../../host/module/core-module.ts'
import type { Random } from '../fuzz/random.ts'
import { CODES } from './generate-module.ts'
import type { HostFunction, ModuleShape } from './generate-module.ts'
import { UNARY, BINARY, COMPARES, CONVERSIONS, LOADS, STORES, makesNan, mayTrap, saturating } from './opcodes-by-type.ts'

export function generateBody(random: Random, shape: ModuleShape, index: number): Uint8Array {
  return new BodyGenerator(random, shape, index).generate()
}

const TYPES: readonly ValueType[] = ['i32', 'i64', 'f32', 'f64']
/** Counters of loops, one for each depth, and then the scratch locals that close a NaN. */
const COUNTERS = 4
const DEPTH_MAX = 5
/** How many of the host's functions, the last ones, are called as rarely as what traps. */
const ENDS = 2

const ZERO_ALIGN_CONSTANTS = { i32: [0, 1, -1, 2, 255, 65_535, 0x7fff_ffff, -0x8000_0000] } as const

class BodyGenerator {
  readonly #random: Random
  readonly #shape: ModuleShape
  readonly #index: number
  readonly #type: FunctionType
  readonly #code = new BinaryWriter(1_024)
  /** Of parameters and plain locals. */
  readonly #locals: readonly ValueType[]
  readonly #firstCounter: number
  /** What each enclosing label takes; undefined for a loop, to which only its own end goes back. */
  readonly #labels: (readonly ValueType[] | undefined)[] = []
  #loops = 0
  /** A few calls a function, and none deep in loops: the number of calls grows with the power of functions. */
  #callsLeft = 2
  #depth = 0
  /** Instructions left: keeps a body small whatever is drawn. */
  #budget = 150

  constructor(random: Random, shape: ModuleShape, index: number) {
    this.#random = random
    this.#shape = shape
    this.#index = index
    this.#type = shape.functions[index] as FunctionType
    this.#locals = [...this.#type.parameters, ...TYPES, ...TYPES, random.pick(TYPES)]
    this.#firstCounter = this.#locals.length
  }

  generate(): Uint8Array {
    this.#labels.push(this.#type.results)
    for (let left = this.#random.below(6); left >= 0; left -= 1) this.#statement()
    for (const type of this.#type.results) this.#expression(type)
    this.#code.u8(0x0b)
    const own = this.#locals.slice(this.#type.parameters.length)
    const writer = new BinaryWriter(this.#code.sizeBytes + 64).u32(own.length + 3)
    for (const type of own) writer.u32(1).u8(CODES[type])
    writer.u32(COUNTERS).u8(CODES.i32).u32(1).u8(CODES.f32).u32(1).u8(CODES.f64)
    return writer.bytes(this.#code.view()).toBytes()
  }

  #statement(): void {
    this.#budget -= 1
    if (this.#budget < 0 || this.#depth > DEPTH_MAX) return this.#assign()
    this.#depth += 1
    this.#drawStatement()
    this.#depth -= 1
  }

  #drawStatement(): void {
    switch (this.#random.below(14)) {
      case 0:
      case 1:
        return this.#store()
      case 2:
        return this.#loop()
      case 3:
      case 4:
        return this.#if()
      case 5:
        return this.#block()
      case 6:
        return this.#branchIf()
      case 7:
        return this.#shape.host.length > 0 && !this.#isQuiet && this.#random.chance(2) ? this.#hostCall() : this.#call()
      case 8:
        return this.#random.chance(3) ? this.#jump() : this.#assign()
      case 9:
        return this.#bulk()
      case 10:
        return this.#setGlobal()
      case 11:
        return this.#table()
      case 12: {
        this.#expression(this.#random.pick(TYPES))
        this.#code.u8(0x1a)
        return
      }
      default:
        return this.#assign()
    }
  }

  #assign(): void {
    const local = this.#random.below(this.#locals.length)
    this.#expression(this.#locals[local] as ValueType)
    this.#code.u8(0x21).u32(local)
  }

  #setGlobal(): void {
    const global = this.#random.below(this.#shape.globals.length)
    this.#expression(this.#shape.globals[global] as ValueType)
    this.#code.u8(0x24).u32(global)
  }

  #store(): void {
    const type = this.#random.pick(TYPES)
    this.#address()
    this.#expression(type)
    this.#code.u8(this.#random.pick(STORES[type])).u8(0).u32(this.#random.below(64))
  }

  get #isQuiet(): boolean {
    return this.#shape.quiet.includes(this.#index)
  }

  /** Whether to leave to chance what would mostly trap. */
  #isLeft(times = 1): boolean {
    return this.#random.chance(this.#shape.trapsIn * times)
  }

  /** Mostly inside the first page; now and then anywhere. */
  #address(): void {
    this.#expression('i32')
    if (!this.#isLeft(3)) this.#code.u8(0x41).s32(0x7fff).u8(0x71)
  }

  #loop(): void {
    if (this.#loops === COUNTERS) return this.#assign()
    const counter = this.#firstCounter + this.#loops
    this.#loops += 1
    this.#code
      .u8(0x41)
      .s32(1 + this.#random.below(4))
      .u8(0x21)
      .u32(counter)
      .u8(0x03, 0x40)
    this.#labels.push(undefined)
    for (let left = this.#random.below(3); left >= 0; left -= 1) this.#statement()
    this.#code.u8(0x20).u32(counter).u8(0x41, 1, 0x6b, 0x22).u32(counter).u8(0x0d, 0x00)
    this.#labels.pop()
    this.#code.u8(0x0b)
    this.#loops -= 1
  }

  #if(): void {
    this.#expression('i32')
    this.#code.u8(0x04, 0x40)
    this.#labels.push([])
    this.#statements()
    if (this.#random.chance(2)) {
      this.#code.u8(0x05)
      this.#statements()
    }
    this.#labels.pop()
    this.#code.u8(0x0b)
  }

  /** Now and then a loop that nothing goes back to, which is a block. */
  #block(): void {
    const isLoop = this.#random.chance(3)
    this.#code.u8(isLoop ? 0x03 : 0x02, 0x40)
    this.#labels.push(isLoop ? undefined : [])
    this.#statements()
    this.#labels.pop()
    this.#code.u8(0x0b)
  }

  /** Now and then with a way out in the middle, so that the rest is dead, up to an `else` or an `end`. */
  #statements(): void {
    if (this.#random.chance(8)) this.#wayOut()
    for (let left = this.#random.below(3); left >= 0; left -= 1) this.#statement()
  }

  #branchIf(): void {
    const label = this.#label()
    const types = this.#labels[this.#labels.length - 1 - label] ?? []
    for (const type of types) this.#expression(type)
    this.#expression('i32')
    this.#code.u8(0x0d).u32(label)
    for (const _type of types) this.#code.u8(0x1a)
  }

  /** A way out in a block of its own, so that what follows is alive and the counters of loops are counted. */
  #jump(): void {
    this.#code.u8(0x02, 0x40)
    this.#labels.push([])
    this.#wayOut()
    if (this.#random.chance(2)) this.#statements()
    this.#labels.pop()
    this.#code.u8(0x0b)
  }

  #wayOut(): void {
    const kind = this.#random.below(12)
    if (kind === 0 && this.#isLeft()) this.#code.u8(0x00)
    else if (kind < 3) {
      for (const type of this.#type.results) this.#expression(type)
      this.#code.u8(0x0f)
    } else {
      const label = this.#label()
      for (const type of this.#labels[this.#labels.length - 1 - label] ?? []) this.#expression(type)
      this.#code.u8(0x0c).u32(label)
    }
  }

  /** A label that may be gone to: not a loop's, whose rounds only its own end counts. */
  #label(): number {
    const open = this.#labels.flatMap((types, place) => (types === undefined ? [] : [this.#labels.length - 1 - place]))
    return this.#random.pick(open)
  }

  /** br_table over labels that take nothing. */
  #table(): void {
    this.#code.u8(0x02, 0x40, 0x02, 0x40, 0x02, 0x40)
    this.#expression('i32')
    if (this.#random.chance(2)) this.#code.u8(0x41, 3, 0x71)
    const count = this.#random.below(4)
    this.#code.u8(0x0e).u32(count)
    for (let left = count; left >= 0; left -= 1) this.#code.u32(this.#random.below(3))
    for (let left = 3; left > 0; left -= 1) {
      this.#code.u8(0x0b)
      this.#labels.push(...Array.from({ length: left - 1 }, () => []))
      this.#statements()
      this.#labels.length -= left - 1
    }
  }

  #bulk(): void {
    const kind = this.#random.below(5)
    if (kind === 0) {
      this.#expression('i32')
      this.#code.u8(0x41, 1, 0x71, 0x40, 0, 0x1a)
      return
    }
    this.#address()
    if (kind < 3) this.#address()
    else this.#expression('i32')
    this.#expression('i32')
    this.#code
      .u8(0x41)
      .s32(this.#random.chance(20) ? 0x3_ffff : 0xff)
      .u8(0x71)
    if (kind < 3) this.#code.u8(0xfc, 0x0a, 0, 0)
    else this.#code.u8(0xfc, 0x0b, 0)
  }

  /** Calls go to later functions only, so that they end; through the table they may trap. */
  #call(): void {
    const { functions, table } = this.#shape
    const later = functions.length - this.#index - 1
    if (later === 0 || this.#callsLeft === 0 || this.#loops > 1) return this.#assign()
    this.#callsLeft -= 1
    const callee = this.#isQuiet ? this.#random.pick(this.#shape.quiet.slice(-2)) : this.#index + 1 + this.#random.below(later)
    if (callee <= this.#index) return this.#assign()
    const { parameters, results } = functions[callee] as FunctionType
    for (const type of parameters) this.#expression(type)
    if (this.#random.chance(2) && table.every((entry) => entry > this.#index) && (table.includes(callee) || this.#isLeft())) {
      const place = this.#isLeft() ? -1 : table.indexOf(callee)
      this.#code
        .u8(0x41)
        .s32(place < 0 ? this.#random.below(table.length + 2) : place)
        .u8(0x11)
        .u32(callee)
        .u8(0)
    } else this.#code.u8(0x10).u32(this.#shape.host.length + callee)
    for (const type of results.toReversed()) this.#code.u8(0x21).u32(this.#localOf(type))
  }

  #hostCall(): void {
    const { host, handles } = this.#shape
    // Dropping a handle and failing end most of what follows.
    const index = this.#random.below(this.#isLeft() ? host.length : host.length - ENDS)
    const { parameters, result } = host[index] as HostFunction
    for (const parameter of parameters) {
      switch (parameter) {
        case 'handle':
          if (this.#isLeft()) this.#expression('i32')
          else this.#code.u8(0x23).u32(this.#random.pick(handles))
          break
        case 'address':
          this.#address()
          break
        case 'size':
        case 'text size':
          // Few bytes of chance are UTF-8, and other text ends the call.
          this.#expression('i32')
          this.#code
            .u8(0x41)
            .s32(this.#isLeft() ? -1 : parameter === 'size' ? 0x1f : 1)
            .u8(0x71)
          break
        case 'area':
          this.#code.u8(0x41).s32(this.#random.below(0x1fff) * 4)
          break
        case 'level':
          this.#code.u8(0x41).s32(this.#random.below(this.#isLeft() ? 5 : 4))
      }
    }
    this.#code.u8(0x10).u32(index)
    if (result !== undefined) this.#code.u8(0x21).u32(this.#localOf(result))
  }

  #localOf(type: ValueType): number {
    return this.#random.pick([...this.#locals.keys()].filter((local) => this.#locals[local] === type))
  }

  #expression(type: ValueType): void {
    this.#budget -= 1
    if (this.#budget < 0 || this.#depth > DEPTH_MAX) return this.#leaf(type)
    this.#depth += 1
    this.#drawExpression(type)
    this.#depth -= 1
  }

  #drawExpression(type: ValueType): void {
    switch (this.#random.below(12)) {
      case 0:
      case 1:
      case 2:
        return this.#binary(type)
      case 3:
      case 4:
        this.#expression(type)
        return this.#operation(this.#random.pick(UNARY[type]), type)
      case 5: {
        const [opcode, from] = this.#random.pick(CONVERSIONS[type])
        this.#expression(from)
        return this.#operation(mayTrap(opcode) && !this.#isLeft() ? saturating(opcode) : opcode, type)
      }
      case 6:
        this.#address()
        this.#code.u8(this.#random.pick(LOADS[type])).u8(0).u32(this.#random.below(64))
        return
      case 7:
        return this.#choose(type)
      case 8:
        return this.#valueBlock(type)
      case 9: {
        this.#expression(type)
        this.#code.u8(0x22).u32(this.#localOf(type))
        return
      }
      case 10:
        return type === 'i32' ? this.#compare() : this.#leaf(type)
      default:
        return this.#leaf(type)
    }
  }

  /** Divisors are mostly odd, so that not every call ends with the first division. */
  #binary(type: ValueType): void {
    this.#expression(type)
    this.#expression(type)
    const opcode = this.#random.pick(BINARY[type])
    if (opcode >= 0x6d && opcode <= 0x70 && !this.#isLeft()) this.#code.u8(0x41, 1, 0x72)
    if (opcode >= 0x7f && opcode <= 0x82 && !this.#isLeft()) this.#code.u8(0x42, 1, 0x84)
    this.#operation(opcode, type)
  }

  #compare(): void {
    const type = this.#random.pick(TYPES)
    this.#expression(type)
    this.#expression(type)
    this.#code.u8(this.#random.pick(COMPARES[type]))
  }

  #choose(type: ValueType): void {
    this.#expression(type)
    this.#expression(type)
    this.#expression('i32')
    this.#code.u8(0x1b)
  }

  /** if with a value, or a block that is left with one by a branch. */
  #valueBlock(type: ValueType): void {
    if (this.#random.chance(2)) {
      this.#expression('i32')
      this.#code.u8(0x04, CODES[type])
      this.#labels.push([type])
      this.#expression(type)
      this.#code.u8(0x05)
      this.#statement()
      this.#expression(type)
    } else {
      this.#code.u8(0x02, CODES[type])
      this.#labels.push([type])
      this.#expression(type)
      this.#expression('i32')
      this.#code.u8(0x0d, 0)
    }
    this.#labels.pop()
    this.#code.u8(0x0b)
  }

  #leaf(type: ValueType): void {
    const kind = this.#random.below(5)
    if (kind < 3) this.#code.u8(0x20).u32(this.#localOf(type))
    else if (kind === 3) this.#code.u8(0x23).u32(TYPES.indexOf(type))
    else this.#constant(type)
  }

  #constant(type: ValueType): void {
    const bytes = this.#random.bytes(8)
    switch (type) {
      case 'i32':
        this.#code.u8(0x41).s32(this.#random.chance(2) ? this.#random.pick(ZERO_ALIGN_CONSTANTS.i32) : this.#random.u32() | 0)
        return
      case 'i64':
        this.#code.u8(0x42).s32(this.#random.u32() | 0)
        return
      case 'f32':
        if (this.#random.chance(3)) bytes.set([0x7f, 0xff], 2)
        this.#code.u8(0x43).bytes(bytes, 0, 4)
        return
      case 'f64':
        if (this.#random.chance(3)) bytes.set(this.#random.chance(2) ? [0xf4, 0x7f] : [0xf0, 0xff], 6)
        this.#code.u8(0x44).bytes(bytes)
    }
  }

  /** Comparisons of one operand apart, every operation gives `type`. */
  #operation(opcode: number, type: ValueType): void {
    if (opcode >= 0xfc00) this.#code.u8(0xfc, opcode & 0xff)
    else this.#code.u8(opcode)
    if (this.#shape.closesNan && makesNan(opcode)) this.#closeNan(type)
  }

  #closeNan(type: ValueType): void {
    const scratch = this.#firstCounter + COUNTERS + (type === 'f32' ? 0 : 1)
    this.#code.u8(0x22).u32(scratch)
    if (type === 'f32') this.#code.u8(0x43, 0, 0, 0xc0, 0x7f)
    else this.#code.u8(0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
    this.#code
      .u8(0x20)
      .u32(scratch)
      .u8(0x20)
      .u32(scratch)
      .u8(type === 'f32' ? 0x5b : 0x61, 0x1b)
  }
}
