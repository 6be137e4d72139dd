/**
 * Component types, each as one text (`list<u8>`, `func(...) -> ...`). Only the types of our own world
 * are known: everything that is read is looked up in WORLD_TYPES before anything can be built on it, so
 * no text grows past the world's longest one, whatever an upload describes.
 */
import { HostError } from '../errors.ts'
import { malformedAt, quoteName } from './binary-reader.ts'
import type { BinaryReader } from './binary-reader.ts'
import { WORLD_NAME, WORLD_TYPES } from './world.ts'

export interface InstanceType {
  readonly kind: 'instance'
  /** What the instance exports, each with its type's text. */
  readonly exports: ReadonlyMap<string, PlainType>
}

export interface PlainType {
  readonly kind: 'function' | 'type'
  readonly text: string
}

export type ComponentType = PlainType | InstanceType

/** Types that a section or an instance type has defined so far, by index. */
export type TypeSpace = readonly ComponentType[]

const PRIMITIVES: ReadonlyMap<number, string> = new Map([
  [0x7f, 'bool'],
  [0x7e, 's8'],
  [0x7d, 'u8'],
  [0x7c, 's16'],
  [0x7b, 'u16'],
  [0x7a, 's32'],
  [0x79, 'u32'],
  [0x78, 's64'],
  [0x77, 'u64'],
  [0x76, 'f32'],
  [0x75, 'f64'],
  [0x74, 'char'],
  [0x73, 'string'],
  [0x64, 'error-context'],
])

const FOREIGN_FORMS: ReadonlyMap<number, string> = new Map([
  [0x72, 'record'],
  [0x71, 'variant'],
  [0x6f, 'tuple'],
  [0x6e, 'flags'],
  [0x6b, 'option'],
  [0x67, 'list of fixed length'],
  [0x66, 'stream'],
  [0x65, 'future'],
  [0x63, 'map'],
  [0x43, 'async function'],
  [0x41, 'component'],
  [0x3f, 'resource'],
])

/** Function parameters and enum cases of the world's longest type, with room to name what is wrong. */
const memberCountMax = 16

/** One definition of a type section. */
export function readComponentType(reader: BinaryReader, space: TypeSpace): ComponentType {
  if (reader.peek('a component type') !== 0x42) return readPlainType(reader, space)
  reader.skip(1, 'an instance type')
  return readInstanceType(reader)
}

/** The text of a value type: a primitive, or a type that the space holds. */
export function readValueType(reader: BinaryReader, space: TypeSpace): string {
  const start = reader.offset
  const byte = reader.peek('a value type')
  if (byte >= 0x40 && byte < 0x80) {
    reader.skip(1, 'a value type')
    return ofWorld(PRIMITIVES.get(byte) ?? malformedForm(byte, start), start)
  }
  return valueTypeAt(space, reader.typeIndex('a value type'), start)
}

/** The text of a value type or resource that the space holds. */
export function valueTypeAt(space: TypeSpace, index: number, offset: number): string {
  const type = space[index]
  if (type?.kind !== 'type') throw malformedAt(offset, `the index of a value type, found ${index}`)
  return type.text
}

/** A name with the byte before it that tells its kind; other kinds are drafts of the component model. */
export function readExternName(reader: BinaryReader, what: string): string {
  const start = reader.offset
  if (reader.u8(what) !== 0x00) throw malformedAt(start, `${what} in its plain form`)
  return reader.name(what)
}

/** `eq` or `sub resource` behind the name of a type that is imported or exported. */
export function readTypeBound(reader: BinaryReader, space: TypeSpace): { readonly kind: 'same'; readonly text: string } | { readonly kind: 'resource' } {
  const start = reader.offset
  switch (reader.u8('the bound of a type')) {
    case 0x00:
      return { kind: 'same', text: valueTypeAt(space, reader.u32('the index of a type'), start) }
    case 0x01:
      return { kind: 'resource' }
    default:
      throw malformedAt(start, 'the bound of a type')
  }
}

export function foreignType(text: string, offset: number): HostError {
  return new HostError('ERR_COMPONENT_WORLD', `byte ${offset} of the upload: ${text} is not of the world ${WORLD_NAME}`, {
    detail: { offset, type: text },
  })
}

function readInstanceType(reader: BinaryReader): InstanceType {
  const space: ComponentType[] = []
  const exports = new Map<string, PlainType>()
  for (let left = reader.count('declarations of an instance type'); left > 0; left -= 1) {
    const start = reader.offset
    switch (reader.u8('a declaration')) {
      case 0x01:
        space.push(readPlainType(reader, space))
        break
      case 0x04:
        readExportDeclaration(reader, space, exports)
        break
      default:
        throw foreignType('an interface with core types, aliases or imports', start)
    }
  }
  return { kind: 'instance', exports }
}

