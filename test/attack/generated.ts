/** Uploads that no tool would make: good components with one thing exchanged, and core modules from bytes. */
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'

import { readComponentSections } from '../../host/module/component-sections.ts'
import { componentOf, withCoreModule } from '../module/guests.ts'
import { guestText } from './guest.ts'

export const CORE_HEADER: Uint8Array = Buffer.from('\0asm\x01\0\0\0', 'latin1')
export const COMPONENT_HEADER: Uint8Array = Buffer.from('\0asm\x0d\0\x01\0', 'latin1')

export function coreModule(sections: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([CORE_HEADER, ...sections])
}

/** A guest of the whole world that does nothing. */
export async function smallComponent(): Promise<Uint8Array> {
  return componentOf(await parse(guestText({ reducers: [] })))
}

const TINY_DESCRIPTION = '{"format":1,"sdk":"","module":"m","records":[],"tables":[],"reducers":[]}'

/** A component of the world of less than a kilobyte: what is done to each of its bytes stays affordable. */
export async function tinyComponent(): Promise<Uint8Array> {
  const description = TINY_DESCRIPTION.replaceAll('"', String.raw`\22`)
  return withoutNotes(
    await componentOf(
      await parse(`(module
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "describe") (result i32) (i32.const 16))
        (func (export "call") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 64))
        (data (i32.const 16) "\\20\\00\\00\\00\\${TINY_DESCRIPTION.length.toString(16)}\\00\\00\\00")
        (data (i32.const 32) "${description}"))`),
    ),
  )
}

/** Without the custom sections that tools write last: without those a component is still whole. */
function withoutNotes(component: Uint8Array): Uint8Array {
  const lastDefinition = readComponentSections(component).findLast((one) => one.id !== 0)
  return component.subarray(0, lastDefinition?.content.end ?? 0)
}

/** A good component around another core module, in wat or bytes: only the host looks at what is in it. */
export async function aroundCore(change: (text: string) => string | Uint8Array): Promise<Uint8Array> {
  const text = guestText({ reducers: [] })
  const changed = change(text)
  if (changed === text) throw new Error('nothing was changed')
  return withCoreModule(await componentOf(await parse(text)), typeof changed === 'string' ? await parse(changed) : changed)
}
