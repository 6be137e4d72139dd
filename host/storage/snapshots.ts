/**
 * Copies of a state file as it was after one of its records, each with a note of what it is and its sum: what a
 * file that was lost or damaged is rebuilt from, with the log's records after it. Two are kept: the last one,
 * and the one before it for when the last is damaged too.
 */
import { existsSync, globSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { z } from 'zod'

import { syncFolder, sumFile, writeDurably, readText } from './durable-file.ts'
import { isSameSum } from './page-sum.ts'
import type { FileSum } from './page-sum.ts'
import { parseJson } from './state-marks.ts'

export interface Snapshot extends FileSum {
  readonly path: string
  /** The record up to which it has come. */
  readonly position: bigint
}

const shape = z.strictObject({ format: z.literal(1), position: z.string().regex(/^\d{1,19}$/), sizeBytes: z.int(), sum: z.int() })
const kept = 2

export class Snapshots {
  readonly #folder: string

  constructor(stateFolder: string) {
    this.#folder = join(stateFolder, 'snapshots')
  }

  /** Newest first, as their notes say; whether the bytes are right only a look at all of them tells. */
  list(): readonly Snapshot[] {
    const names = globSync('*.json', { cwd: this.#folder })
    const found = names.flatMap((name) => {
      const note = parseJson(readText(join(this.#folder, name)), shape)
      const path = this.#path(note?.position ?? '')
      // A position that is not the one of its name is not what was written.
      return note === undefined || basename(this.#note(path)) !== name
        ? []
        : [{ path, position: BigInt(note.position), sizeBytes: note.sizeBytes, sum: note.sum }]
    })
    return found.toSorted((left, right) => (left.position < right.position ? 1 : -1))
  }

  /** The names of notes that are not what was written: their snapshots are none. */
  damagedNotes(): readonly string[] {
    const listed = new Set(this.list().map(({ path }) => basename(this.#note(path))))
    return globSync('*.json', { cwd: this.#folder }).filter((name) => !listed.has(name))
  }

  /** The position of the newest one, 0 when there is none. */
  get position(): bigint {
    return this.list()[0]?.position ?? 0n
  }

  /** Where the copy of a new one is to be written; `keep` makes it one. */
  begin(position: bigint): string {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    return `${this.#path(String(position))}.new`
  }

  /** The copy is complete and on disk. */
  keep(position: bigint, { sizeBytes, sum }: FileSum): void {
    const path = this.#path(String(position))
    renameSync(`${path}.new`, path)
    syncFolder(this.#folder)
    writeDurably(this.#note(path), `${JSON.stringify({ format: 1, position: String(position), sizeBytes, sum })}\n`)
    this.#tidy()
  }

  /** Takes away what was written of a copy that is not kept. */
  discard(position: bigint): void {
    rmSync(`${this.#path(String(position))}.new`, { force: true })
  }

  /** Copies the newest one whose bytes are right, and which is not past `until`, to `path`. */
  async restore(path: string, until?: bigint): Promise<Snapshot | undefined> {
    for (const snapshot of this.list()) {
      if (until !== undefined && snapshot.position > until) continue
      if (!(await isIntact(snapshot))) continue
      await copyFile(snapshot.path, path)
      return snapshot
    }
    return undefined
  }

  /** The note goes first: a snapshot without one is none. */
  remove({ path }: Snapshot): void {
    rmSync(this.#note(path), { force: true })
    rmSync(path, { force: true })
  }

  /** Takes away older ones, and what hosts that were killed have left of theirs: notes first, which make them snapshots. */
  #tidy(): void {
    const names = new Set(
      this.list()
        .slice(0, kept)
        .flatMap(({ path }) => [basename(path), basename(this.#note(path))]),
    )
    const others = readdirSync(this.#folder).filter((name) => !names.has(name))
    for (const name of others.toSorted((left, right) => Number(right.endsWith('.json')) - Number(left.endsWith('.json')))) {
      rmSync(join(this.#folder, name), { force: true })
    }
  }

  #path(position: string): string {
    return join(this.#folder, `${position.padStart(20, '0')}.sqlite`)
  }

  #note(path: string): string {
    return path.replace(/\.sqlite$/, '.json')
  }
}

export async function isIntact({ path, ...written }: Snapshot): Promise<boolean> {
  return existsSync(path) && isSameSum(await sumFile(path), written)
}
