/**
 * Runs one .wast file through the rewriter. A module of features that the gate refuses is left out with
 * all assertions on it; what it has in common with ours must hold to the last bit.
 */
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'

import { HostError } from '../../host/errors.ts'
import { BinaryReader } from '../../host/module/binary-reader.ts'
import { decodeCoreModule, functionTypeOf } from '../../host/module/core-module.ts'
import type { FunctionType } from '../../host/module/core-module.ts'
import { callWithBits } from './bit-caller.ts'
import { MeteredInstance } from './metered-instance.ts'
import { moduleText } from './module-text.ts'
import { headOf, readScript } from './sexpr.ts'
import type { List, Sexpr, Text } from './sexpr.ts'
import { isBits, matches, readValue, show } from './values.ts'
import type { Bits, Expected } from './values.ts'

export interface ScriptReport {
  passed: number
  /** On modules of features that the gate refuses. */
  leftOut: number
  /** About the text format, which no module of ours is uploaded in. */
  ofText: number
  readonly failures: string[]
}

export async function runScript(source: string): Promise<ScriptReport> {
  const run = new ScriptRun(source)
  for (const command of readScript(source)) await run.command(command)
  return run.report
}

/** Thrown for what cannot be judged, because the gate would not let its module in. */
class LeftOut extends Error {}

/** Ways in which engines say what the testsuite says; by its first words. */
const TRAPS: readonly (readonly [string, RegExp])[] = [
  ['out of bounds memory', /memory access out of bounds|data segment/],
  ['out of bounds table', /table/],
  ['integer divide by zero', /divide by zero|remainder by zero/],
  ['integer overflow', /divide result unrepresentable|float unrepresentable|remainder/],
  ['invalid conversion', /float unrepresentable/],
  ['unreachable', /unreachable/],
  ['undefined element', /table index is out of bounds|function signature/],
  ['uninitialized element', /null function|signature mismatch|table index/],
  ['indirect call type mismatch', /signature mismatch/],
]

class ScriptRun {
  readonly report: ScriptReport = { passed: 0, leftOut: 0, ofText: 0, failures: [] }
  readonly #source: string
  readonly #named = new Map<string, MeteredInstance | undefined>()
  readonly #registered = new Map<string, MeteredInstance>()
  #current: MeteredInstance | undefined

  constructor(source: string) {
    this.#source = source
  }

