/**
 * A core module as data. Decodes the part of WebAssembly that a module may use and refuses the rest by
 * name; what the module then imports, exports and holds is judged by guest-rules.ts (the guest) and
 * shims.ts (the modules that a toolchain puts around it). Offsets say where each thing lies in the
 * bytes, so that a rewriter can copy what it does not change.
 */
import { HostError } from '../errors.ts'
import { functionParametersMax, localsMax, moduleSectionsMax } from '../limits.ts'
import { malformedAt, quoteName } from './binary-reader.ts'
import type { BinaryReader } from './binary-reader.ts'
import { OPCODE, walkBody } from './instructions.ts'

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64'

export interface Span {
  readonly start: number
  readonly end: number
}

export interface CoreSection extends Span {
  readonly id: number
  /** First byte after id and size. */
  readonly contentStart: number
}

export interface FunctionType {
  readonly parameters: readonly ValueType[]
  readonly results: readonly ValueType[]
}

export interface Limits {
  readonly min: number
  readonly max: number | undefined
}

export type CoreImport =
  | { readonly kind: 'function'; readonly module: string; readonly name: string; readonly type: number }
  | { readonly kind: 'table'; readonly module: string; readonly name: string; readonly limits: Limits }

export interface CoreGlobal {
  readonly type: ValueType
  readonly mutable: boolean
  /** The constant expression with its `end`. */
  readonly initial: Span
}

export interface CoreExport {
  readonly kind: 'function' | 'table' | 'memory' | 'global'
  readonly index: number
}

/** An active segment of table 0: functions from `offset` on. */
export interface ElementSegment {
  readonly offset: number
  readonly functions: readonly number[]
}

export interface FunctionBody extends Span {
  readonly locals: readonly { readonly count: number; readonly type: ValueType }[]
  /** First instruction. */
  readonly codeStart: number
}

/** An active segment of memory 0: bytes from `offset` on. */
export interface DataSegment {
  readonly offset: number
  readonly bytes: Span
}

export interface CoreModule {
  readonly bytes: Uint8Array
  readonly span: Span
  readonly sections: readonly CoreSection[]
  readonly types: readonly FunctionType[]
  readonly imports: readonly CoreImport[]
  /** Type index of each imported function, and of each function the module defines (as `bodies`). */
  readonly importedFunctions: readonly number[]
  readonly functions: readonly number[]
  readonly tables: readonly Limits[]
  readonly memories: readonly Limits[]
  readonly globals: readonly CoreGlobal[]
  readonly exports: ReadonlyMap<string, CoreExport>
  readonly start: number | undefined
  readonly elements: readonly ElementSegment[]
  readonly bodies: readonly FunctionBody[]
  readonly data: readonly DataSegment[]
}

export const CORE_HEADER: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]

/** Sections in the order in which they must stand; 12 is the data count, 13 (tags) is not allowed. */
const SECTION_ORDER: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]

/**
 * Decodes the module that `reader` spans, every instruction of it.
 *
 * @throws HostError ERR_COMPONENT_MALFORMED for bytes that are no module, ERR_COMPONENT_CORE for a
 * feature that no module may use.
 */
export function decodeCoreModule(reader: BinaryReader): CoreModule {
  return new CoreModuleDecoder(reader).decode()
}

/** The type of a function by its index, imported ones first. */
export function functionTypeOf(module: CoreModule, index: number): FunctionType {
  const imported = module.importedFunctions
  return typeAt(module, index < imported.length ? imported[index] : module.functions[index - imported.length])
}

export function typeAt(module: CoreModule, typeIndex: number | undefined): FunctionType {
  const type = typeIndex === undefined ? undefined : module.types[typeIndex]
  if (type === undefined) throw malformedAt(module.span.start, 'functions and types that exist, found an index past the last one')
  return type
}

/** One text for one type: `(i32 i32) -> (i64)`. */
export function signatureText(type: FunctionType): string {
  return `(${type.parameters.join(' ')}) -> (${type.results.join(' ')})`
}

/** The module's bytes without custom sections: names and hints that an engine would read. */
export function withoutCustomSections(module: CoreModule): Uint8Array<ArrayBuffer> {
  const kept = module.sections.filter((section) => section.id !== 0)
  const sizeBytes = kept.reduce((sum, section) => sum + section.end - section.start, CORE_HEADER.length)
  const stripped = new Uint8Array(sizeBytes)
  stripped.set(CORE_HEADER)
  let offset = CORE_HEADER.length
  for (const section of kept) {
    stripped.set(module.bytes.subarray(section.start, section.end), offset)
    offset += section.end - section.start
  }
  return stripped
}

class CoreModuleDecoder {
  readonly #reader: BinaryReader
  readonly #sections: CoreSection[] = []
  readonly #types: FunctionType[] = []
  readonly #imports: CoreImport[] = []
  readonly #functions: number[] = []
  readonly #tables: Limits[] = []
  readonly #memories: Limits[] = []
  readonly #globals: CoreGlobal[] = []
  readonly #exports = new Map<string, CoreExport>()
  readonly #elements: ElementSegment[] = []
  readonly #bodies: FunctionBody[] = []
  readonly #data: DataSegment[] = []
  #start: number | undefined
  #dataCount: number | undefined
  #locals = 0

