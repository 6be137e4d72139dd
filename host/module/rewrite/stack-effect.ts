/** What an instruction without immediates of its own type does to the height of the stack. */

/** Values pushed less values popped; control and calls are the callers' own. */
export function stackEffect(opcode: number): number {
  if (isStore(opcode)) return -2
  if (isConstant(opcode) || opcode === 0x20 || opcode === 0x23 || opcode === 0x3f) return 1
  if (isBinary(opcode) || opcode === 0x21 || opcode === 0x24 || opcode === 0x1a || opcode === 0x0d) return -1
  if (opcode === 0x1b) return -2
  return opcode === 0xfc0a || opcode === 0xfc0b ? -3 : 0
}

export function isStore(opcode: number): boolean {
  return opcode >= 0x36 && opcode <= 0x3e
}

export function isConstant(opcode: number): boolean {
  return opcode >= 0x41 && opcode <= 0x44
}

/** Comparisons and arithmetic of two operands. */
export function isBinary(opcode: number): boolean {
  return (
    (opcode >= 0x46 && opcode <= 0x4f) ||
    (opcode >= 0x51 && opcode <= 0x66) ||
    (opcode >= 0x6a && opcode <= 0x78) ||
    (opcode >= 0x7c && opcode <= 0x8a) ||
    (opcode >= 0x92 && opcode <= 0x98) ||
    (opcode >= 0xa0 && opcode <= 0xa6)
  )
}
