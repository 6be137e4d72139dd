/**
 * The counters behind auto-increment: one for each table and owner, never going back. The next id
 * follows the largest that is stored or was ever deleted, so an insert writes nothing but its row;
 * a counter for everybody would tell each caller how busy the others are.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { compare, keyOf } from '../plan/plan.ts'
import type { SqlRow } from '../plan/plan.ts'
import { print } from '../plan/printer.ts'
import { u64Max } from '../row-codec.ts'
import type { Table } from '../schema/schema.ts'
import type { DatabaseFile } from './database-file.ts'

export class NextIds {
  readonly #file: DatabaseFile
  readonly #next = new Map<string, bigint>()
  /** What the running call found, to go back to when it fails. */
  readonly #before = new Map<string, bigint>()

  constructor(file: DatabaseFile) {
    this.#file = file
  }

  /** @throws HostError ERR_ID_EXHAUSTED at the end of the range: no id is ever given twice. */
  take(table: Table, owner: Uint8Array): bigint {
    const counter = `${table.id}:${Buffer.from(owner.buffer, owner.byteOffset, owner.byteLength).toString('latin1')}`
    const next = this.#next.get(counter) ?? this.#stored(table, owner) + 1n
    if (next > u64Max) throw new HostError('ERR_ID_EXHAUSTED', `${table.name} has no ids left for this owner`)
    if (!this.#before.has(counter)) this.#before.set(counter, next)
    this.#next.set(counter, next + 1n)
    return next
  }

  /** Keeps what the call took. */
  keep(): void {
    this.#before.clear()
  }

  /** The rows of the batch are in the file, where the counters can be read again. */
  commit(): void {
    if (this.#next.size > limits.nextIdsCachedMax) this.#next.clear()
  }

  /** Gives back what a failed call took: nobody has seen those ids. */
  giveBack(): void {
    for (const [counter, next] of this.#before) this.#next.set(counter, next)
    this.#before.clear()
  }

  /** Everything read or taken in a transaction that was rolled back. */
  forget(): void {
    this.#next.clear()
    this.#before.clear()
  }

  #stored(table: Table, owner: Uint8Array): bigint {
    const where = table.owner === undefined ? ({ kind: 'true' } as const) : compare(table.owner, '=')
    const { sql } = print({ kind: 'max-key', table, where })
    const [largest] = this.#file.statement(sql).row(table.owner === undefined ? [] : [owner]) ?? []
    const [retired] = this.#file.statement('SELECT last FROM _last_ids WHERE table_id = ? AND owner = ?').row([BigInt(table.id), owner]) ?? []
    return max(typeof largest === 'bigint' ? largest : 0n, typeof retired === 'bigint' ? retired : 0n)
  }
}

/** The id of a row that is deleted stays taken. */
export function retireId(file: DatabaseFile, table: Table, row: SqlRow): void {
  const key = keyOf(table, row)
  const id = key.at(-1)
  const owner = key.length > 1 ? key[0] : undefined
  if (typeof id !== 'bigint') return
  file
    .statement('INSERT INTO _last_ids (table_id, owner, last) VALUES (?, ?, ?) ON CONFLICT (table_id, owner) DO UPDATE SET last = max(last, excluded.last)')
    .run([BigInt(table.id), owner instanceof Uint8Array ? owner : new Uint8Array(0), id])
}

function max(left: bigint, right: bigint): bigint {
  return left > right ? left : right
}
