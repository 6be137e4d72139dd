/** A compiled module that runs against tables whose answers a test writes down. */
import assert from 'node:assert/strict'

import { PackedReader, PackedWriter } from '../../host/packed-bytes.ts'
import { packValue, unpackValue } from '../../host/row-codec.ts'
import { packContext } from '../../host/reducer/call-context.ts'
import type { CallContext } from '../../host/reducer/call-context.ts'
import { rewriteCore } from '../../host/module/rewrite/rewrite.ts'
import { GuestModule } from '../../host/sandbox/guest-module.ts'
import type { GuestOutcome } from '../../host/sandbox/guest-module.ts'
import type { GuestTable } from '../../host/sandbox/handle-table.ts'
import { CALL_LIMITS } from '../../host/sandbox/meter.ts'
import { parseDescription } from '../../host/schema/description.ts'
import type { ModuleDescription, ReducerDescription } from '../../host/schema/description.ts'
import { compile } from './module-fixture.ts'

export const SARAH = '11'.repeat(32)
export const BOB = '22'.repeat(32)

const CONTEXT: CallContext = {
  sender: Buffer.from(SARAH, 'hex'),
  actor: Buffer.from(SARAH, 'hex'),
  assurance: 'signed',
  channel: 'test',
  claims: {},
  timestamp: 1_000_000n,
  seed: [1n, 2n],
}

/** Lists in hex. */
interface Answers {
  readonly get?: string
  readonly scan?: string
  readonly count?: bigint
  readonly insert?: string
  readonly update?: number
  readonly delete?: number
}

/** What a handle was asked, as `insert 01000000…`, and what it answers. */
export class ScriptedTable implements GuestTable {
  readonly asked: string[] = []
  readonly #answers: Answers

  constructor(answers: Answers = {}) {
    this.#answers = answers
  }

  get(key: Uint8Array): Uint8Array {
    this.#note('get', key)
    return bytes(this.#answers.get ?? '00000000')
  }

  scan(scan: Uint8Array): Uint8Array {
    this.#note('scan', scan)
    return bytes(this.#answers.scan ?? '00000000')
  }

  count(scan: Uint8Array): bigint {
    this.#note('count', scan)
    return this.#answers.count ?? 0n
  }

  insert(rows: Uint8Array): Uint8Array {
    this.#note('insert', rows)
    return bytes(this.#answers.insert ?? '')
  }

  update(rows: Uint8Array): number {
    this.#note('update', rows)
    return this.#answers.update ?? 0
  }

  delete(keys: Uint8Array): number {
    this.#note('delete', keys)
    return this.#answers.delete ?? 0
  }

  #note(method: string, input: Uint8Array): void {
    this.asked.push(`${method} ${Buffer.from(input).toString('hex')}`)
  }
}

export interface CallOptions {
  readonly args?: readonly unknown[]
  readonly tables?: readonly GuestTable[]
  readonly context?: Partial<CallContext>
}

export class Guest {
  readonly log: string[] = []
  readonly description: ModuleDescription
  readonly #module: GuestModule

  private constructor(module: GuestModule, description: ModuleDescription) {
    this.#module = module
    this.description = description
  }

  static async of(source: string, optimize = false): Promise<Guest> {
    const { core, description } = await compile(source, optimize)
    return new Guest(await GuestModule.compile(rewriteCore(core)), parseDescription(description))
  }

  /** The result as a JavaScript value. */
  call(name: string, options: CallOptions = {}): unknown {
    const reducer = this.#reducer(name)
    const outcome = this.run(name, options)
    assert(outcome.kind === 'ok', `the call failed: ${outcome.kind === 'failed' && outcome.message}`)
    const reader = new PackedReader(outcome.result, 'ERR_RESULT_MALFORMED')
    const value = unpackValue(reader, reducer.result, this)
    reader.end()
    return value
  }

  run(name: string, { args = [], tables = [], context = {} }: CallOptions = {}): Exclude<GuestOutcome, { kind: 'trapped' }> {
    const reducer = this.#reducer(name)
    const packed = new PackedWriter()
    for (const [index, { type }] of reducer.params.entries()) packValue(packed, type, args[index], this, name)
    const packedContext = new PackedWriter()
    packContext(packedContext, { ...CONTEXT, ...context })
    const outcome = this.#module.run({
      reducer: this.description.reducers.indexOf(reducer),
      context: packedContext.toBytes(),
      tables,
      args: packed.toBytes(),
      limits: CALL_LIMITS,
      log: (level, message) => void this.log.push(`${level} ${message}`),
    })
    if (outcome.kind === 'trapped') throw outcome.error
    return outcome.kind === 'ok' ? { kind: 'ok', result: outcome.result } : { kind: 'failed', message: outcome.message }
  }

  rowFields(table: string): ModuleDescription['tables'][number]['columns'] {
    return this.description.tables.find((one) => one.name === table)?.columns ?? []
  }

  recordFields(record: string): ModuleDescription['records'][number]['fields'] {
    return this.description.records.find((one) => one.name === record)?.fields ?? []
  }

  #reducer(name: string): ReducerDescription {
    return this.description.reducers.find((one) => one.name === name) ?? assert.fail(`no reducer ${name}`)
  }
}

export function bytes(hex: string): Buffer {
  return Buffer.from(hex.replace(/\s/g, ''), 'hex')
}

/** A text as row-format.md packs it, in hex. */
export function text(value: string): string {
  const utf8 = Buffer.from(value)
  return u32(utf8.length) + utf8.toString('hex')
}

export function u32(value: number): string {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer.toString('hex')
}

export function u64(value: bigint): string {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64LE(value)
  return buffer.toString('hex')
}
