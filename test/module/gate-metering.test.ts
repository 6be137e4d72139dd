import assert from 'node:assert/strict'
import { test } from 'node:test'

import { BinaryReader } from '../../host/module/binary-reader.ts'
import { checkComponent } from '../../host/module/check-component.ts'
import { decodeCoreModule } from '../../host/module/core-module.ts'
import { BinaryWriter } from '../../host/module/rewrite/binary-writer.ts'
import { coreModuleOf, guestComponent, guestCore, withCoreModule } from './guests.ts'

test('what is handed out exports one function and imports its memory', async () => {
  const { core } = await checkComponent(await guestComponent())
  const module = new WebAssembly.Module(new Uint8Array(core))
  assert.deepEqual(WebAssembly.Module.exports(module), [{ name: 'door', kind: 'function' }])
})

test('a module that is all empty loops and would be too large when metered is refused', async () => {
  const loops = withFunction(coreModuleOf(await guestComponent()), [0x03, 0x40, 0x41, 0x00, 0x0d, 0x00, 0x0b], 140_000)
  await assert.rejects(checkComponent(withCoreModule(await guestComponent(), loops)), /bytes when it is metered: at most/)
})

test('a function of more than a mebibyte is refused', async () => {
  const large = withFunction(coreModuleOf(await guestComponent()), [0x01], 1_100_000, 1)
  await assert.rejects(checkComponent(withCoreModule(await guestComponent(), large)), /bytes of code: at most 1048576/)
})

test('a function with a thousand parameters has no room for its depth and is refused', async () => {
  const parameters = 'i32 '.repeat(1_000)
  const more = `(func $wide (param ${parameters}) (call $wide ${'(i32.const 0) '.repeat(1_000)}))`
  await assert.rejects(checkComponent(withCoreModule(await guestComponent(), await guestCore({ more }))), /cannot be metered/)
})

/** The module with more functions at its end, without parameters, whose bodies repeat some instructions. */
function withFunction(core: Uint8Array, instructions: readonly number[], times: number, functions = 5): Uint8Array {
  const module = decodeCoreModule(new BinaryReader(core))
  const writer = new BinaryWriter(8_000_000).bytes(core, 0, 8)
  for (const { id, start, end } of module.sections) {
    if (id === 1) writer.section(1, types(module.types.length, core.subarray(module.sections[0]?.contentStart, end)))
    else if (id === 3) writer.section(3, indices([...module.functions, ...Array.from({ length: functions }, () => module.types.length)]))
    else if (id === 10) writer.section(10, code(core, module.bodies, functions, body(instructions, times)))
    else writer.bytes(core, start, end)
  }
  return writer.toBytes()
}

function types(count: number, section: Uint8Array): BinaryWriter {
  return new BinaryWriter()
    .u32(count + 1)
    .bytes(section, 1)
    .u8(0x60, 0, 0)
}

function indices(list: readonly number[]): BinaryWriter {
  const writer = new BinaryWriter().u32(list.length)
  for (const index of list) writer.u32(index)
  return writer
}

function code(core: Uint8Array, bodies: readonly { readonly start: number; readonly end: number }[], more: number, added: Uint8Array): BinaryWriter {
  const writer = new BinaryWriter(8_000_000).u32(bodies.length + more)
  for (const { start, end } of bodies) writer.sized(core.subarray(start, end))
  for (let left = more; left > 0; left -= 1) writer.sized(added)
  return writer
}

function body(instructions: readonly number[], times: number): Uint8Array {
  const writer = new BinaryWriter(instructions.length * times + 8).u8(0)
  for (let left = times; left > 0; left -= 1) writer.u8(...instructions)
  return writer.u8(0x0b).toBytes()
}
