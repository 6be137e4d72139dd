/**
 * What the rewriter merges and leaves out. Each of these moves charges, so it belongs to the fuel
 * schedule: another value is another version (sandbox/fuel-schedule.ts).
 */

/** Code that may be skipped and costs less is paid with what stands before it. */
export const mergedPriceMax = 24
/** A function that costs no more, whatever way it takes, is paid by those who call it. */
export const staticPriceMax = 64
/** Stack slots of a function, with all that it calls, that need no count of their own: 2 KiB. */
export const leafSlotsMax = 256
/** A frame's fixed part: return address, frame pointer, type, instance, feedback, and what we add. */
export const frameSlots = 12
