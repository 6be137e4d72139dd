/**
 * The one wiring that is accepted. The host never runs a component's wrapper: it cuts core module 0 out
 * and gives it the world itself. That is only right if the wrapper would have done the same, so each
 * import of the guest is followed through shim and fixup to the function of the world that it ends in,
 * and each export back to the guest's own.
 */
import { HostError } from '../errors.ts'
import { BinaryReader, quoteName } from './binary-reader.ts'
import type { CanonicalOptions, Component, CoreInstance, CoreItem } from './component.ts'
import { decodeCoreModule } from './core-module.ts'
import type { CoreModule } from './core-module.ts'
import { INITIALIZE, postReturnOf } from './guest-rules.ts'
import { recognizeShim, SHIM_TABLE } from './shims.ts'
import type { NamedImport, Shim } from './shims.ts'
import { REALLOC, TABLE_DROP, TABLES_INTERFACE, WORLD_EXPORTS, WORLD_IMPORTS } from './world.ts'
import type { WorldFunction } from './world.ts'

type Instantiated = CoreInstance & { readonly kind: 'instantiated' }

interface Placed<K extends Shim['kind']> {
  readonly instance: Instantiated
  readonly shim: Shim & { readonly kind: K }
}

interface Parts {
  readonly guest: Instantiated
  readonly shim: Placed<'shim'> | undefined
  readonly fixup: Placed<'fixup'> | undefined
  readonly starter: Placed<'starter'> | undefined
}

/**
 * Checks the component around `guest`, its core module 0.
 *
 * @throws HostError ERR_COMPONENT_WORLD where imports, exports or their types are not the world's,
 * ERR_COMPONENT_WIRING where a conforming host would run the component in another way than ours.
 */
export function checkWiring(component: Component, guest: CoreModule): void {
  checkInterfaces(component)
  const parts = findParts(component)
  checkTable(parts)
  checkImports(parts, guest)
  checkInitialize(parts, guest)
  checkExports(component, parts, guest)
}

/** Each imported interface has a part of the world's functions and types, none of another type. */
function checkInterfaces(component: Component): void {
  for (const [interfaceName, { exports }] of component.imports) {
    for (const [name, found] of exports) {
      const wanted = WORLD_IMPORTS.get(interfaceName)?.get(name)
      if (wanted?.kind === found.kind && wanted.type === found.text) continue
      throw foreign(`${quoteName(name)} of ${quoteName(interfaceName)}: ${wanted?.type ?? 'there is none'} in the world, ${found.text} here`)
    }
  }
}

/** The guest and what stands around it: each core module instantiated once, none twice. */
function findParts(component: Component): Parts {
  const byModule = new Map<number, Instantiated>()
  for (const instance of component.coreInstances) {
    if (instance.kind !== 'instantiated') continue
    if (byModule.has(instance.module)) throw refused('a core module that is instantiated twice')
    byModule.set(instance.module, instance)
  }
  const guest = byModule.get(0)
  if (guest === undefined || byModule.size !== component.coreModules.length) throw refused('a core module that is never instantiated')
  const placed = component.coreModules.slice(1).map((span, index) => {
    const shim = recognizeShim(decodeCoreModule(new BinaryReader(component.bytes, span.start, span.end)))
    return { shim, instance: byModule.get(index + 1) ?? guest }
  })
  return { guest, shim: only(placed, 'shim'), fixup: only(placed, 'fixup'), starter: only(placed, 'starter') }
}

function only<K extends Shim['kind']>(placed: readonly { shim: Shim; instance: Instantiated }[], kind: K): Placed<K> | undefined {
  const [first, ...others] = placed.filter((one): one is Placed<K> => one.shim.kind === kind)
  if (others.length > 0) throw refused(`more than one core module of the kind "${kind}"`)
  return first
}

/** The table that the fixup fills is the shim's own, and is filled to its end. */
function checkTable({ shim, fixup }: Parts): void {
  if (shim === undefined && fixup === undefined) return
  if (shim === undefined || fixup === undefined) throw refused('a shim without its fixup')
  const table = argument(fixup.instance, fixup.shim.table)
  if (shim.shim.slotCount !== fixup.shim.slots.length) throw refused('a shim whose table its fixup does not fill')
  if (table?.kind !== 'alias' || table.sort !== 'table' || table.instance !== shim.instance || table.name !== SHIM_TABLE) {
    throw refused('a fixup that fills another table than the one of its shim')
  }
  for (const { slot } of shim.shim.functions.values()) {
    if (fixup.shim.slots[slot] === undefined) throw refused('a shim with a function that its fixup does not fill')
  }
}

