/**
 * What makes an instance new: a function that gives every mutable global its first value and copies the
 * data into a memory that the host has cleared. It runs before the module's own `_initialize`, in an
 * instance that was just made as in one that has served before, so that the two cannot differ: no
 * instruction that a module may use changes anything else (instructions.ts).
 *
 * The data is passive therefore: an active segment is copied once, by the engine, and then gone.
 */
import type { CoreModule } from '../core-module.ts'
import { BinaryWriter } from './binary-writer.ts'
import type { DataRun } from './data-runs.ts'
import { HOST_GLOBALS } from './injected.ts'
import type { Injected } from './injected.ts'

/** @returns the function's index, or undefined for a module that has nothing to put back. */
export function addStart(module: CoreModule, injected: Injected, runs: readonly DataRun[]): number | undefined {
  const writer = new BinaryWriter().u8(0)
  for (const [index, { mutable, initial }] of module.globals.entries()) {
    // The constant as it is written, so that a NaN keeps its bits.
    if (mutable)
      writer
        .bytes(module.bytes, initial.start, initial.end - 1)
        .u8(0x24)
        .u32(HOST_GLOBALS + index)
  }
  for (const [index, { offset, bytes }] of runs.entries()) {
    writer.u8(0x41).s32(offset).u8(0x41, 0, 0x41).s32(bytes.length).u8(0xfc, 0x08).u32(index).u8(0)
  }
  if (writer.sizeBytes === 1) return undefined
  return injected.addFunction(injected.addType({ parameters: [], results: [] }), writer.u8(0x0b).toBytes())
}

export function dataSection(runs: readonly DataRun[]): BinaryWriter {
  const writer = new BinaryWriter(runs.reduce((sum, { bytes }) => sum + bytes.length + 6, 64)).u32(runs.length)
  for (const { bytes } of runs) writer.u8(1).sized(bytes)
  return writer
}
