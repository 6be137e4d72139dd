/**
 * The exports of a rewritten module. A guest gets the one door of sandbox/door.ts: a function that calls
 * what its first parameter names. Modules that are no guests keep their own exports, each wrapped.
 */
import { allocatorDepth, DOOR, DOOR_EXPORT, DOOR_PARAMETERS } from '../../sandbox/door.ts'
import { functionTypeOf } from '../core-module.ts'
import type { CoreModule } from '../core-module.ts'
import { BinaryWriter } from './binary-writer.ts'
import { DEPTH_GLOBAL, HOST_GLOBALS } from './injected.ts'
import type { Injected } from './injected.ts'
import type { Roles } from './roles.ts'

export interface RewrittenExport {
  readonly name: string
  /** As the binary format writes it. */
  readonly kind: 0 | 1 | 2 | 3
  readonly index: number
}

interface Parts {
  readonly module: CoreModule
  readonly injected: Injected
  readonly roles: Roles
}

/** These run on top of a call and get a depth of their own. */
const ON_TOP: ReadonlySet<string> = new Set(['cabi_realloc', 'cabi_post_call', 'cabi_post_describe'])

/** @param start runs before `_initialize` (start.ts). */
export function addDoor(parts: Parts, start: number | undefined): RewrittenExport {
  const { module, injected } = parts
  const names = Object.keys(DOOR)
  const writer = new BinaryWriter().u8(0)
  for (let left = names.length; left >= 0; left -= 1) writer.u8(0x02, 0x40)
  writer.u8(0x20, 0, 0x0e).u32(names.length)
  for (let label = 0; label <= names.length; label += 1) writer.u32(label)
  for (const name of names) {
    writer.u8(0x0b)
    if (name === '_initialize' && start !== undefined) writer.u8(0x10).u32(start)
    const entry = module.exports.get(name)
    if (entry?.kind === 'function') writeCall(writer, parts, { index: entry.index, firstParameter: 1, isOnTop: ON_TOP.has(name) })
    if (entry?.kind !== 'function' || functionTypeOf(module, entry.index).results.length === 0) writer.u8(0x41, 0)
    writer.u8(0x0f)
  }
  writer.u8(0x0b, 0x00, 0x0b)
  const parameters = Array.from({ length: DOOR_PARAMETERS + 1 }, () => 'i32' as const)
  const type = injected.addType({ parameters, results: ['i32'] })
  return { name: DOOR_EXPORT, kind: 0, index: injected.addFunction(type, writer.toBytes()) }
}

export function addWrappers(parts: Parts): readonly RewrittenExport[] {
  const { module, injected } = parts
  return [...module.exports].map(([name, { kind, index }]) => {
    switch (kind) {
      case 'function': {
        const writer = new BinaryWriter().u8(0)
        writeCall(writer, parts, { index, firstParameter: 0, isOnTop: false })
        return { name, kind: 0, index: injected.addFunction(typeIndexOf(module, index), writer.u8(0x0b).toBytes()) }
      }
      case 'table':
        return { name, kind: 1, index }
      case 'memory':
        return { name, kind: 2, index }
      case 'global':
        return { name, kind: 3, index: index + HOST_GLOBALS }
    }
  })
}

interface DoorCall {
  readonly index: number
  readonly firstParameter: number
  readonly isOnTop: boolean
}

function writeCall(writer: BinaryWriter, { module, roles }: Parts, { index, firstParameter, isOnTop }: DoorCall): void {
  for (const place of functionTypeOf(module, index).parameters.keys()) writer.u8(0x20).u32(firstParameter + place)
  if (roles.isCounted(index)) {
    if (isOnTop) writer.u8(0x41).s32(allocatorDepth)
    else writer.u8(0x23, DEPTH_GLOBAL)
  }
  writer.u8(0x10).u32(index)
}

function typeIndexOf({ importedFunctions, functions }: CoreModule, index: number): number {
  return (index < importedFunctions.length ? importedFunctions[index] : functions[index - importedFunctions.length]) ?? 0
}