/** Each function that the guest is given is the one of the world that its name says. */
function checkImports(parts: Parts, guest: CoreModule): void {
  for (const entry of guest.imports) {
    if (argument(parts.guest, entry) === undefined) throw refused(`the import ${quoteName(entry.name)} that nothing fills`)
  }
  for (const [interfaceName, bundle] of parts.guest.args) {
    if (bundle.kind !== 'bundle') throw refused('a guest that imports from another core module')
    for (const [name, item] of bundle.exports) checkImport(parts, interfaceName, name, item)
  }
}

function checkImport(parts: Parts, interfaceName: string, name: string, item: CoreItem): void {
  if (interfaceName === TABLES_INTERFACE && name === TABLE_DROP) {
    if (item.kind !== 'drop') throw refused(`the import ${quoteName(name)}, which does not drop a table`)
    return
  }
  const wanted = WORLD_IMPORTS.get(interfaceName)?.get(name)
  if (wanted?.kind !== 'function') throw foreign(`the import ${quoteName(name)} of ${quoteName(interfaceName)}`)
  const lowered = followShim(parts, item, wanted)
  if (lowered?.kind !== 'lower' || lowered.imported.interfaceName !== interfaceName || lowered.imported.name !== name) {
    throw refused(`the import ${quoteName(name)} of ${quoteName(interfaceName)}, which ends in another function`)
  }
  checkOptions(parts, lowered.options, wanted)
  if (lowered.options.postReturn !== undefined) throw refused('a post-return on an import')
}

/** What a function of the shim ends in: the fixup's argument for its slot. */
function followShim({ shim, fixup }: Parts, item: CoreItem, wanted: WorldFunction): CoreItem | undefined {
  if (shim === undefined || fixup === undefined || item.kind !== 'alias' || item.instance !== shim.instance) return undefined
  const forwarder = shim.shim.functions.get(item.name)
  const slot = forwarder && fixup.shim.slots[forwarder.slot]
  if (forwarder?.signature !== wanted.core || slot?.signature !== wanted.core) return undefined
  return argument(fixup.instance, slot)
}

/** `_initialize` runs once, after the imports are in place, or does not exist: the adapter does the same. */
function checkInitialize({ guest: instance, fixup, starter }: Parts, guest: CoreModule): void {
  const starts = [fixup, starter].flatMap((part) => (part?.shim.start === undefined ? [] : [argument(part.instance, part.shim.start)]))
  if (starts.length !== (guest.exports.has(INITIALIZE) ? 1 : 0)) {
    throw refused(`${starts.length} calls of ${INITIALIZE}: it is called once where the guest exports it`)
  }
  for (const start of starts) expectGuestExport(instance, start, INITIALIZE)
  if (starter !== undefined && fixup !== undefined && starter.instance.place < fixup.instance.place) {
    throw refused(`a call of ${INITIALIZE} before the imports are in place`)
  }
}

function checkExports(component: Component, parts: Parts, guest: CoreModule): void {
  for (const [name, wanted] of WORLD_EXPORTS) {
    const lifted = component.exports.get(name)
    if (lifted === undefined) throw foreign(`no export "${name}"`)
    if (lifted.type !== wanted.type) throw foreign(`the export "${name}": ${wanted.type} in the world, ${lifted.type} here`)
    expectGuestExport(parts.guest, lifted.core, name)
    checkOptions(parts, lifted.options, wanted)
    checkPostReturn(parts, lifted.options, guest, postReturnOf(name))
  }
}

function checkPostReturn({ guest: instance }: Parts, { postReturn }: CanonicalOptions, guest: CoreModule, name: string): void {
  if (guest.exports.has(name) !== (postReturn !== undefined)) throw refused(`${name} that is not the post-return of its function`)
  if (postReturn !== undefined) expectGuestExport(instance, postReturn, name)
}

function checkOptions({ guest }: Parts, { memory, realloc }: CanonicalOptions, wanted: WorldFunction): void {
  expectGuestExport(guest, memory, 'memory')
  if (wanted.allocates || realloc !== undefined) expectGuestExport(guest, realloc, REALLOC)
}

function expectGuestExport(guest: CoreInstance, item: CoreItem | undefined, name: string): void {
  if (item?.kind !== 'alias' || item.instance !== guest || item.name !== name) {
    throw refused(`anything but the guest's own ${name} in its place`)
  }
}

/** What an instance was given for one of its imports. */
function argument(instance: Instantiated, { module, name }: NamedImport): CoreItem | undefined {
  const given = instance.args.get(module)
  if (given?.kind === 'bundle') return given.exports.get(name)
  return given && { kind: 'alias', sort: name === SHIM_TABLE ? 'table' : 'function', instance: given, name }
}

function refused(what: string): HostError {
  return new HostError('ERR_COMPONENT_WIRING', `a module may not have ${what}. Only the plain wiring that "wasm-tools component new" makes is accepted`)
}

function foreign(what: string): HostError {
  return new HostError('ERR_COMPONENT_WORLD', `the component is of another world: ${what}`)
}
