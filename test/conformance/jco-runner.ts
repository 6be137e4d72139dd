/**
 * The world as jco's generated glue speaks it: the other implementation that the host's own adapter is
 * compared with. The glue is made of the reference component alone and never of an upload, whose names
 * would reach the generated code.
 *
 * Each call gets fresh glue with fresh instances. Where the component model says trap, jco throws a
 * TypeError or lets V8's own error through: `hostError` gives those the host's code, and what it does
 * not know it passes on, so that a difference shows. Sizes are the host's rule, not the world's, and
 * stand here again.
 */
import { transpile } from '@bytecodealliance/jco'

import { HostError } from '../../host/errors.ts'
import * as limits from '../../host/limits.ts'
import type { GuestRunner } from '../../host/reducer/active-module.ts'
import type { GuestCall, GuestOutcome } from '../../host/sandbox/guest-module.ts'
import type { GuestTable } from '../../host/sandbox/handle-table.ts'

/** What jco makes of wit/module.wit: lists of bytes, enums as strings, `err` thrown as the payload of an error. */
interface World {
  describe(): Uint8Array
  call(reducer: number, context: Uint8Array, tables: readonly Table[], args: Uint8Array): Uint8Array
}

interface WorldImports {
  readonly 'remembrancer:module/tables': { readonly Table: typeof Table }
  readonly 'remembrancer:module/log': { write(level: string, message: Uint8Array): void }
  readonly 'remembrancer:module/outcome': { fail(message: Uint8Array): void }
}

type Instantiate = (coreModule: (name: string) => WebAssembly.Module, imports: WorldImports) => World

const levels = ['debug', 'info', 'warn', 'error']

export class JcoRunner implements GuestRunner {
  readonly #instantiate: Instantiate
  readonly #cores: ReadonlyMap<string, WebAssembly.Module>

  private constructor(instantiate: Instantiate, cores: ReadonlyMap<string, WebAssembly.Module>) {
    this.#instantiate = instantiate
    this.#cores = cores
  }

  /** `component` is our own reference module. */
  static async of(component: Uint8Array): Promise<JcoRunner> {
    const { files } = await transpile(component, { name: 'reference', instantiation: 'sync', noTypescript: true })
    const cores = new Map<string, WebAssembly.Module>()
    for (const [name, bytes] of Object.entries(files)) if (name.endsWith('.wasm')) cores.set(name, await WebAssembly.compile(new Uint8Array(bytes)))
    const glue: unknown = await import(`data:text/javascript;base64,${Buffer.from(files['reference.js'] ?? '').toString('base64')}`)
    return new JcoRunner((glue as { readonly instantiate: Instantiate }).instantiate, cores)
  }

  describe(): Uint8Array {
    return this.#start({ log: () => undefined }).describe()
  }

  run(call: GuestCall): GuestOutcome {
    try {
      const tables = call.tables.map((table) => new Table(table))
      const result = this.#start(call).call(call.reducer, call.context, tables, call.args)
      if (result.length > limits.resultSizeBytesMax) throw new HostError('ERR_RESULT_TOO_LARGE', `the result is ${result.length} bytes`)
      return { kind: 'ok', result }
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'failed', message: error.message }
      if (isErr(error)) return { kind: 'failed', message: text(error.payload, limits.failMessageBytesMax) }
      throw hostError(error)
    }
  }

  #start(call: Pick<GuestCall, 'log'>): World {
    return this.#instantiate((name) => this.#core(name), {
      'remembrancer:module/tables': { Table },
      'remembrancer:module/log': { write: (level, message) => call.log(levels.indexOf(level), text(message, limits.logMessageBytesMax)) },
      'remembrancer:module/outcome': {
        fail: (message) => {
          throw new Refusal(text(message, limits.failMessageBytesMax))
        },
      },
    })
  }

  #core(name: string): WebAssembly.Module {
    const core = this.#cores.get(name)
    if (core === undefined) throw new Error(`jco asks for ${name}, which it did not write`)
    return core
  }
}

/** The resource. A handle that the host never gave arrives as an object that no constructor made. */
class Table {
  readonly #rows: GuestTable

  constructor(rows: GuestTable) {
    this.#rows = rows
  }

  get(key: Uint8Array): Uint8Array {
    return Table.#given(this).get(key)
  }

  scan(scan: Uint8Array): Uint8Array {
    return Table.#given(this).scan(scan)
  }

  count(scan: Uint8Array): bigint {
    return Table.#given(this).count(scan)
  }

  insert(rows: Uint8Array): Uint8Array {
    return Table.#given(this).insert(rows)
  }

  update(rows: Uint8Array): number {
    return Table.#given(this).update(rows)
  }

  delete(keys: Uint8Array): number {
    return Table.#given(this).delete(keys)
  }

  static #given(table: Table): GuestTable {
    if (#rows in table) return table.#rows
    throw new HostError('ERR_HANDLE_INVALID', 'the module used a number that is no table handle of this call')
  }
}

/** The error class of the glue is its own; what tells it is the `err` that it carries. */
function isErr(error: unknown): error is { readonly payload: Uint8Array } {
  return error instanceof Error && 'payload' in error && error.payload instanceof Uint8Array
}

/** Ends the call from inside `fail`, past every frame of the guest. */
class Refusal extends Error {}

/** A message that is too long is cut where a character ends. */
function text(bytes: Uint8Array, sizeBytesMax: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, sizeBytesMax), { stream: bytes.length > sizeBytesMax })
  } catch (error) {
    throw new HostError('ERR_CALL_TRAPPED', 'the module gave a message that is not UTF-8', { cause: error })
  }
}

function hostError(error: unknown): unknown {
  if (error instanceof WebAssembly.RuntimeError) return new HostError('ERR_CALL_TRAPPED', error.message, { cause: error })
  if (error instanceof RangeError && /call stack/i.test(error.message)) return new HostError('ERR_CALL_DEPTH', error.message, { cause: error })
  if (error instanceof TypeError && error.message.startsWith('invalid discriminant')) return new HostError('ERR_CALL_TRAPPED', error.message, { cause: error })
  return error
}
