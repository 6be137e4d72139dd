/** The ledger module in a host of this process, and the packed bytes that its raw reducers take. */
import { fileURLToPath } from 'node:url'

import { HostError } from '../../host/errors.ts'
import { buildModule } from '../../host/module/build.ts'
import type { Sender } from '../../host/index.ts'
import { PackedReader, PackedWriter } from '../../host/packed-bytes.ts'
import { unpackValue } from '../../host/row-codec.ts'
import { openModule } from '../../host/testing.ts'
import type { TestModule } from '../../host/testing.ts'

let built: Promise<Uint8Array> | undefined

/** The component, compiled once a process. */
export function ledgerComponent(): Promise<Uint8Array> {
  return (built ??= buildModule(fileURLToPath(new URL('../modules/ledger', import.meta.url)), { optimize: false }).then(({ component }) => component))
}

let opened: Promise<TestModule> | undefined

/** The one module of this process: each test calls it as people of its own. */
export function openLedger(): Promise<TestModule> {
  return (opened ??= ledgerComponent().then((component) => openModule(component)))
}

export interface Note {
  readonly id?: bigint
  readonly caller?: string
  readonly content?: string
  readonly score?: number
}

export const nobody = '00'.repeat(32)

/** A batch of notes as a guest sends it. */
export function notes(...rows: readonly Note[]): Uint8Array {
  const writer = new PackedWriter()
  writer.u32(rows.length)
  for (const { id = 0n, caller = nobody, content = '', score = 0 } of rows) {
    writer.i64(id)
    writer.raw(Buffer.from(caller, 'hex'))
    writer.string(content)
    writer.u32(score)
  }
  return writer.toBytes()
}

export function key(owner: string, id: bigint): Uint8Array {
  const writer = new PackedWriter()
  writer.raw(Buffer.from(owner, 'hex'))
  writer.i64(id)
  return writer.toBytes()
}

export function keys(...list: readonly Uint8Array[]): Uint8Array {
  const count = Buffer.alloc(4)
  count.writeUInt32LE(list.length)
  return Buffer.concat([count, ...list])
}

/** `u8 direction, u32 limit, u8 number of terms`, and the terms as they are. */
export function scan(...bytes: readonly number[]): Uint8Array {
  return Uint8Array.from(bytes.length > 0 ? bytes : [0, 255, 255, 255, 255, 0])
}

/** The rows that a raw read answered. */
export function rowsOf(answer: unknown): unknown {
  const reader = new PackedReader(answer as Uint8Array, 'ERR_ROW_MALFORMED')
  const fields = [
    { name: 'id', type: { kind: 'scalar', scalar: 'u64', nullable: false } },
    { name: 'caller', type: { kind: 'scalar', scalar: 'identity', nullable: false } },
    { name: 'content', type: { kind: 'scalar', scalar: 'string', nullable: false } },
    { name: 'score', type: { kind: 'scalar', scalar: 'u32', nullable: false } },
  ] as const
  return unpackValue(reader, { kind: 'array', element: { kind: 'row', table: 'notes', nullable: false } }, { rowFields: () => fields, recordFields: () => [] })
}

/** How many rows a raw update or delete found. */
export function countOf(answer: unknown): bigint {
  return Buffer.from(answer as Uint8Array).readBigUInt64LE()
}

/** The code and text of what a call is refused with. */
export async function refusal(call: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof call === 'function' ? call() : call)
  } catch (error) {
    if (error instanceof HostError) return `${error.code}: ${error.message}`
    throw error
  }
  return 'not refused'
}

export function contentsOf(sender: Sender): unknown[] {
  return sender.rows('notes').map((row) => row['content'])
}
