/**
 * What the sum of a state file will be once a checkpoint has moved the pages of its WAL into it. Known before the
 * first page moves, it tells after any end of the move whether all of the file is what it should be; and a
 * checkpoint looks only at the pages that change. A page that was spoiled meanwhile spoils the sum for good.
 */
import { closeSync, openSync, readSync } from 'node:fs'

import { addHash, pageHash, pageSizeBytes, takeHash } from './page-sum.ts'
import type { FileSum } from './page-sum.ts'
import { WalFrames } from './wal-frames.ts'

const emptyPage = new Uint8Array(pageSizeBytes)

export class CheckpointSum implements Disposable {
  readonly #file: number
  readonly #wal: number
  readonly #frames: WalFrames
  readonly #page = Buffer.alloc(pageSizeBytes)
  /** What the file's pages add that the WAL has others for: as the WAL has them. */
  readonly #moving = new Map<number, number>()
  /** Pages of the file itself, and after the last commit. */
  #pageCountBefore: number
  #pageCount: number
  #sum: number

  /** `file` is a descriptor of the state file, which stays its owner's; `sum` is that of the file as it is. */
  constructor(file: number, walPath: string, { sizeBytes, sum }: FileSum) {
    this.#file = file
    this.#wal = openSync(walPath, 'r')
    this.#frames = new WalFrames(this.#wal)
    this.#pageCountBefore = sizeBytes / pageSizeBytes
    this.#pageCount = this.#pageCountBefore
    this.#sum = sum
  }

  /** Takes in the next commit of the WAL; false when there is no other. */
  step(): boolean {
    if (this.#frames.begin()) this.#begin()
    const commit = this.#frames.next()
    if (commit === undefined) return false
    this.#resize(commit.pageCount)
    for (const [page, hash] of commit.pages) if (page <= commit.pageCount) this.#replace(page, hash)
    return true
  }

  /** Of the file when everything that was taken in is in it. */
  get value(): FileSum {
    return { sizeBytes: this.#pageCount * pageSizeBytes, sum: this.#sum }
  }

  [Symbol.dispose](): void {
    closeSync(this.#wal)
  }

  /** All that was taken in is in the file itself now. */
  #begin(): void {
    this.#moving.clear()
    this.#pageCountBefore = this.#pageCount
  }

  /** SQLite makes the file so long. Of pages that no commit wrote, because they are free, there are zeros. */
  #resize(pageCount: number): void {
    for (let page = this.#pageCount + 1; page <= pageCount; page++) this.#sum = addHash(this.#sum, pageHash(page, emptyPage))
    for (let page = this.#pageCount; page > pageCount; page--) this.#sum = takeHash(this.#sum, this.#hashOf(page))
    for (let page = this.#pageCount; page > pageCount; page--) this.#moving.delete(page)
    this.#pageCountBefore = Math.min(this.#pageCountBefore, pageCount)
    this.#pageCount = pageCount
  }

  #replace(page: number, hash: number): void {
    this.#sum = addHash(takeHash(this.#sum, this.#hashOf(page)), hash)
    this.#moving.set(page, hash)
  }

  /** Of a page as the sum has it. */
  #hashOf(page: number): number {
    const known = this.#moving.get(page)
    if (known !== undefined) return known
    if (page > this.#pageCountBefore) return pageHash(page, emptyPage)
    const size = readSync(this.#file, this.#page, 0, pageSizeBytes, (page - 1) * pageSizeBytes)
    return pageHash(page, this.#page.subarray(0, size))
  }
}
