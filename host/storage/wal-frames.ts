/**
 * Reads the WAL of a SQLite file as SQLite itself does after a crash: the frames up to the last commit, as far as
 * their checksums hold (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
 */
import { readSync } from 'node:fs'

import { pageHash, pageSizeBytes } from './page-sum.ts'

export interface WalCommit {
  /** By number: what the pages that it wrote add to the sum of the file. */
  readonly pages: ReadonlyMap<number, number>
  /** How many pages the file has after it. */
  readonly pageCount: number
}

const headerBytes = 32
const frameHeadBytes = 24
const frameBytes = frameHeadBytes + pageSizeBytes
/** `magic` of a WAL whose checksums are over words of little endian; one more says big endian. */
const littleEndianMagic = 0x377f_0682

export class WalFrames {
  readonly #descriptor: number
  readonly #frame = Buffer.alloc(frameBytes)
  readonly #checksum = new WalChecksum()
  #salts: bigint | undefined
  #offset = 0

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /**
   * Looks at the head of the WAL; to be called before commits are read. True when it began anew since the last time:
   * then all that it had has been moved into the file.
   */
  begin(): boolean {
    const header = this.#frame.subarray(0, headerBytes)
    if (!this.#read(header, 0)) return false
    const salts = header.readBigUInt64BE(16)
    if (salts === this.#salts) return false
    const isKnown = this.#salts !== undefined
    this.#checksum.begin(header.readUInt32BE(0) === littleEndianMagic)
    this.#checksum.add(header, 0, 24)
    if (header.readUInt32BE(8) !== pageSizeBytes || !this.#checksum.is(header, 24)) return false
    this.#salts = salts
    this.#offset = headerBytes
    return isKnown
  }

  /** The next commit, or undefined when there is no other: more may follow later. */
  next(): WalCommit | undefined {
    const before = this.#checksum.value
    const pages = new Map<number, number>()
    for (let offset = this.#offset; this.#isFrame(offset);) {
      offset += frameBytes
      const page = this.#frame.readUInt32BE(0)
      pages.set(page, pageHash(page, this.#frame.subarray(frameHeadBytes)))
      const pageCount = this.#frame.readUInt32BE(4)
      if (pageCount === 0) continue
      this.#offset = offset
      return { pages, pageCount }
    }
    this.#checksum.value = before
    return undefined
  }

  /** Reads the frame that stands here, if one does that belongs to this WAL. */
  #isFrame(offset: number): boolean {
    const frame = this.#frame
    if (this.#salts === undefined || !this.#read(frame, offset) || frame.readBigUInt64BE(8) !== this.#salts) return false
    this.#checksum.add(frame, 0, 8)
    this.#checksum.add(frame, frameHeadBytes, frameBytes)
    return this.#checksum.is(frame, 16)
  }

  #read(into: Buffer, offset: number): boolean {
    return readSync(this.#descriptor, into, 0, into.length, offset) === into.length
  }
}

/** Each frame's checksum goes on from the one before it. */
class WalChecksum {
  #first = 0
  #second = 0
  #isLittleEndian = true

  begin(isLittleEndian: boolean): void {
    this.#isLittleEndian = isLittleEndian
    this.value = [0, 0]
  }

  get value(): readonly [number, number] {
    return [this.#first, this.#second]
  }

  set value([first, second]: readonly [number, number]) {
    this.#first = first
    this.#second = second
  }

  add(bytes: Buffer, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const isLittleEndian = this.#isLittleEndian
    let [first, second] = [this.#first, this.#second]
    for (let at = start; at < end; at += 8) {
      first = (first + view.getInt32(at, isLittleEndian) + second) | 0
      second = (second + view.getInt32(at + 4, isLittleEndian) + first) | 0
    }
    this.#first = first
    this.#second = second
  }

  /** Whether it is the one that stands here. */
  is(bytes: Buffer, offset: number): boolean {
    return bytes.readInt32BE(offset) === this.#first && bytes.readInt32BE(offset + 4) === this.#second
  }
}
