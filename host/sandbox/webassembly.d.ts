/** The part of the WebAssembly JavaScript API that the host uses; Node's types leave it to lib.dom. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
    static exports(module: Module): { readonly name: string; readonly kind: string }[]
  }
  class Instance {
    constructor(module: Module, imports?: Imports)
    readonly exports: Readonly<Record<string, unknown>>
  }
  class Memory {
    private constructor()
    readonly buffer: ArrayBuffer
  }
  class RuntimeError extends Error {}
  class CompileError extends Error {}
  type ModuleImports = Record<string, (...parameters: never[]) => unknown>
  type Imports = Record<string, ModuleImports>
  function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Module>
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean
}
