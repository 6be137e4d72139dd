/**
 * What everything costs, in fuel: docs/fuel.md in code. One unit is about a third of a nanosecond of
 * plain instructions. The rewriter builds these prices into a module (host/module/rewrite), the adapter
 * charges what only the host can see, and the module keeps the version it was built with.
 */

/** Changes with any price below and with any change of the rewriter that moves a charge. */
export const FUEL_SCHEDULE_VERSION = 1

/** A call, the new instance that it gets, and the zeroing of its memory by the page. */
export const instancePrice = 4_000
export const instancePagePrice = 4_096
/** What an instance makes anew of its module, by part: 13 to 150 ns each. */
export const instancePartPrices = { function: 40, global: 450, tableEntry: 70, element: 300, dataSegment: 70 } as const
/** Calling the host at all: a third of a microsecond. */
export const hostCallPrice = 1_000
/**
 * Asking a table anything, and changing a row or looking for one to change: SQLite takes 2 to 16 µs
 * where there is nothing to find. Ten thousand rows, all that a call may change, take half of its fuel
 * when they are written one by one.
 */
export const tablePrice = 10_000
export const changedRowPrice = 5_000
/** A row that is read, and one that is counted and stays where it is. */
export const rowPrice = 1_000
export const countedRowPrice = 100
/** Bytes that memory.copy and memory.fill, data segments, lowering and lifting move for one unit. */
export const bytesPerUnit = 8
/** A new page is zeroed by the system, mapped and later given back. */
export const growPagePrice = 16_384

const copyPrice = 24
const fillPrice = 64
const growPrice = 20_000

/** Each round of a loop, besides what is in it. */
export const roundPrice = 2
/** Locals that a function clears on entry, beyond its parameters, for one unit. */
export const localsPerUnit = 4

/** The price of one instruction by its opcode (instructions.ts); bulk memory and growth pay by size besides. */
export function instructionPrice(opcode: number): number {
  if (opcode < 0x20) return controlPrice(opcode)
  // Neither compiler makes code of reading a local or of a constant.
  if (opcode === 0x20 || (opcode >= 0x41 && opcode <= 0x44)) return 0
  if (opcode < 0x28) return 1
  if (opcode < 0x3f) return 2
  if (opcode === 0x40) return growPrice
  if (opcode === 0xfc0a) return copyPrice
  if (opcode === 0xfc0b) return fillPrice
  if (isDivision(opcode)) return 10
  return opcode >= 0xfc00 || (opcode >= 0x8b && opcode <= 0xbf) ? 2 : 1
}

/** What the rewriter reckons for so many bytes moved. */
export function bytesPrice(sizeBytes: number): number {
  return Math.ceil(sizeBytes / bytesPerUnit)
}

function controlPrice(opcode: number): number {
  switch (opcode) {
    case 0x01: // nop
    case 0x02: // block
    case 0x03: // loop: its rounds pay
    case 0x05: // else
    case 0x0b: // end
    case 0x1a: // drop
      return 0
    case 0x0e: // br_table
      return 2
    case 0x10: // call
      return 4
    case 0x11: // call_indirect
      return 8
    default:
      return 1
  }
}

/** Integer division and remainder, float division and square root: ten times a plain instruction and more. */
function isDivision(opcode: number): boolean {
  return (opcode >= 0x6d && opcode <= 0x70) || (opcode >= 0x7f && opcode <= 0x82) || opcode === 0x91 || opcode === 0x95 || opcode === 0x9f || opcode === 0xa3
}
