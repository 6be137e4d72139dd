/**
 * Writes one function again: the same instructions without the dead ones, with charges in their
 * places, depth handed on to callees, NaN made canonical where the plan says so, and what works by
 * size sent through the injected functions. Runs of unchanged instructions are copied as they are.
 *
 * Depth is a parameter, not a global: a callee gets what its caller has left, so that nothing needs to
 * be given back on the many ways out of a function (1.3 times bare fib, where a global made it 2.9).
 */
import { DEPTH_GLOBAL, FUEL_GLOBAL, HOST_GLOBALS } from './injected.ts'
import type { Injected } from './injected.ts'
import type { Charge } from './charges.ts'
import type { DecodedBody } from './decoded-body.ts'
import type { NanPlan } from './nan-bits.ts'
import type { BodyStructure } from './structure.ts'
import { BinaryWriter } from './binary-writer.ts'

/** What emission must know of the rest of the module. */
export interface ModuleContext {
  readonly injected: Injected
  /** Takes its depth as last parameter. */
  isCounted(functionIndex: number): boolean
  /** Leaves the fuel alone: its callers have paid. */
  isStatic(functionIndex: number): boolean
}

export interface BodyPlan {
  readonly body: DecodedBody
  readonly structure: BodyStructure
  readonly charges: readonly Charge[]
  readonly nanBits: NanPlan | undefined
  /** Slots that a call of it takes from its depth; undefined where it does not count. */
  readonly slots: number | undefined
}

export function emitBody(plan: BodyPlan, context: ModuleContext): Uint8Array {
  return new BodyEmitter(plan, context).emit()
}

const LOCAL_GET = 0x20
const LOCAL_SET = 0x21
const LOCAL_TEE = 0x22
const GLOBAL_GET = 0x23
const GLOBAL_SET = 0x24
const I32_CONST = 0x41
const F32 = 0x7d
const F64 = 0x7c
const I32 = 0x7f

class BodyEmitter {
  readonly #plan: BodyPlan
  readonly #context: ModuleContext
  readonly #code: BinaryWriter
  readonly #parameters: number
  readonly #depthLocal: number
  readonly #scratch: number
  readonly #scratchF32: number
  readonly #scratchF64: number
  /** How many instructions before each position may change the fuel. */
  readonly #fuelUses: Uint32Array
  #nextCharge = 0
  /** End of the outermost loop around that leaves fuel to us alone, so that it is held in a local. */
  #heldUntil = -1
  #runStart = -1

  constructor(plan: BodyPlan, context: ModuleContext) {
    this.#plan = plan
    this.#context = context
    const { body, slots } = plan
    this.#code = new BinaryWriter((body.offsets[body.count] ?? 0) - (body.offsets[0] ?? 0) + 256)
    this.#parameters = body.type.parameters.length
    this.#depthLocal = this.#parameters
    this.#scratch = body.localTypes.length + (slots === undefined ? 0 : 1)
    this.#scratchF32 = this.#scratch + 1
    this.#scratchF64 = this.#scratch + 2
    this.#fuelUses = countFuelUses(plan, context)
  }

  emit(): Uint8Array {
    const { body, structure } = this.#plan
    this.#enter()
    for (let position = 0; position < body.count; position += 1) {
      if (structure.live[position] === 0) {
        this.#flush(position)
        continue
      }
      if (this.#isChargedAt(position)) this.#charge(position)
      this.#instruction(position, body.opcodes[position] ?? 0)
    }
    this.#flush(body.count)
    return this.#withLocals()
  }

  #isChargedAt(position: number): boolean {
    return this.#plan.charges[this.#nextCharge]?.position === position
  }

