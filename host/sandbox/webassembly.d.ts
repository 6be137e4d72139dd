/** The part of the WebAssembly JavaScript API that the host uses; Node's types leave it to lib.dom. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
    static exports(module: Module): { readonly name: string; readonly kind: string }[]
    static customSections(module: Module, name: string): ArrayBuffer[]
  }
  class Instance {
    constructor(module: Module, imports?: Imports)
    readonly exports: Readonly<Record<string, unknown>>
  }
  class Memory {
    constructor(descriptor: { readonly initial: number; readonly maximum: number })
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  /** Only of i32 here: their values are numbers. */
  class Global {
    constructor(descriptor: { readonly value: 'i32'; readonly mutable: true }, value: number)
    value: number
  }
  class RuntimeError extends Error {}
  class CompileError extends Error {}
  type ImportValue = Memory | Global | ((...parameters: never[]) => unknown)
  type ModuleImports = Record<string, ImportValue>
  type Imports = Record<string, ModuleImports>
  function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Module>
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean
}
