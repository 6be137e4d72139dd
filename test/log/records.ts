/** Records for tests of the log: heads of every kind, and batches of several databases with their chains. */
import fc from 'fast-check'

import { RecordBatch } from '../../host/log/record-batch.ts'
import { firstChain, RECORD_KINDS } from '../../host/log/record.ts'
import type { RecordHead } from '../../host/log/record.ts'

export const emptyBytes = new Uint8Array(0)

/** A uid that is the same for the same number. */
export function uid(number: number): Uint8Array {
  return new Uint8Array(16).fill(number)
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function headOf(change: Partial<RecordHead> = {}): RecordHead {
  return {
    kind: 'call',
    schemaVersion: 3,
    epoch: 1n,
    position: 1n,
    database: uid(0xda),
    tenant: uid(0x7e),
    timestamp: 1_790_000_000_000_000n,
    seed: [1n, 2n],
    fuel: 12_345,
    moduleHash: new Uint8Array(32).fill(0x30),
    policyVersion: 4,
    fuelSchedule: 1,
    hostVersion: 1 << 10,
    sqliteVersion: 3_054_000,
    callKey: uid(0xca),
    ...change,
  }
}

const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const bytes = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size })

export const anyHead: fc.Arbitrary<RecordHead> = fc.record({
  kind: fc.constantFrom(...RECORD_KINDS),
  schemaVersion: u32,
  epoch: u64,
  position: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
  database: bytes(16),
  tenant: bytes(16),
  timestamp: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  seed: fc.tuple(u64, u64),
  fuel: fc.maxSafeNat(),
  moduleHash: bytes(32),
  policyVersion: u32,
  fuelSchedule: u32,
  hostVersion: u32,
  sqliteVersion: u32,
  callKey: bytes(16),
})

/** What a commit path knows of its databases: where each one's chain ends. */
export class Chains {
  readonly #ends = new Map<string, { position: bigint; chain: Uint8Array }>()

  /** Adds the database's next record to a batch. */
  add(batch: RecordBatch, database: Uint8Array, sections: Uint8Array, change: Partial<RecordHead> = {}): void {
    const end = this.#ends.get(hex(database)) ?? { position: 0n, chain: firstChain(database) }
    const head = headOf({ ...change, database, position: end.position + 1n })
    this.#ends.set(hex(database), { position: head.position, chain: batch.add(head, sections, end.chain) })
  }

  /** For a batch that did not happen: forgets what came after the copy was made. */
  copy(): Chains {
    const copied = new Chains()
    for (const [database, end] of this.#ends) copied.#ends.set(database, end)
    return copied
  }

  end(database: Uint8Array): { position: bigint; chain: Uint8Array } | undefined {
    return this.#ends.get(hex(database))
  }
}

/** One record in a batch of its own, stamped. */
export function framedRecord(sections: Uint8Array, { mark = 0x1122334455667788n, sequence = 1n, head = headOf() } = {}): Buffer {
  const batch = new RecordBatch()
  batch.add(head, sections, firstChain(head.database))
  return Buffer.from(batch.stamp(mark, sequence))
}
