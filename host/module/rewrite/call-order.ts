/**
 * The functions of a module in an order in which each comes after those it calls. Functions that
 * call themselves, directly or not, and those that call such a function have no place in it and come
 * last: nothing can be reckoned about them beforehand.
 */
export interface CallOrder {
  readonly order: readonly number[]
  /** How many at the start of `order` come after all their callees. */
  readonly orderedCount: number
}

/** @param callees of each function, by places in this very list. */
export function orderByCalls(callees: readonly ReadonlySet<number>[]): CallOrder {
  const callers: number[][] = callees.map(() => [])
  const waitsFor = callees.map((set) => set.size)
  for (const [caller, set] of callees.entries()) for (const callee of set) callers[callee]?.push(caller)
  const order = waitsFor.flatMap((count, index) => (count === 0 ? [index] : []))
  for (let next = 0; next < order.length; next += 1) {
    for (const caller of callers[order[next] ?? 0] ?? []) {
      const left = (waitsFor[caller] ?? 0) - 1
      waitsFor[caller] = left
      if (left === 0) order.push(caller)
    }
  }
  const orderedCount = order.length
  const isOrdered = new Set(order)
  for (const index of callees.keys()) if (!isOrdered.has(index)) order.push(index)
  return { order, orderedCount }
}
