/**
 * The slow and simple meter that the real one is held against: every instruction pays for itself, one
 * at a time, where it stands. What generate-body.ts adds to close a NaN is free, since the rewriter adds
 * the like without a price.
 */
import { BinaryReader } from '../../host/module/binary-reader.ts'
import { decodeCoreModule, functionTypeOf } from '../../host/module/core-module.ts'
import type { CoreModule, FunctionBody } from '../../host/module/core-module.ts'
import { walkBody } from '../../host/module/instructions.ts'
import { BinaryWriter } from '../../host/module/rewrite/binary-writer.ts'
import { instructionPrice } from '../../host/sandbox/fuel-schedule.ts'
import type { Observed } from './differential.ts'

export class ExactInstance implements Observed {
  readonly exports: Readonly<Record<string, unknown>>
  readonly #spent: WebAssembly.Global

  constructor(bytes: Uint8Array) {
    this.exports = new WebAssembly.Instance(new WebAssembly.Module(meterExactly(bytes))).exports
    this.#spent = this.exports['spent'] as WebAssembly.Global
  }

  get burnt(): number {
    return this.#spent.value
  }

  refill(): void {
    this.#spent.value = 0
  }
}

/** The module with one more global at the end, exported as "spent". It has no imports, nor instructions that move. */
function meterExactly(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const module = decodeCoreModule(new BinaryReader(bytes))
  const writer = new BinaryWriter(bytes.length * 4).bytes(bytes, 0, 8)
  for (const { id, start, contentStart, end } of module.sections) {
    const content = bytes.subarray(contentStart, end)
    if (id === 6) writer.section(6, oneMore(content, module.globals.length, new BinaryWriter().u8(0x7f, 1, 0x41, 0, 0x0b)))
    else if (id === 7) writer.section(7, oneMore(content, module.exports.size, new BinaryWriter().name('spent').u8(3).u32(module.globals.length)))
    else if (id === 10) writer.section(10, exactCode(module))
    else writer.bytes(bytes, start, end)
  }
  return writer.toBytes()
}

/** A list with another entry after its last. Counts in generated modules take one byte. */
function oneMore(content: Uint8Array, count: number, entry: BinaryWriter): BinaryWriter {
  return new BinaryWriter()
    .u32(count + 1)
    .bytes(content, 1)
    .bytes(entry.view())
}

function exactCode(module: CoreModule): BinaryWriter {
  const writer = new BinaryWriter(4_096).u32(module.bodies.length)
  for (const [index, body] of module.bodies.entries()) writer.sized(exactBody(module, body, index).view())
  return writer
}

/** local.tee of a scratch local, constant, twice local.get, comparison, select. */
const CLOSING_LENGTH = 6

function exactBody(module: CoreModule, body: FunctionBody, index: number): BinaryWriter {
  const { bytes, globals } = module
  const writer = new BinaryWriter(1_024).bytes(bytes, body.start, body.codeStart)
  const firstScratch = functionTypeOf(module, index).parameters.length + body.locals.reduce((sum, { count }) => sum + count, 0) - 2
  let free = 0
  walkBody(new BinaryReader(bytes, body.codeStart, body.end), ({ opcode, offset, end, immediates }) => {
    if (opcode === 0x22 && (immediates[0] ?? 0) >= firstScratch) free = CLOSING_LENGTH
    free -= 1
    const price = free >= 0 ? 0 : instructionPrice(opcode)
    if (price > 0) writer.u8(0x23).u32(globals.length).u8(0x41).s32(price).u8(0x6a, 0x24).u32(globals.length)
    writer.bytes(bytes, offset, end)
  })
  return writer
}
