/**
 * Guests for the tests of the gate: a small one of our world in wat, the component around it made by
 * jco's tools, and the means to change either in one place.
 */
import { readFileSync } from 'node:fs'
import { componentEmbed, componentNew, parse, print } from '@bytecodealliance/jco-transpile/wasm-tools'

export const WORLD_WIT = readFileSync(new URL('../../wit/module.wit', import.meta.url), 'utf8')

export const DESCRIPTION = '{"format":1}'

export interface GuestParts {
  readonly imports?: string
  readonly memory?: string
  readonly realloc?: string
  /** The whole function, so that a test may give it another signature. */
  readonly describe?: string
  readonly call?: string
  readonly postReturns?: string
  /** Anything else, at the end. */
  readonly more?: string
}

const TABLES = '"remembrancer:module/tables@1.0.0"'

export const ALL_IMPORTS = `
  (import ${TABLES} "[method]table.get" (func $get (param i32 i32 i32 i32)))
  (import ${TABLES} "[method]table.scan" (func $scan (param i32 i32 i32 i32)))
  (import ${TABLES} "[method]table.count" (func $count (param i32 i32 i32) (result i64)))
  (import ${TABLES} "[method]table.insert" (func $insert (param i32 i32 i32 i32)))
  (import ${TABLES} "[method]table.update" (func $update (param i32 i32 i32) (result i32)))
  (import ${TABLES} "[method]table.delete" (func $delete (param i32 i32 i32) (result i32)))
  (import ${TABLES} "[resource-drop]table" (func $drop (param i32)))
  (import "remembrancer:module/log@1.0.0" "write" (func $write (param i32 i32 i32)))
  (import "remembrancer:module/outcome@1.0.0" "fail" (func $fail (param i32 i32)))`

export const INITIALIZE = '(func (export "_initialize"))'

/** The address 16 holds pointer and length of the description at 32. */
export function guestText(parts: GuestParts = {}): string {
  return `(module
  ${parts.imports ?? ALL_IMPORTS}
  ${parts.memory ?? '(memory (export "memory") 1)'}
  ${parts.realloc ?? '(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)'}
  ${parts.describe ?? '(func (export "describe") (result i32) i32.const 16)'}
  ${parts.call ?? '(func (export "call") (param i32 i32 i32 i32 i32 i32 i32) (result i32) i32.const 64)'}
  ${parts.postReturns ?? '(func (export "cabi_post_describe") (param i32)) (func (export "cabi_post_call") (param i32))'}
  (data (i32.const 16) "\\20\\00\\00\\00\\0c\\00\\00\\00")
  (data (i32.const 32) "{\\22format\\22:1}")
  ${parts.more ?? ''})`
}

export function guestCore(parts: GuestParts = {}): Promise<Uint8Array> {
  return parse(guestText(parts))
}

export async function componentOf(core: Uint8Array, witSource = WORLD_WIT, world = 'module'): Promise<Uint8Array> {
  const binary = new Uint8Array(core)
  return componentNew(await componentEmbed({ binary, witSource, world, stringEncoding: 'utf8' }), [])
}

export async function guestComponent(parts: GuestParts = {}): Promise<Uint8Array> {
  return componentOf(await guestCore(parts))
}

/** A component whose text was changed in one place. Fails when the place is not there: such a test would prove nothing. */
export async function rewired(component: Uint8Array, from: string | RegExp, to: string): Promise<Uint8Array> {
  const text = await print(component)
  const changed = text.replace(from, () => to)
  if (changed === text) throw new Error(`nothing to change: ${from}`)
  return parse(changed)
}

/** The component with another core module 0, whatever that is: no tool looks at it. */
export function withCoreModule(component: Uint8Array, core: Uint8Array): Uint8Array {
  const { start, end } = firstCoreModule(component)
  return Buffer.concat([component.subarray(0, start), Buffer.from([1]), leb(core.length), core, component.subarray(end)])
}

/** The guest changed byte for byte inside an otherwise good component. */
export async function componentAround(coreText: string): Promise<Uint8Array> {
  return withCoreModule(await guestComponent(), await parse(coreText))
}

export function coreModuleOf(component: Uint8Array): Uint8Array {
  const { contentStart, end } = firstCoreModule(component)
  return component.subarray(contentStart, end)
}

/** An unsigned LEB128. */
export function leb(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  while (left > 0x7f) {
    bytes.push((left & 0x7f) | 0x80)
    left >>>= 7
  }
  return Buffer.from([...bytes, left])
}

/** A section of a component or core module. */
export function section(id: number, ...content: readonly (string | readonly number[] | Uint8Array)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => (typeof part === 'string' ? name(part) : Buffer.from(part))))
  return Buffer.concat([Buffer.from([id]), leb(bytes.length), bytes])
}

function name(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([leb(bytes.length), bytes])
}

/** A walk of its own over the sections: the tests do not trust the parser they test. */
function firstCoreModule(component: Uint8Array): { start: number; contentStart: number; end: number } {
  let offset = 8
  while (offset < component.length) {
    const start = offset
    const id = component[offset]
    let sizeBytes = 0
    let shift = 0
    for (;;) {
      offset += 1
      const byte = component[offset] ?? 0
      sizeBytes += (byte & 0x7f) * 2 ** shift
      shift += 7
      if (byte < 0x80) break
    }
    const contentStart = offset + 1
    if (id === 1) return { start, contentStart, end: contentStart + sizeBytes }
    offset = contentStart + sizeBytes
  }
  throw new Error('the component has no core module')
}
