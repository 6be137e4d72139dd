/**
 * Where fuel is taken in one function body, and how much. A site stands at the function's start, at the
 * start of each loop, and before longer code that may be skipped; it takes at once what the dearest way
 * from there costs, up to the next site. Short branches are thus paid whether they are taken or not: a
 * charge depends on the code and the path, never on the engine, and never falls short.
 *
 *   site                    one of the points where fuel is taken
 *   its cost                the maximum, over all ways that begin there, of what they pass through
 *                           without meeting another site; joins take the maximum, which is exact
 */
import { localsPerUnit, roundPrice } from '../../sandbox/fuel-schedule.ts'
import { mergedPriceMax } from './bounds.ts'
import type { DecodedBody } from './decoded-body.ts'
import { priceAhead } from './price-ahead.ts'
import type { BodyStructure } from './structure.ts'

export interface Charge {
  /** The position of the instruction before which the charge stands. */
  readonly position: number
  readonly fuel: number
}

/**
 * The charges of a body in the order of their positions; none is 0.
 *
 * @param prices of each instruction, with the whole price of callees that charge nothing themselves.
 */
export function planCharges(body: DecodedBody, structure: BodyStructure, prices: Uint32Array): readonly Charge[] {
  return new ChargePlanner(body, structure, prices).plan(entryPrice(body))
}

/** A baseline compiler clears each local: a function of 20,000 takes microseconds to enter. */
function entryPrice({ type, localTypes }: DecodedBody): number {
  return Math.floor((localTypes.length - type.parameters.length) / localsPerUnit)
}

const NOWHERE = 0x7fff_ffff

class Site {
  readonly position: number
  /** The site that rests while this one is current. */
  readonly outer: Site | undefined
  /** From here to where the walk stands, by the dearest way; it rests while a site within is current. */
  cost = 0
  costMax = 0
  /** The outermost block that a branch has left from since here, so that what follows may be skipped. */
  escape = NOWHERE

  constructor(position: number, outer: Site | undefined) {
    this.position = position
    this.outer = outer
  }
}

interface Frame {
  readonly isLoop: boolean
  /** The site that was current where the block began, and is again where it ends. */
  readonly site: Site
  readonly startCost: number
  /** Of all ways to the block's end so far; -1 for none. */
  endCost: number
  hasElse: boolean
  readonly isIf: boolean
}

class ChargePlanner {
  readonly #body: DecodedBody
  readonly #live: Uint8Array
  readonly #rounds: Uint8Array
  readonly #prices: Uint32Array
  readonly #ahead: Uint32Array
  readonly #sites: Site[] = []
  readonly #frames: Frame[] = []
  /** Places of the loops among the frames, ascending. */
  readonly #loops: number[] = []
  #site: Site
  #isReachable = true

  constructor(body: DecodedBody, structure: BodyStructure, prices: Uint32Array) {
    this.#body = body
    this.#live = structure.live
    this.#rounds = structure.rounds
    this.#prices = prices
    this.#ahead = priceAhead(body, structure, prices)
    this.#site = new Site(0, undefined)
    this.#sites.push(this.#site)
  }

  plan(entryPrice: number): readonly Charge[] {
    const { count, opcodes } = this.#body
    this.#spend(entryPrice)
    this.#push(false, false)
    for (let position = 0; position < count; position += 1) {
      if (this.#live[position] === 0) continue
      this.#spend(this.#prices[position] ?? 0)
      this.#step(position, opcodes[position] ?? 0)
    }
    return this.#sites.flatMap(({ position, costMax }) => (costMax > 0 ? [{ position, fuel: costMax }] : []))
  }

  #spend(price: number): void {
    const site = this.#site
    site.cost += price
    if (site.cost > site.costMax) site.costMax = site.cost
  }

