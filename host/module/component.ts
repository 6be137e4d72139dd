/**
 * The binary of a component as a graph: each core instance, function and export knows what it was made
 * from, and no index is left. Decodes the sections that a plain component of our world can have and
 * refuses all others; wiring.ts then judges the graph.
 *
 *   shim instance ── aliases ─┐
 *                             ├─ instance of imports ─► guest instance ── aliases ─► lift ─► exports
 *   imported function ─ lower ┘ (through fixup)
 */
import { HostError } from '../errors.ts'
import { BinaryReader, malformedAt, quoteName } from './binary-reader.ts'
import { forEachEntry, readAscription, readComponentSections } from './component-sections.ts'
import type { ComponentSection } from './component-sections.ts'
import { readComponentType, readExternName, readTypeBound, foreignType } from './component-types.ts'
import type { ComponentType, InstanceType } from './component-types.ts'
import type { Span } from './core-module.ts'

/** An export of an instantiated core module. */
export interface CoreAlias {
  readonly kind: 'alias'
  readonly sort: CoreSort
  readonly instance: CoreInstance
  readonly name: string
}

export type CoreItem =
  | CoreAlias
  | { readonly kind: 'lower'; readonly imported: ImportedFunction; readonly options: CanonicalOptions }
  | { readonly kind: 'drop' }

export type CoreSort = 'function' | 'table' | 'memory'

export type CoreInstance =
  | { readonly kind: 'instantiated'; readonly module: number; readonly place: number; readonly args: ReadonlyMap<string, CoreInstance> }
  | { readonly kind: 'bundle'; readonly exports: ReadonlyMap<string, CoreItem> }

export interface CanonicalOptions {
  readonly memory: CoreAlias | undefined
  readonly realloc: CoreItem | undefined
  readonly postReturn: CoreItem | undefined
}

export interface ImportedFunction {
  readonly kind: 'imported'
  readonly interfaceName: string
  readonly name: string
}

export interface LiftedFunction {
  readonly kind: 'lifted'
  readonly core: CoreItem
  readonly type: string
  readonly options: CanonicalOptions
}

export interface Component {
  readonly bytes: Uint8Array
  readonly coreModules: readonly Span[]
  readonly coreInstances: readonly CoreInstance[]
  readonly imports: ReadonlyMap<string, InstanceType>
  readonly exports: ReadonlyMap<string, LiftedFunction>
}

/**
 * @throws HostError ERR_COMPONENT_MALFORMED, ERR_COMPONENT_KIND for a bare core module,
 * ERR_COMPONENT_WORLD for imports, exports and types of another world, ERR_COMPONENT_WIRING for
 * definitions that no plain component has.
 */
export function decodeComponent(bytes: Uint8Array): Component {
  const decoder = new ComponentDecoder(bytes)
  for (const section of readComponentSections(bytes)) decoder.decodeSection(section)
  return decoder.component()
}

