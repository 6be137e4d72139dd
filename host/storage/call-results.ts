/**
 * The calls that came with an id of their caller's, and what they gave: a call that is sent again does not
 * run again. Kept for a day at least and two at most: by days, so that an old one is dropped whole.
 */
import { createHash, hash } from 'node:crypto'

import type { Micros } from '../clock.ts'
import { HostError } from '../errors.ts'
import type { DatabaseFile } from './database-file.ts'

/** How long an id is remembered at least, in microseconds. */
export const callWindowMicros: Micros = 86_400_000_000n

export const callKeySizeBytes = 16
/** Of a call that nobody gave an id. */
export const noCallKey: Uint8Array = new Uint8Array(callKeySizeBytes)

export interface CallResultEntry {
  readonly key: Uint8Array
  /** Of the reducer and its arguments. */
  readonly digest: Uint8Array
  readonly at: Micros
  /** Which version of the module packed the result. */
  readonly version: number
  readonly result: Uint8Array
}

/** An id is a caller's own: the same one of somebody else is another call. */
export function callKeyOf({ actor, sender, id }: { readonly actor: Uint8Array; readonly sender: Uint8Array; readonly id: string }): Uint8Array {
  return createHash('sha256').update(actor).update(sender).update(id, 'utf8').digest().subarray(0, callKeySizeBytes)
}

export function callDigestOf(reducer: string, args: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([Buffer.from(`${reducer}\n`, 'utf8'), args]), 'buffer').subarray(0, callKeySizeBytes)
}

export class CallResults {
  readonly #file: DatabaseFile
  #droppedBefore = 0n

  constructor(file: DatabaseFile) {
    this.#file = file
  }

  /**
   * The result of the call with this key, when it has run.
   *
   * @throws HostError ERR_CALL_ID when it was another reducer, or other arguments.
   */
  find(key: Uint8Array, digest: Uint8Array, now: Micros): { readonly version: number; readonly result: Uint8Array } | undefined {
    const day = dayOf(now)
    const row = this.#file.statement('SELECT digest, version, result FROM _calls WHERE day IN (?, ?) AND call_key = ?').row([day, day - 1n, key])
    if (row === undefined) return undefined
    const [storedDigest, version, result] = row
    if (!(storedDigest instanceof Uint8Array) || !(result instanceof Uint8Array)) throw new HostError('ERR_STORAGE', 'a stored call does not read back')
    if (Buffer.compare(storedDigest, digest) !== 0) {
      throw new HostError('ERR_CALL_ID', 'this call id was used for another reducer or other arguments: a call that is not the same needs an id of its own')
    }
    return { version: Number(version), result }
  }

  /** In the open batch. */
  add({ key, digest, at, version, result }: CallResultEntry): void {
    const day = dayOf(at)
    this.#file.begin()
    this.#file.statement('INSERT INTO _calls (day, call_key, digest, version, result) VALUES (?, ?, ?, ?, ?)').run([day, key, digest, BigInt(version), result])
    if (day - 1n <= this.#droppedBefore) return
    this.#file.statement('DELETE FROM _calls WHERE day < ?').run([day - 1n])
    this.#droppedBefore = day - 1n
  }

  /** After a rollback: what was dropped in the batch is there again. */
  forget(): void {
    this.#droppedBefore = 0n
  }
}

function dayOf(at: Micros): bigint {
  return at / callWindowMicros
}
