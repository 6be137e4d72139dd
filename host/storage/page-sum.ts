/**
 * The sum of a file over its pages: the same in whatever order they are looked at, so that pages which change can be
 * put into it without a look at the others.
 */
import { crc32 } from 'node:zlib'

/** Of every file that the host makes: SQLite's own default since 3.12. */
export const pageSizeBytes = 4_096

export interface FileSum {
  readonly sizeBytes: number
  /** Of 52 bits, which a number holds whole and of which two can be added. */
  readonly sum: number
}

export function isSameSum(left: FileSum, right: FileSum): boolean {
  return left.sizeBytes === right.sizeBytes && left.sum === right.sum
}

const half = 2 ** 20
const modulus = 2 ** 52

/** What a page adds to the sum; pages are counted from 1. A page that moves to another place is another page. */
export function pageHash(page: number, bytes: Uint8Array): number {
  const crc = crc32(bytes)
  const low = mix(crc ^ Math.imul(page, 0x9e37_79b1))
  const high = mix(Math.imul(crc, 0x85eb_ca6b) + page)
  return low * half + (high >>> 12)
}

export function addHash(sum: number, hash: number): number {
  return (sum + hash) % modulus
}

export function takeHash(sum: number, hash: number): number {
  return (sum - hash + modulus) % modulus
}

/** The hashes of the pages that lie one after the other in these bytes, of which the first is this one. */
export function hashOfPages(first: number, bytes: Uint8Array): number {
  let sum = 0
  for (let at = 0, page = first; at < bytes.length; at += pageSizeBytes, page++) sum = addHash(sum, pageHash(page, bytes.subarray(at, at + pageSizeBytes)))
  return sum
}

/** The end of MurmurHash3 by Austin Appleby: 32 bits, each of which depends on all. */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16)
  mixed = Math.imul(mixed, 0x85eb_ca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2_ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
