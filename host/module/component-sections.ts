/**
 * The sections of a component and the names in them, before anything else is read: whether this is a
 * component at all, and whether it is one of our world.
 */
import { HostError } from '../errors.ts'
import { moduleSectionsMax } from '../limits.ts'
import { BinaryReader, malformedAt, quoteName } from './binary-reader.ts'
import { readExternName } from './component-types.ts'
import { CORE_HEADER } from './core-module.ts'
import type { Span } from './core-module.ts'
import { WORLD_EXPORTS, WORLD_IMPORTS, WORLD_NAME } from './world.ts'

export interface ComponentSection {
  readonly id: number
  readonly start: number
  readonly content: Span
}

const COMPONENT_HEADER: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00]

/**
 * The names are judged first, without the types: an upload for another world is told so by its imports
 * and exports, not by the first type that we do not know.
 */
export function readComponentSections(bytes: Uint8Array): ComponentSection[] {
  const sections = readSections(bytes)
  for (const { id, content } of sections) {
    const reader = new BinaryReader(bytes, content.start, content.end)
    if (id === 10) forEachEntry(reader, 'imports', () => checkImportName(reader))
    if (id === 11) forEachEntry(reader, 'exports', () => checkExportName(reader))
  }
  return sections
}

export function forEachEntry(reader: BinaryReader, what: string, read: () => void): void {
  for (let left = reader.count(what); left > 0; left -= 1) read()
  reader.expectEnd(`the section of ${what}`)
}

/** The index of the function type that an export is declared to have, where it is declared. */
export function readAscription(reader: BinaryReader): number | undefined {
  const start = reader.offset
  if (reader.u8('whether an export declares its type') === 0x00) return undefined
  if (reader.u8('the declared type of an export') !== 0x01) throw malformedAt(start, 'a function as the declared type of an export')
  return reader.u32('the index of a function type')
}

function readSections(bytes: Uint8Array): ComponentSection[] {
  const reader = new BinaryReader(bytes)
  readHeader(reader)
  const sections: ComponentSection[] = []
  while (!reader.atEnd) {
    const start = reader.offset
    const id = reader.u8('a section of a component')
    const content = reader.sized('a section of a component')
    sections.push({ id, start, content: { start: content.offset, end: content.end } })
    if (sections.length > moduleSectionsMax) throw malformedAt(start, `at most ${moduleSectionsMax} sections in a component`)
  }
  return sections
}

function readHeader(reader: BinaryReader): void {
  const { bytes } = reader
  if (CORE_HEADER.every((byte, index) => bytes[index] === byte)) {
    throw new HostError(
      'ERR_COMPONENT_KIND',
      `this is a core WebAssembly module; a component of the world ${WORLD_NAME} is wanted. ` +
        'Make one with "remembrancer build", or with "wasm-tools component embed" and "component new"',
    )
  }
  for (const byte of COMPONENT_HEADER) {
    if (reader.u8('the header of a component') !== byte) throw malformedAt(reader.offset - 1, 'the header of a component')
  }
}

function checkImportName(reader: BinaryReader): void {
  const name = readExternName(reader, 'the name of an import')
  const kind = reader.u8('the kind of an import')
  // A type's import carries its bound, any other import but a core module's the index of its type.
  if (kind === 0x03) reader.u8('the bound of a type')
  reader.u32('the index of a type')
  if (kind === 0x05 && WORLD_IMPORTS.has(name)) return
  if (kind === 0x03 && name === 'table') return
  throw foreignName(`import ${quoteName(name)}`, [...WORLD_IMPORTS.keys()])
}

function checkExportName(reader: BinaryReader): void {
  const name = readExternName(reader, 'the name of an export')
  const isFunction = reader.u8('the kind of an export') === 0x01
  if (!isFunction || !WORLD_EXPORTS.has(name)) throw foreignName(`export ${quoteName(name)}`, [...WORLD_EXPORTS.keys()])
  reader.u32('the index of a function')
  readAscription(reader)
}

function foreignName(what: string, allowed: readonly string[]): HostError {
  return new HostError('ERR_COMPONENT_WORLD', `the component may not ${what}: the world ${WORLD_NAME} has ${allowed.join(', ')} and nothing else`, {
    detail: { allowed },
  })
}
