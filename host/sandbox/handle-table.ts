/**
 * The handles of one call: unforgeable numbers for the tables that its signature names. A handle is
 * an index with a random tag of this call; every other number, one of an earlier call, of another
 * database or guessed, finds nothing. All of them die with the call.
 */
import { randomFillSync } from 'node:crypto'

import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'

/** What a handle lets a guest do: bytes in, bytes out (docs/row-format.md). Errors end the call. */
export interface GuestTable {
  get(key: Uint8Array): Uint8Array
  scan(scan: Uint8Array): Uint8Array
  count(scan: Uint8Array): bigint
  insert(rows: Uint8Array): Uint8Array
  update(rows: Uint8Array): number
  delete(keys: Uint8Array): number
}

const indexBits = 5
export const handleTagBits = 32 - indexBits
const indexMask = (1 << indexBits) - 1

export class HandleTable {
  readonly #tables: (GuestTable | undefined)[]
  readonly #tag: number

  /** `tag` has `handleTagBits` random bits that no guest has seen before the call. */
  constructor(tables: readonly GuestTable[], tag = nextTag()) {
    if (tables.length > limits.handlesPerCallMax) {
      throw new HostError('ERR_CALL_LIMIT', `a call has at most ${limits.handlesPerCallMax} tables`)
    }
    this.#tables = tables.slice()
    this.#tag = tag
  }

  get count(): number {
    return this.#tables.length
  }

  /** The number the guest gets for the table in this place of its signature. */
  handle(index: number): number {
    return ((this.#tag << indexBits) | index) >>> 0
  }

  /** @throws HostError ERR_HANDLE_INVALID, ERR_HANDLE_CLOSED when it was dropped. */
  table(handle: number): GuestTable {
    const table = this.#tables[this.#indexOf(handle)]
    if (table === undefined) throw new HostError('ERR_HANDLE_CLOSED', 'the module used a table handle that it had dropped')
    return table
  }

  drop(handle: number): void {
    this.table(handle)
    this.#tables[this.#indexOf(handle)] = undefined
  }

  #indexOf(handle: number): number {
    const index = handle & indexMask
    if (handle >>> indexBits !== this.#tag || index >= this.#tables.length) {
      throw new HostError('ERR_HANDLE_INVALID', 'the module used a number that is no table handle of this call')
    }
    return index
  }
}

/** Random tags are drawn a thousand at a time: a draw alone costs a microsecond. */
const tags = new Uint32Array(1_024)
let tagsUsed = tags.length

function nextTag(): number {
  if (tagsUsed === tags.length) {
    randomFillSync(tags)
    tagsUsed = 0
  }
  return (tags[tagsUsed++] ?? 0) >>> indexBits
}