  async command(list: List): Promise<void> {
    try {
      await this.#run(list)
      if (headOf(list)?.startsWith('assert_') === true) this.report.passed += 1
    } catch (error) {
      if (error instanceof LeftOut) this.report.leftOut += 1
      else if (error instanceof OfText) this.report.ofText += 1
      else this.report.failures.push(`line ${this.#lineOf(list)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async #run(list: List): Promise<void> {
    switch (headOf(list)) {
      case 'module':
        return this.#define(list)
      case 'register':
        return this.#register(list)
      case 'invoke':
      case 'get':
        return void this.#act(list)
      case 'assert_return':
        return this.#assertReturn(list)
      case 'assert_trap':
        return this.#assertTrap(list)
      case 'assert_exhaustion':
        return this.#assertExhaustion(list)
      case 'assert_malformed':
      case 'assert_invalid':
        return this.#assertRefused(list)
      case 'assert_unlinkable':
        throw new LeftOut('what a component links is judged by its wiring')
      default:
        throw new Error(`unknown command ${headOf(list)}`)
    }
  }

  async #define(list: List): Promise<void> {
    const name = wordAt(list, 1)
    this.#current = undefined
    if (name?.startsWith('$') === true) this.#named.set(name, undefined)
    this.#current = await this.#instantiate(list)
    if (name?.startsWith('$') === true) this.#named.set(name, this.#current)
  }

  async #instantiate(list: List): Promise<MeteredInstance> {
    const bytes = await this.#bytesOf(list)
    try {
      return new MeteredInstance(bytes, this.#imports())
    } catch (error) {
      // Features beyond the allow-list have this one code; anything else is a good module refused.
      if (error instanceof HostError && error.code === 'ERR_COMPONENT_CORE') throw new LeftOut(error.message)
      if (error instanceof Error && /Import #\d+/.test(error.message)) throw new LeftOut(error.message)
      throw error
    }
  }

  #imports(): WebAssembly.Imports {
    const nothing = (): void => undefined
    const spectest = {
      print: nothing,
      print_i32: nothing,
      print_i64: nothing,
      print_f32: nothing,
      print_f64: nothing,
      print_i32_f32: nothing,
      print_f64_f64: nothing,
    }
    const registered = [...this.#registered].map(([name, { exports }]) => [name, { ...exports } as WebAssembly.ModuleImports] as const)
    return { spectest, ...Object.fromEntries(registered) }
  }

  #register(list: List): void {
    const [, name] = list.items
    const instance = this.#instanceOf(wordAt(list, 2))
    if (name?.kind === 'text') this.#registered.set(Buffer.from(name.bytes).toString(), instance)
  }

  #assertReturn(list: List): void {
    const action = listAt(list, 1)
    const expected = valuesOf(list.items.slice(2))
    const found = this.#act(action)
    if (found.length === expected.length && expected.every((one, index) => matches(one, found[index] as Bits))) return
    throw new Error(`expected ${expected.map(show).join(', ')}, found ${found.map(show).join(', ')}`)
  }

  async #assertTrap(list: List): Promise<void> {
    const action = listAt(list, 1)
    const reason = Buffer.from((list.items[2] as Text).bytes).toString()
    const trap = headOf(action) === 'module' ? await this.#trapOfModule(action) : this.#trapOf(action)
    if (trap.limit !== undefined) throw new Error(`a trap by the meter: ${trap.limit}`)
    const known = TRAPS.find(([words]) => reason.startsWith(words))
    if (known !== undefined && !known[1].test(trap.message)) throw new Error(`expected ${reason}, found ${trap.message}`)
  }

  #assertExhaustion(list: List): void {
    const { limit, message } = this.#trapOf(listAt(list, 1))
    if (limit === undefined) throw new Error(`V8 came before our own count: ${message}`)
  }

  #trapOf(action: List): { message: string; limit: string | undefined } {
    const instance = this.#instanceOf(wordAt(action, 1))
    try {
      this.#act(action)
    } catch (error) {
      if (error instanceof LeftOut || !(error instanceof Error)) throw error
      return { message: error.message, limit: instance.limitOf(error) }
    }
    throw new Error('no trap')
  }

  async #trapOfModule(list: List): Promise<{ message: string; limit: undefined }> {
    try {
      await this.#instantiate(list)
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) return { message: error.message, limit: undefined }
      throw error
    }
    throw new Error('no trap')
  }

  /** Refused as the gate does it: by our own decoder or then by V8. */
  async #assertRefused(list: List): Promise<void> {
    const bytes = await this.#bytesOf(listAt(list, 1))
    try {
      decodeCoreModule(new BinaryReader(bytes))
    } catch (error) {
      if (error instanceof HostError && error.message.length > 0) return
      throw error
    }
    if (WebAssembly.validate(new Uint8Array(bytes))) throw new Error('accepted')
  }

  async #bytesOf(list: List): Promise<Uint8Array> {
    const form = list.items.find((item) => item.kind === 'word' && (item.word === 'binary' || item.word === 'quote'))
    if (form?.kind === 'word' && form.word === 'binary') {
      return new Uint8Array(Buffer.concat(list.items.flatMap((item) => (item.kind === 'text' ? [item.bytes] : []))))
    }
    if (form !== undefined) throw new OfText('quoted text')
    try {
      return await parse(moduleText(this.#source, list))
    } catch (error) {
      throw new OfText(String(error))
    }
  }

  #act(action: List): readonly Bits[] {
    const named = wordAt(action, 1)
    const instance = this.#instanceOf(named)
    const rest = action.items.slice(named?.startsWith('$') === true ? 2 : 1)
    const name = Buffer.from((rest[0] as Text).bytes).toString()
    if (headOf(action) === 'get') throw new LeftOut('globals of a guest are never read')
    const parameters = valuesOf(rest.slice(1)).filter(isBits)
    instance.refill()
    return callWithBits(instance.exports[name], typeOf(instance, name), parameters)
  }

  #instanceOf(name: string | undefined): MeteredInstance {
    const instance = name?.startsWith('$') === true ? this.#named.get(name) : this.#current
    if (instance === undefined) throw new LeftOut('its module was left out')
    return instance
  }

  #lineOf({ start }: List): number {
    return this.#source.slice(0, start).split('\n').length
  }
}

class OfText extends Error {}

function typeOf({ decoded }: MeteredInstance, name: string): FunctionType {
  const entry = decoded.exports.get(name)
  if (entry === undefined) throw new Error(`no export ${name}`)
  return functionTypeOf(decoded, entry.index)
}

function valuesOf(items: readonly Sexpr[]): Expected[] {
  return items.map((item) => {
    const value = item.kind === 'list' ? readValue(item) : undefined
    if (value === undefined) throw new LeftOut('a value of another feature')
    return value
  })
}

function listAt({ items }: List, index: number): List {
  const item = items[index]
  if (item?.kind !== 'list') throw new Error(`no list at ${index}`)
  return item
}

function wordAt({ items }: List, index: number): string | undefined {
  const item = items[index]
  return item?.kind === 'word' ? item.word : undefined
}