  /** A counted function takes depth and fuel together, with one check for both. */
  #enter(): void {
    const { slots, charges } = this.#plan
    if (slots === undefined) return
    const isCharged = this.#isChargedAt(0)
    const fuel = isCharged ? (charges[0]?.fuel ?? 1) : 1
    if (isCharged) this.#nextCharge += 1
    this.#code.u8(LOCAL_GET).u32(this.#depthLocal).u8(I32_CONST).s32(slots).u8(0x6b, LOCAL_SET).u32(this.#depthLocal)
    this.#code.u8(GLOBAL_GET, FUEL_GLOBAL)
    this.#take(fuel)
    this.#code.u8(LOCAL_GET).u32(this.#scratch).u8(LOCAL_GET).u32(this.#depthLocal).u8(0x72, I32_CONST, 0, 0x48, 0x04, 0x40)
    this.#code.u8(LOCAL_GET).u32(this.#depthLocal).u8(GLOBAL_SET, DEPTH_GLOBAL, 0x00, 0x0b)
  }

  /** Fuel is on the stack; what is left stays in the scratch local. */
  #take(fuel: number): void {
    this.#code.u8(I32_CONST).s32(fuel).u8(0x6b, LOCAL_TEE).u32(this.#scratch).u8(GLOBAL_SET, FUEL_GLOBAL)
  }

  #charge(position: number): void {
    this.#flush(position)
    const fuel = this.#plan.charges[this.#nextCharge]?.fuel ?? 0
    this.#nextCharge += 1
    if (position <= this.#heldUntil) this.#code.u8(LOCAL_GET).u32(this.#scratch)
    else this.#code.u8(GLOBAL_GET, FUEL_GLOBAL)
    this.#take(fuel)
    this.#code.u8(LOCAL_GET).u32(this.#scratch).u8(I32_CONST, 0, 0x48, 0x04, 0x40, 0x00, 0x0b)
  }

  #instruction(position: number, opcode: number): void {
    switch (opcode) {
      case 0x03:
        this.#hold(position)
        break
      case 0x10:
        return this.#call(position)
      case 0x11:
        return this.#callIndirect(position)
      case 0x20:
      case 0x21:
      case 0x22:
        this.#local(position, opcode)
        break
      case 0x23:
      case 0x24:
        this.#flush(position)
        this.#code.u8(opcode).u32(this.#index(position) + HOST_GLOBALS)
        return
      case 0x40:
        return this.#instead(position, 'grow')
      case 0xfc0a:
        return this.#instead(position, 'copy')
      case 0xfc0b:
        return this.#instead(position, 'fill')
      default:
        this.#keep(position)
    }
    this.#makeCanonical(position)
  }

  #index(position: number): number {
    return this.#plan.body.indices[position] ?? 0
  }

  /** A loop that calls nobody who takes fuel reads it once before its rounds. */
  #hold(position: number): void {
    const { structure } = this.#plan
    const end = structure.ends[position] ?? 0
    const isAlone = structure.rounds[position] === 1 && this.#fuelUses[end] === this.#fuelUses[position]
    if (isAlone && position > this.#heldUntil) {
      this.#flush(position)
      this.#code.u8(GLOBAL_GET, FUEL_GLOBAL, LOCAL_SET).u32(this.#scratch)
      this.#heldUntil = end
    }
    this.#keep(position)
  }

  #call(position: number): void {
    if (this.#context.isCounted(this.#index(position))) {
      this.#flush(position)
      this.#code.u8(LOCAL_GET).u32(this.#depthLocal)
    }
    this.#keep(position)
  }

  /** The place in the table is on top, the depth must come under it. */
  #callIndirect(position: number): void {
    this.#flush(position)
    this.#code.u8(LOCAL_SET).u32(this.#scratch).u8(LOCAL_GET).u32(this.#depthLocal).u8(LOCAL_GET).u32(this.#scratch)
    this.#code
      .u8(0x11)
      .u32(this.#context.injected.countedType(this.#index(position)))
      .u8(0)
  }

  /** The depth stands between parameters and locals. */
  #local(position: number, opcode: number): void {
    const local = this.#index(position)
    if (this.#plan.slots === undefined || local < this.#parameters) return this.#keep(position)
    this.#flush(position)
    this.#code.u8(opcode).u32(local + 1)
  }

  #instead(position: number, name: 'grow' | 'copy' | 'fill'): void {
    this.#flush(position)
    this.#code.u8(0x10).u32(this.#context.injected.functionIndex(name))
  }

  #makeCanonical(position: number): void {
    const type = this.#plan.nanBits?.[position] ?? 0
    if (type === 0) return
    this.#flush(position + 1)
    const scratch = type === F32 ? this.#scratchF32 : this.#scratchF64
    this.#code.u8(LOCAL_TEE).u32(scratch)
    if (type === F32) this.#code.u8(0x43, 0, 0, 0xc0, 0x7f)
    else this.#code.u8(0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
    this.#code
      .u8(LOCAL_GET)
      .u32(scratch)
      .u8(LOCAL_GET)
      .u32(scratch)
      .u8(type === F32 ? 0x5b : 0x61, 0x1b)
  }

  #keep(position: number): void {
    if (this.#runStart < 0) this.#runStart = position
  }

  /** Writes the instructions kept so far, which end before `position`. */
  #flush(position: number): void {
    if (this.#runStart < 0) return
    const { module, offsets } = this.#plan.body
    this.#code.bytes(module.bytes, offsets[this.#runStart], offsets[position])
    this.#runStart = -1
  }

  #withLocals(): Uint8Array {
    const { body } = this.#plan
    const groups = localGroups(body)
    const writer = new BinaryWriter(this.#code.sizeBytes + 64)
    const extra = this.#plan.nanBits === undefined ? [I32] : [I32, F32, F64]
    writer.u32(groups.length + extra.length)
    for (const { count, code } of groups) writer.u32(count).u8(code)
    for (const code of extra) writer.u32(1).u8(code)
    return writer.bytes(this.#code.view()).toBytes()
  }
}

const TYPE_CODES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const

function localGroups({ type, localTypes }: DecodedBody): readonly { readonly count: number; readonly code: number }[] {
  const groups: { count: number; code: number }[] = []
  for (let local = type.parameters.length; local < localTypes.length; local += 1) {
    const code = TYPE_CODES[localTypes[local] ?? 'i32']
    const last = groups.at(-1)
    if (last?.code === code) last.count += 1
    else groups.push({ count: 1, code })
  }
  return groups
}

function countFuelUses({ body, structure }: BodyPlan, context: ModuleContext): Uint32Array {
  const uses = new Uint32Array(body.count + 1)
  for (let position = 0; position < body.count; position += 1) {
    const isUse = structure.live[position] === 1 && mayChangeFuel(body, position, context)
    uses[position + 1] = (uses[position] ?? 0) + (isUse ? 1 : 0)
  }
  return uses
}

function mayChangeFuel({ opcodes, indices }: DecodedBody, position: number, context: ModuleContext): boolean {
  const opcode = opcodes[position] ?? 0
  if (opcode === 0x10) return !context.isStatic(indices[position] ?? 0)
  return opcode === 0x11 || opcode === 0x40 || opcode === 0xfc0a || opcode === 0xfc0b
}