function readExportDeclaration(reader: BinaryReader, space: ComponentType[], exports: Map<string, PlainType>): void {
  const start = reader.offset
  const name = readExternName(reader, 'the name of an export')
  if (exports.has(name)) throw malformedAt(start, `each export once, found ${quoteName(name)} twice`)
  const type = readExportedType(reader, space, name)
  if (type.kind === 'type') space.push(type)
  exports.set(name, type)
}

function readExportedType(reader: BinaryReader, space: TypeSpace, name: string): PlainType {
  const start = reader.offset
  switch (reader.u8('the kind of an export')) {
    case 0x01: {
      const type = space[reader.u32('the index of a function type')]
      if (type?.kind !== 'function') throw malformedAt(start, 'the index of a function type')
      return type
    }
    case 0x03: {
      const bound = readTypeBound(reader, space)
      if (bound.kind === 'same') return { kind: 'type', text: bound.text }
      if (name !== 'table') throw foreignType(`the resource ${quoteName(name)}`, start)
      return { kind: 'type', text: 'table' }
    }
    default:
      throw foreignType(`${quoteName(name)}, neither a function nor a type,`, start)
  }
}

/** Any type but an instance's: those do not nest. */
function readPlainType(reader: BinaryReader, space: TypeSpace): PlainType {
  const start = reader.offset
  const form = reader.u8('a component type')
  if (form === 0x40) return { kind: 'function', text: readFunctionType(reader, space) }
  return { kind: 'type', text: ofWorld(readDefinedType(reader, space, form, start), start) }
}

function readDefinedType(reader: BinaryReader, space: TypeSpace, form: number, start: number): string {
  switch (form) {
    case 0x70:
      return `list<${readValueType(reader, space)}>`
    case 0x69:
      return `own<${valueTypeAt(space, reader.u32('the index of a resource'), start)}>`
    case 0x68:
      return `borrow<${valueTypeAt(space, reader.u32('the index of a resource'), start)}>`
    case 0x6d:
      return `enum{${readEnumCases(reader).join(', ')}}`
    case 0x6a:
      return `result<${readOptionalType(reader, space)}, ${readOptionalType(reader, space)}>`
    default:
      return PRIMITIVES.get(form) ?? malformedForm(form, start)
  }
}

function readFunctionType(reader: BinaryReader, space: TypeSpace): string {
  const parameters: string[] = []
  for (let left = readMemberCount(reader, 'parameters'); left > 0; left -= 1) {
    parameters.push(`${readMemberName(reader, 'the name of a parameter')}: ${readValueType(reader, space)}`)
  }
  const start = reader.offset
  const form = reader.u8('the results of a function')
  if (form === 0x00) return `func(${parameters.join(', ')}) -> ${readValueType(reader, space)}`
  if (form !== 0x01 || reader.u8('the results of a function') !== 0x00) throw malformedAt(start, 'one result or none')
  return `func(${parameters.join(', ')})`
}

function readEnumCases(reader: BinaryReader): string[] {
  const cases: string[] = []
  for (let left = readMemberCount(reader, 'enum cases'); left > 0; left -= 1) cases.push(readMemberName(reader, 'the name of an enum case'))
  return cases
}

function readMemberCount(reader: BinaryReader, what: string): number {
  const start = reader.offset
  const count = reader.count(what)
  if (count > memberCountMax) throw foreignType(`a type with ${count} ${what}`, start)
  return count
}

/** A kebab-case word: only such a name may become part of a type's text. */
function readMemberName(reader: BinaryReader, what: string): string {
  const start = reader.offset
  const name = reader.name(what)
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) throw foreignType(`${what} ${quoteName(name)}`, start)
  return name
}

function readOptionalType(reader: BinaryReader, space: TypeSpace): string {
  const start = reader.offset
  switch (reader.u8('whether a result has a type')) {
    case 0x00:
      return '_'
    case 0x01:
      return readValueType(reader, space)
    default:
      throw malformedAt(start, 'whether a result has a type, 0 or 1')
  }
}

function ofWorld(text: string, offset: number): string {
  if (!WORLD_TYPES.has(text)) throw foreignType(`the type ${text}`, offset)
  return text
}

function malformedForm(form: number, offset: number): never {
  const foreign = FOREIGN_FORMS.get(form)
  throw foreign === undefined ? malformedAt(offset, `a component type, found 0x${form.toString(16)}`) : foreignType(`the type ${foreign}`, offset)
}
