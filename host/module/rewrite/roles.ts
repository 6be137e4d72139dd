/**
 * How each function is metered. Callees are looked at before callers, so that a small function is
 * paid by those who call it and most functions need no depth:
 *
 *   static    never loops, costs at most staticPriceMax whatever happens, and so do all it calls;
 *             nothing is added to it
 *   leaf      calls, besides host functions, only static functions and leaves, and its stack with theirs
 *             is at most leafSlotsMax; takes fuel, needs no depth
 *   counted   everything else: takes fuel and depth, gets its depth as last parameter
 */
import type { CoreModule } from '../core-module.ts'
import { hostCallPrice, instructionPrice } from '../../sandbox/fuel-schedule.ts'
import { frameSlots, leafSlotsMax, staticPriceMax } from './bounds.ts'
import { orderByCalls } from './call-order.ts'
import { planCharges } from './charges.ts'
import type { Charge } from './charges.ts'
import { calledType, decodeBody } from './decoded-body.ts'
import type { DecodedBody } from './decoded-body.ts'
import { analyseStructure } from './structure.ts'
import type { BodyStructure } from './structure.ts'

export type Role = { readonly kind: 'static'; readonly fuel: number; readonly slots: number } | { readonly kind: 'leaf' | 'counted'; readonly slots: number }

export interface PlannedFunction {
  /** With imported functions counted. */
  readonly index: number
  readonly role: Role
  readonly body: DecodedBody
  readonly structure: BodyStructure
  readonly charges: readonly Charge[]
}

/** Roles of the module's own functions, given out callees first: what a caller needs to know is known. */
export class Roles {
  readonly #module: CoreModule
  readonly #imported: number
  readonly #roles = new Map<number, Role>()
  /** Functions in the table: whoever calls them there gives them a depth. */
  readonly #inTable: ReadonlySet<number>
  readonly #exported: ReadonlySet<number>

  constructor(module: CoreModule) {
    this.#module = module
    this.#imported = module.importedFunctions.length
    this.#inTable = new Set(module.elements.flatMap((segment) => segment.functions))
    this.#exported = new Set([...module.exports.values()].flatMap(({ kind, index }) => (kind === 'function' ? [index] : [])))
  }

  isCounted(index: number): boolean {
    return this.#roles.get(index)?.kind === 'counted'
  }

  isStatic(index: number): boolean {
    return this.#roles.get(index)?.kind === 'static'
  }

  /** Each function once, after all it calls; `visit` runs when the roles of those are known. */
  plan(visit: (planned: PlannedFunction) => void): void {
    const { order, orderedCount } = orderByCalls(this.#module.functions.map((_type, place) => this.#ownCallees(place)))
    const inCycles = order.slice(orderedCount)
    for (const place of inCycles) this.#roles.set(this.#imported + place, { kind: 'counted', slots: 0 })
    for (const place of order) visit(this.#planFunction(this.#imported + place))
  }

  #ownCallees(place: number): ReadonlySet<number> {
    const { callees } = analyseStructure(decodeBody(this.#module, this.#imported + place))
    return new Set([...callees].filter((index) => index >= this.#imported).map((index) => index - this.#imported))
  }

  #planFunction(index: number): PlannedFunction {
    const body = decodeBody(this.#module, index)
    const structure = analyseStructure(body)
    const charges = planCharges(body, structure, this.#prices(body, structure))
    const role = this.#roleOf({ index, body, structure, charges })
    this.#roles.set(index, role)
    return { index, role, body, structure, charges: role.kind === 'static' ? [] : charges }
  }

  /** The price of each instruction, with the whole of static callees. */
  #prices({ count, opcodes, indices }: DecodedBody, { live }: BodyStructure): Uint32Array {
    const prices = new Uint32Array(count)
    for (let position = 0; position < count; position += 1) {
      if (live[position] === 0) continue
      const opcode = opcodes[position] ?? 0
      const callee = opcode === 0x10 ? this.#roles.get(indices[position] ?? 0) : undefined
      prices[position] = instructionPrice(opcode) + (callee?.kind === 'static' ? callee.fuel : 0) + this.#hostPrice(opcode, indices[position] ?? 0)
    }
    return prices
  }

  #hostPrice(opcode: number, index: number): number {
    return opcode === 0x10 && index < this.#imported ? hostCallPrice : 0
  }

  #roleOf(planned: Omit<PlannedFunction, 'role'>): Role {
    const { index, body, structure, charges } = planned
    const slots = ownSlots(body, structure) + this.#calleeSlots(structure)
    if (this.#mustCount(index, structure) || slots > leafSlotsMax) return { kind: 'counted', slots }
    const fuel = charges[0]?.fuel ?? 0
    const isPaidAtEntry = charges.length === 0 || (charges.length === 1 && charges[0]?.position === 0)
    if (!this.#hasOwnFuel(index, structure) && isPaidAtEntry && fuel <= staticPriceMax) return { kind: 'static', fuel, slots }
    return { kind: 'leaf', slots }
  }

  #mustCount(index: number, { callees, callsIndirectly }: BodyStructure): boolean {
    return this.#inTable.has(index) || callsIndirectly || [...callees].some((callee) => this.isCounted(callee)) || this.isCounted(index)
  }

  /** What may cost more than its code tells, or is called by the host, takes fuel itself. */
  #hasOwnFuel(index: number, { callees, hasRounds, hasSizedWork }: BodyStructure): boolean {
    return this.#exported.has(index) || hasRounds || hasSizedWork || [...callees].some((callee) => !this.isStatic(callee))
  }

  #calleeSlots({ callees }: BodyStructure): number {
    let slotsMax = 0
    for (const callee of callees) {
      const role = this.#roles.get(callee)
      if (role !== undefined && role.kind !== 'counted') slotsMax = Math.max(slotsMax, role.slots)
    }
    return slotsMax
  }
}

/**
 * What a frame takes at most, in slots of 8 bytes, when nothing is kept in registers: as the baseline
 * compiler does it, with parameters and results counted where they are handed over and where they are kept.
 */
function ownSlots(body: DecodedBody, structure: BodyStructure): number {
  const { parameters, results } = body.type
  return frameSlots + body.localTypes.length + parameters.length + results.length + structure.heightMax + handedOver(body, structure)
}

/** The most that any call in the body hands over in memory and gets back. */
function handedOver(body: DecodedBody, { live }: BodyStructure): number {
  let slotsMax = 0
  for (let position = 0; position < body.count; position += 1) {
    const opcode = body.opcodes[position]
    if (live[position] === 0 || (opcode !== 0x10 && opcode !== 0x11)) continue
    const { parameters, results } = calledType(body, position)
    slotsMax = Math.max(slotsMax, parameters.length + results.length)
  }
  return slotsMax
}