class ComponentDecoder {
  readonly #bytes: Uint8Array
  readonly #coreModules: Span[] = []
  readonly #coreInstances: CoreInstance[] = []
  readonly #coreFunctions: CoreItem[] = []
  readonly #coreTables: CoreAlias[] = []
  readonly #coreMemories: CoreAlias[] = []
  readonly #types: ComponentType[] = []
  readonly #instances: { readonly name: string; readonly type: InstanceType }[] = []
  readonly #functions: (ImportedFunction | LiftedFunction)[] = []
  readonly #imports = new Map<string, InstanceType>()
  readonly #exports = new Map<string, LiftedFunction>()
  #importsTable = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  component(): Component {
    return {
      bytes: this.#bytes,
      coreModules: this.#coreModules,
      coreInstances: this.#coreInstances,
      imports: this.#imports,
      exports: this.#exports,
    }
  }

  decodeSection({ id, start, content }: ComponentSection): void {
    const reader = new BinaryReader(this.#bytes, content.start, content.end)
    switch (id) {
      case 0:
        reader.name('the name of a custom section')
        return
      case 1:
        this.#coreModules.push(content)
        return
      case 2:
        return forEachEntry(reader, 'core instances', () => this.#readCoreInstance(reader))
      case 6:
        return forEachEntry(reader, 'aliases', () => this.#readAlias(reader))
      case 7:
        return forEachEntry(reader, 'types', () => this.#types.push(readComponentType(reader, this.#types)))
      case 8:
        return forEachEntry(reader, 'canonical functions', () => this.#readCanonical(reader))
      case 10:
        return forEachEntry(reader, 'imports', () => this.#readImport(reader))
      case 11:
        return forEachEntry(reader, 'exports', () => this.#readExport(reader))
      default:
        throw refusedSection(id, start)
    }
  }

  #readCoreInstance(reader: BinaryReader): void {
    const start = reader.offset
    switch (reader.u8('a core instance')) {
      case 0x00:
        this.#coreInstances.push(this.#readInstantiation(reader))
        return
      case 0x01:
        this.#coreInstances.push(this.#readBundle(reader))
        return
      default:
        throw malformedAt(start, 'a core instance')
    }
  }

  #readInstantiation(reader: BinaryReader): CoreInstance {
    const start = reader.offset
    const module = reader.u32('the index of a core module')
    if (module >= this.#coreModules.length) throw malformedAt(start, 'the index of a core module')
    const args = new Map<string, CoreInstance>()
    for (let left = reader.count('arguments of a core instance'); left > 0; left -= 1) {
      const at = reader.offset
      const name = reader.name('the name of an argument')
      if (reader.u8('the kind of an argument') !== 0x12) throw malformedAt(at, 'a core instance as an argument')
      if (args.has(name)) throw malformedAt(at, `each argument once, found ${quoteName(name)} twice`)
      args.set(name, entryAt(this.#coreInstances, reader, 'a core instance'))
    }
    return { kind: 'instantiated', module, place: this.#coreInstances.length, args }
  }

  /** Functions and tables put together under names; tables are known by the alias they came from. */
  #readBundle(reader: BinaryReader): CoreInstance {
    const exports = new Map<string, CoreItem>()
    for (let left = reader.count('exports of a core instance'); left > 0; left -= 1) {
      const start = reader.offset
      const name = reader.name('the name of an export')
      if (exports.has(name)) throw malformedAt(start, `each export once, found ${quoteName(name)} twice`)
      exports.set(name, this.#readCoreItem(reader))
    }
    return { kind: 'bundle', exports }
  }

  #readCoreItem(reader: BinaryReader): CoreItem {
    const start = reader.offset
    switch (reader.u8('the kind of a core export')) {
      case 0x00:
        return entryAt(this.#coreFunctions, reader, 'a core function')
      case 0x01:
        return entryAt(this.#coreTables, reader, 'a core table')
      default:
        throw refusedWiring('core instances that pass on anything but functions and tables', start)
    }
  }

  #readAlias(reader: BinaryReader): void {
    const start = reader.offset
    const sort = reader.u8('the kind of an alias')
    if (sort === 0x00) return this.#readCoreAlias(reader)
    const target = reader.u8('the target of an alias')
    if (target !== 0x00) throw refusedWiring('aliases of anything but exports', start)
    this.#aliasImport(reader, sort, start)
  }

  #readCoreAlias(reader: BinaryReader): void {
    const start = reader.offset
    const sort = CORE_SORTS[reader.u8('the kind of a core alias')]
    if (reader.u8('the target of an alias') !== 0x01 || sort === undefined) {
      throw refusedWiring('aliases of anything but functions, tables and memories of core instances', start)
    }
    const instance = entryAt(this.#coreInstances, reader, 'a core instance')
    const alias: CoreAlias = { kind: 'alias', sort, instance, name: reader.name('the name of an export') }
    if (sort === 'function') this.#coreFunctions.push(alias)
    if (sort === 'table') this.#coreTables.push(alias)
    if (sort === 'memory') this.#coreMemories.push(alias)
  }

  /** A function or type of an imported instance. */
  #aliasImport(reader: BinaryReader, sort: number, start: number): void {
    const instance = entryAt(this.#instances, reader, 'an imported instance')
    const name = reader.name('the name of an export')
    const type = instance.type.exports.get(name)
    if (sort === 0x01 && type?.kind === 'function') {
      this.#functions.push({ kind: 'imported', interfaceName: instance.name, name })
    } else if (sort === 0x03 && type?.kind === 'type') {
      this.#types.push(type)
    } else {
      throw refusedWiring(`the alias ${quoteName(name)}, which is no function or type of an imported instance`, start)
    }
  }

  #readCanonical(reader: BinaryReader): void {
    const start = reader.offset
    switch (reader.u8('a canonical function')) {
      case 0x00:
        return this.#readLift(reader, start)
      case 0x01:
        return this.#readLower(reader, start)
      case 0x03:
        return this.#readDrop(reader, start)
      default:
        throw refusedWiring('canonical functions other than lift, lower and resource.drop', start)
    }
  }

  #readLift(reader: BinaryReader, start: number): void {
    if (reader.u8('a lifted function') !== 0x00) throw malformedAt(start, 'a lifted function')
    const core = entryAt(this.#coreFunctions, reader, 'a core function')
    const options = this.#readOptions(reader)
    const type = entryAt(this.#types, reader, 'a function type')
    if (type.kind !== 'function') throw malformedAt(start, 'the type of a lifted function')
    this.#functions.push({ kind: 'lifted', core, type: type.text, options })
  }

  #readLower(reader: BinaryReader, start: number): void {
    if (reader.u8('a lowered function') !== 0x00) throw malformedAt(start, 'a lowered function')
    const imported = entryAt(this.#functions, reader, 'a function')
    if (imported.kind !== 'imported') throw refusedWiring('lowering of its own exports', start)
    this.#coreFunctions.push({ kind: 'lower', imported, options: this.#readOptions(reader) })
  }

  #readDrop(reader: BinaryReader, start: number): void {
    const type = entryAt(this.#types, reader, 'a resource')
    if (type.kind !== 'type' || type.text !== 'table') throw malformedAt(start, 'the resource "table"')
    this.#coreFunctions.push({ kind: 'drop' })
  }

  #readOptions(reader: BinaryReader): CanonicalOptions {
    let memory: CoreAlias | undefined
    let realloc: CoreItem | undefined
    let postReturn: CoreItem | undefined
    for (let left = reader.count('canonical options'); left > 0; left -= 1) {
      const start = reader.offset
      const option = reader.u8('a canonical option')
      if (option === 0x03 && memory === undefined) memory = entryAt(this.#coreMemories, reader, 'a core memory')
      else if (option === 0x04 && realloc === undefined) realloc = entryAt(this.#coreFunctions, reader, 'a core function')
      else if (option === 0x05 && postReturn === undefined) postReturn = entryAt(this.#coreFunctions, reader, 'a core function')
      else if (option !== 0x00) throw refusedOption(option, start)
    }
    return { memory, realloc, postReturn }
  }

  #readImport(reader: BinaryReader): void {
    const start = reader.offset
    const name = readExternName(reader, 'the name of an import')
    if (reader.u8('the kind of an import') === 0x05) return this.#importInstance(reader, name, start)
    const bound = readTypeBound(reader, this.#types)
    if (bound.kind === 'resource' || bound.text !== 'table' || this.#importsTable) throw foreignType(`this import ${quoteName(name)}`, start)
    this.#importsTable = true
    this.#types.push({ kind: 'type', text: bound.text })
  }

  #importInstance(reader: BinaryReader, name: string, start: number): void {
    const type = entryAt(this.#types, reader, 'an instance type')
    if (type.kind !== 'instance') throw malformedAt(start, 'an instance type')
    if (this.#imports.has(name)) throw malformedAt(start, `each import once, found ${quoteName(name)} twice`)
    this.#imports.set(name, type)
    this.#instances.push({ name, type })
  }

  #readExport(reader: BinaryReader): void {
    const start = reader.offset
    const name = readExternName(reader, 'the name of an export')
    reader.u8('the kind of an export')
    const exported = entryAt(this.#functions, reader, 'a function')
    if (exported.kind !== 'lifted') throw refusedWiring(`the export ${quoteName(name)} of what it imports`, start)
    if (this.#exports.has(name)) throw malformedAt(start, `each export once, found ${quoteName(name)} twice`)
    this.#checkAscription(exported, readAscription(reader), start)
    this.#exports.set(name, exported)
    this.#functions.push(exported)
  }

  #checkAscription(exported: LiftedFunction, typeIndex: number | undefined, start: number): void {
    if (typeIndex === undefined) return
    const type = this.#types[typeIndex]
    if (type?.kind !== 'function' || type.text !== exported.type) throw malformedAt(start, 'an export of the type that it declares')
  }
}

const CORE_SORTS = ['function', 'table', 'memory'] as const

function entryAt<T>(space: readonly T[], reader: BinaryReader, what: string): T {
  const start = reader.offset
  const index = reader.u32(`the index of ${what}`)
  const entry = space[index]
  if (entry === undefined) throw malformedAt(start, `the index of ${what} among ${space.length}, found ${index}`)
  return entry
}

const SECTION_NAMES: ReadonlyMap<number, string> = new Map([
  [3, 'core types'],
  [4, 'nested components'],
  [5, 'component instances'],
  [9, 'a start function'],
  [12, 'values'],
])

function refusedSection(id: number, offset: number): HostError {
  const name = SECTION_NAMES.get(id)
  return name === undefined ? malformedAt(offset, `a section of a component, found section ${id}`) : refusedWiring(name, offset)
}

const OPTION_NAMES: ReadonlyMap<number, string> = new Map([
  [0x01, 'strings in UTF-16'],
  [0x02, 'strings in Latin-1 or UTF-16'],
  [0x06, 'async functions'],
  [0x07, 'async functions'],
  [0x08, 'functions of another core type'],
  [0x09, 'garbage collection'],
])

function refusedOption(option: number, offset: number): HostError {
  const name = OPTION_NAMES.get(option)
  return name === undefined ? malformedAt(offset, 'a canonical option, each once') : refusedWiring(name, offset)
}

export function refusedWiring(what: string, offset: number): HostError {
  return new HostError(
    'ERR_COMPONENT_WIRING',
    `byte ${offset} of the upload: a module may not have ${what}. Only the plain wiring that "wasm-tools component new" makes is accepted`,
    { detail: { offset } },
  )
}