  #step(position: number, opcode: number): void {
    switch (opcode) {
      case 0x02:
        return this.#push(false, false)
      case 0x03:
        if (this.#rounds[position] === 0) return this.#push(false, false)
        this.#loops.push(this.#frames.length)
        this.#push(true, false)
        this.#site = this.#openSite(position + 1)
        return this.#spend(roundPrice)
      case 0x04:
        this.#push(false, true)
        return this.#openArm(position)
      case 0x05:
        return this.#turn(position)
      case 0x0b:
        return this.#close(position)
      case 0x0c:
        return this.#leave(this.#target(position))
      case 0x0d:
        this.#branch(this.#target(position))
        return this.#openIfSkipped(position)
      case 0x0e:
        for (const label of this.#body.labels.get(position) ?? []) this.#branch(this.#frames.length - 1 - label)
        this.#isReachable = false
        return
      case 0x0f:
        return this.#leave(0)
      case 0x00:
        this.#isReachable = false
    }
  }

  #push(isLoop: boolean, isIf: boolean): void {
    this.#frames.push({ isLoop, isIf, site: this.#site, startCost: this.#site.cost, endCost: -1, hasElse: false })
  }

  #openSite(position: number): Site {
    const site = new Site(position, this.#site)
    this.#sites.push(site)
    return site
  }

  /** An arm of an `if` runs or not: a long one pays for itself. */
  #openArm(position: number): void {
    if ((this.#ahead[position] ?? 0) >= mergedPriceMax) this.#site = this.#openSite(position + 1)
  }

  /** Long code after a way out pays for itself, and is not paid for by those who left. */
  #openIfSkipped(position: number): void {
    if (this.#site.escape < this.#frames.length && (this.#ahead[position] ?? 0) >= mergedPriceMax) this.#site = this.#openSite(position + 1)
  }

  #turn(position: number): void {
    const frame = this.#frames.at(-1)
    if (frame === undefined) return
    this.#arrive(frame)
    this.#resume(frame)
    frame.hasElse = true
    frame.site.cost = frame.startCost
    this.#isReachable = true
    this.#openArm(position)
  }

  #close(position: number): void {
    const frame = this.#frames.pop()
    if (frame === undefined || this.#frames.length === 0) return
    this.#arrive(frame)
    if (frame.isIf && !frame.hasElse) frame.endCost = Math.max(frame.endCost, frame.startCost)
    if (frame.isLoop) this.#loops.pop()
    this.#resume(frame)
    // A block whose end nothing reaches: what follows never runs, and any cost will do.
    frame.site.cost = frame.endCost < 0 ? frame.startCost : frame.endCost
    this.#isReachable = true
    this.#openIfSkipped(position)
  }

  /** Running into the end of a block. */
  #arrive(frame: Frame): void {
    if (this.#isReachable) frame.endCost = Math.max(frame.endCost, frame.site.cost)
  }

  #resume({ site }: Frame): void {
    for (let inner = this.#site; inner !== site && inner.outer !== undefined; inner = inner.outer) {
      site.escape = Math.min(site.escape, inner.escape)
    }
    this.#site = site
  }

  #target(position: number): number {
    return this.#frames.length - 1 - (this.#body.indices[position] ?? 0)
  }

  #leave(target: number): void {
    this.#branch(target)
    this.#isReachable = false
  }

  /** A way to the end of the frame at `target`, or back to its start when that is a loop. */
  #branch(target: number): void {
    const frame = this.#frames[target]
    if (frame === undefined) return
    if (!frame.isLoop) frame.endCost = Math.max(frame.endCost, frame.site.cost)
    const site = this.#siteOutsideLoopsAbove(target)
    site.escape = Math.min(site.escape, target)
  }

  /**
   * Whom a branch to `target` lets skip code. Leaving a loop happens once for all its rounds, so that
   * the code in the loop does not count as code that is often skipped; what follows the loop does.
   */
  #siteOutsideLoopsAbove(target: number): Site {
    let low = 0
    let high = this.#loops.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#loops[middle] ?? 0) > target) high = middle
      else low = middle + 1
    }
    const loop = this.#loops[low]
    return (loop === undefined ? undefined : this.#frames[loop]?.site) ?? this.#site
  }
}