  constructor(reader: BinaryReader) {
    this.#reader = reader
  }

  decode(): CoreModule {
    const span = { start: this.#reader.offset, end: this.#reader.end }
    for (const byte of CORE_HEADER) {
      if (this.#reader.u8('the header of a core module') !== byte) {
        throw malformedAt(this.#reader.offset - 1, 'the header of a core module, version 1')
      }
    }
    this.#decodeSections()
    this.#checkCounts()
    return {
      bytes: this.#reader.bytes,
      span,
      sections: this.#sections,
      types: this.#types,
      imports: this.#imports,
      importedFunctions: this.#imports.flatMap((entry) => (entry.kind === 'function' ? [entry.type] : [])),
      functions: this.#functions,
      tables: this.#tables,
      memories: this.#memories,
      globals: this.#globals,
      exports: this.#exports,
      start: this.#start,
      elements: this.#elements,
      bodies: this.#bodies,
      data: this.#data,
    }
  }

  #decodeSections(): void {
    let last = -1
    while (!this.#reader.atEnd) {
      const start = this.#reader.offset
      const id = this.#reader.u8('a section of a core module')
      const content = this.#reader.sized('a section of a core module')
      this.#sections.push({ id, start, contentStart: content.offset, end: content.end })
      if (this.#sections.length > moduleSectionsMax) throw malformedAt(start, `at most ${moduleSectionsMax} sections in a module`)
      if (id === 0) {
        content.name('the name of a custom section')
        continue
      }
      if (id === 13) throw refused(start, 'exceptions')
      const place = SECTION_ORDER.indexOf(id)
      if (place <= last) throw malformedAt(start, `known sections, each once and in order, found section ${id}`)
      last = place
      this.#decodeSection(id, content)
      content.expectEnd(`section ${id} of a core module`)
    }
  }

  #decodeSection(id: number, content: BinaryReader): void {
    switch (id) {
      case 1:
        return repeat(content, 'types', () => this.#types.push(readFunctionType(content)))
      case 2:
        return repeat(content, 'imports', () => this.#imports.push(readImport(content)))
      case 3:
        return repeat(content, 'functions', () => this.#functions.push(content.u32('the index of a type')))
      case 4:
        return repeat(content, 'tables', () => this.#tables.push(readTable(content)))
      case 5:
        return repeat(content, 'memories', () => this.#memories.push(readLimits(content, 'memory')))
      case 6:
        return repeat(content, 'globals', () => this.#globals.push(readGlobal(content)))
      case 7:
        return repeat(content, 'exports', () => this.#readExport(content))
      case 8:
        this.#start = content.u32('the index of the start function')
        return
      case 9:
        return repeat(content, 'element segments', () => this.#elements.push(readElements(content)))
      case 10:
        return repeat(content, 'function bodies', () => this.#readBody(content))
      case 11:
        return repeat(content, 'data segments', () => this.#data.push(readData(content)))
      case 12:
        this.#dataCount = content.u32('the number of data segments')
    }
  }

  #readExport(reader: BinaryReader): void {
    const start = reader.offset
    const name = reader.name('the name of an export')
    const kind = EXPORT_KINDS[reader.u8('the kind of an export')]
    if (kind === undefined) throw malformedAt(start, 'an export of a function, table, memory or global')
    if (this.#exports.has(name)) throw malformedAt(start, `each export once, found ${quoteName(name)} twice`)
    this.#exports.set(name, { kind, index: reader.u32('the index of an export') })
  }

  #readBody(reader: BinaryReader): void {
    const body = reader.sized('a function body')
    const start = body.offset
    const locals: { count: number; type: ValueType }[] = []
    repeat(body, 'groups of locals', () => {
      const count = body.u32('a number of locals')
      this.#locals += count
      if (this.#locals > localsMax) throw new HostError('ERR_COMPONENT_CORE', `a module may have at most ${localsMax} locals in all its functions`)
      locals.push({ count, type: readValueType(body) })
    })
    this.#bodies.push({ start, end: body.end, locals, codeStart: body.offset })
    walkBody(body)
  }

  #checkCounts(): void {
    const at = this.#reader.end
    if (this.#bodies.length !== this.#functions.length) {
      throw malformedAt(at, `${this.#functions.length} function bodies, found ${this.#bodies.length}`)
    }
    if (this.#dataCount !== undefined && this.#dataCount !== this.#data.length) {
      throw malformedAt(at, `${this.#dataCount} data segments, found ${this.#data.length}`)
    }
  }
}

const EXPORT_KINDS = ['function', 'table', 'memory', 'global'] as const

function repeat(reader: BinaryReader, what: string, read: () => unknown): void {
  for (let left = reader.count(what); left > 0; left -= 1) read()
}

function readFunctionType(reader: BinaryReader): FunctionType {
  const start = reader.offset
  const form = reader.u8('a function type')
  if (form !== 0x60) throw form >= 0x4e && form <= 0x5f ? refused(start, 'garbage collection') : malformedAt(start, 'a function type')
  return { parameters: readValueTypes(reader), results: readValueTypes(reader) }
}

function readValueTypes(reader: BinaryReader): ValueType[] {
  const types: ValueType[] = []
  const start = reader.offset
  repeat(reader, 'value types', () => types.push(readValueType(reader)))
  if (types.length > functionParametersMax) throw malformedAt(start, `at most ${functionParametersMax} parameters or results, found ${types.length}`)
  return types
}

function readValueType(reader: BinaryReader): ValueType {
  const start = reader.offset
  switch (reader.u8('a value type')) {
    case 0x7f:
      return 'i32'
    case 0x7e:
      return 'i64'
    case 0x7d:
      return 'f32'
    case 0x7c:
      return 'f64'
    case 0x7b:
      throw refused(start, 'SIMD')
    default:
      throw refused(start, 'reference types or garbage collection')
  }
}

function readImport(reader: BinaryReader): CoreImport {
  const start = reader.offset
  const module = reader.name('the module of an import')
  const name = reader.name('the name of an import')
  switch (reader.u8('the kind of an import')) {
    case 0x00:
      return { kind: 'function', module, name, type: reader.u32('the index of a type') }
    case 0x01:
      return { kind: 'table', module, name, limits: readTable(reader) }
    default:
      throw refused(start, `an import of anything but a function (${quoteName(module)} ${quoteName(name)})`)
  }
}

function readTable(reader: BinaryReader): Limits {
  const start = reader.offset
  if (reader.u8('a table') !== 0x70) throw refused(start, 'reference types')
  return readLimits(reader, 'table')
}

/** Flag 1 is a maximum, 2 shared memory, 4 addresses of 64 bits, 8 pages of another size. */
function readLimits(reader: BinaryReader, what: 'memory' | 'table'): Limits {
  const start = reader.offset
  const flags = reader.u8(`the limits of a ${what}`)
  if ((flags & 0x02) !== 0) throw refused(start, 'threads and atomics')
  if ((flags & 0x04) !== 0) throw refused(start, 'memory64')
  if (flags > 0x01) throw refused(start, 'pages of another size than 64 KiB')
  const min = reader.u32(`the initial size of a ${what}`)
  const max = flags === 0x01 ? reader.u32(`the maximum size of a ${what}`) : undefined
  return { min, max }
}

function readGlobal(reader: BinaryReader): CoreGlobal {
  const type = readValueType(reader)
  const start = reader.offset
  const mutable = reader.u8('whether a global is mutable')
  if (mutable > 1) throw malformedAt(start, 'whether a global is mutable, 0 or 1')
  return { type, mutable: mutable === 1, initial: readConstant(reader) }
}

/** One constant and `end`: more would be work at instantiation, before any fuel is counted. */
function readConstant(reader: BinaryReader): Span {
  const start = reader.offset
  switch (reader.u8('a constant')) {
    case 0x41:
      reader.signed(32, 'an i32 constant')
      break
    case 0x42:
      reader.signed(64, 'an i64 constant')
      break
    case 0x43:
      reader.skip(4, 'an f32 constant')
      break
    case 0x44:
      reader.skip(8, 'an f64 constant')
      break
    default:
      throw refused(start, 'an initial value or offset that is not one constant')
  }
  expectEndInstruction(reader)
  return { start, end: reader.offset }
}

/** The offset of an active segment as the engine reads it: an i32 without sign. */
function readSegmentOffset(reader: BinaryReader): number {
  const start = reader.offset
  if (reader.u8('an offset') !== OPCODE.i32Const) throw refused(start, 'an initial value or offset that is not one constant')
  const offset = reader.signed(32, 'an offset') >>> 0
  expectEndInstruction(reader)
  return offset
}

function expectEndInstruction(reader: BinaryReader): void {
  const start = reader.offset
  if (reader.u8('the end of a constant') !== OPCODE.end) throw refused(start, 'an initial value or offset that is not one constant')
}

function readElements(reader: BinaryReader): ElementSegment {
  const start = reader.offset
  if (reader.u32('an element segment') !== 0) throw refused(start, 'element segments other than functions for table 0')
  const offset = readSegmentOffset(reader)
  const functions: number[] = []
  repeat(reader, 'table elements', () => functions.push(reader.u32('the index of a function')))
  return { offset, functions }
}

function readData(reader: BinaryReader): DataSegment {
  const start = reader.offset
  if (reader.u32('a data segment') !== 0) throw refused(start, 'data segments other than active ones of memory 0')
  const offset = readSegmentOffset(reader)
  const bytes = reader.sized('a data segment')
  return { offset, bytes: { start: bytes.offset, end: bytes.end } }
}

function refused(offset: number, feature: string): HostError {
  return new HostError('ERR_COMPONENT_CORE', `byte ${offset} of the upload: a module may not use ${feature}`, {
    detail: { offset, feature },
  })
}
