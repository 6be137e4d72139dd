/**
 * wit/module.wit as data: what a component may import and must export, each function with its
 * component type and with the core signature that the canonical ABI lowers it to. test/module holds
 * it against the WIT text.
 */
export interface WorldFunction {
  /** As component-types.ts writes types: handles say whether they are owned or borrowed. */
  readonly type: string
  /** As `signatureText` of core-module.ts writes it. */
  readonly core: string
  /** True where the host allocates in the guest's memory, so that a realloc must be given. */
  readonly allocates: boolean
}

/** What an imported interface holds: functions, and the types that they name. */
export type WorldItem = ({ readonly kind: 'function' } & WorldFunction) | { readonly kind: 'type'; readonly type: string }

export const WORLD_NAME = 'remembrancer:module@1.0.0'
export const TABLES_INTERFACE = 'remembrancer:module/tables@1.0.0'

/** The core import that drops a handle: made by the canonical ABI, not written in the WIT. */
export const TABLE_DROP = '[resource-drop]table'
export const TABLE_DROP_CORE = '(i32) -> ()'

export const REALLOC = 'cabi_realloc'
export const REALLOC_CORE = '(i32 i32 i32 i32) -> (i32)'

/** Every component type of the world except functions. A type that is not here is not of the world. */
export const WORLD_TYPES: ReadonlySet<string> = new Set([
  'u8',
  'u32',
  'u64',
  'table',
  'own<table>',
  'borrow<table>',
  'list<u8>',
  'list<own<table>>',
  'result<list<u8>, list<u8>>',
  'enum{debug, info, warn, error}',
])

export const WORLD_IMPORTS: ReadonlyMap<string, ReadonlyMap<string, WorldItem>> = new Map([
  [
    TABLES_INTERFACE,
    new Map<string, WorldItem>([
      ['table', { kind: 'type', type: 'table' }],
      ['[method]table.get', rowsFrom('key')],
      ['[method]table.scan', rowsFrom('scan')],
      ['[method]table.count', tableMethod('scan', 'u64', '(i32 i32 i32) -> (i64)')],
      ['[method]table.insert', rowsFrom('rows')],
      ['[method]table.update', tableMethod('rows', 'u32', '(i32 i32 i32) -> (i32)')],
      ['[method]table.delete', tableMethod('keys', 'u32', '(i32 i32 i32) -> (i32)')],
    ]),
  ],
  [
    'remembrancer:module/log@1.0.0',
    new Map<string, WorldItem>([
      ['level', { kind: 'type', type: 'enum{debug, info, warn, error}' }],
      ['write', worldFunction('func(level: enum{debug, info, warn, error}, message: list<u8>)', '(i32 i32 i32) -> ()', false)],
    ]),
  ],
  ['remembrancer:module/outcome@1.0.0', new Map<string, WorldItem>([['fail', worldFunction('func(message: list<u8>)', '(i32 i32) -> ()', false)]])],
])

export const WORLD_EXPORTS: ReadonlyMap<string, WorldFunction> = new Map([
  ['describe', worldFunction('func() -> list<u8>', '() -> (i32)', false)],
  [
    'call',
    worldFunction(
      'func(reducer: u32, context: list<u8>, tables: list<own<table>>, args: list<u8>) -> result<list<u8>, list<u8>>',
      '(i32 i32 i32 i32 i32 i32 i32) -> (i32)',
      true,
    ),
  ],
])

/** The core signature that a guest's import must have, or undefined where the world has no such function. */
export function coreImportSignature(module: string, name: string): string | undefined {
  if (module === TABLES_INTERFACE && name === TABLE_DROP) return TABLE_DROP_CORE
  const item = WORLD_IMPORTS.get(module)?.get(name)
  return item?.kind === 'function' ? item.core : undefined
}

function rowsFrom(parameter: string): WorldItem {
  return worldFunction(`func(self: borrow<table>, ${parameter}: list<u8>) -> list<u8>`, '(i32 i32 i32 i32) -> ()', true)
}

function tableMethod(parameter: string, result: string, core: string): WorldItem {
  return worldFunction(`func(self: borrow<table>, ${parameter}: list<u8>) -> ${result}`, core, false)
}

function worldFunction(type: string, core: string, allocates: boolean): { readonly kind: 'function' } & WorldFunction {
  return { kind: 'function', type, core, allocates }
}
