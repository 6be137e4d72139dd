/** What a disk does to a file of a data folder, chosen by a seed. */
import { closeSync, fstatSync, openSync, readdirSync, readSync, truncateSync, writeSync } from 'node:fs'
import { join, relative } from 'node:path'

import type { Random } from '../fuzz/random.ts'

/** Files that are damaged alike: each kind is as likely as any other. */
export type FileKind = 'log segment' | 'state file' | 'state wal' | 'state marks' | 'snapshot' | 'snapshot note' | 'database note' | 'host file' | 'other'

export interface DamagedFile {
  readonly kind: FileKind
  /** In the data folder. */
  readonly path: string
  /** Whose folder it is in. */
  readonly database: string | undefined
}

export interface Damage extends DamagedFile {
  readonly what: string
}

const kinds: readonly (readonly [FileKind, RegExp])[] = [
  ['log segment', /^log\/\d+\/\d{20}\.log$/],
  ['state file', /^databases\/[^/]+\/state\.sqlite$/],
  ['state wal', /^databases\/[^/]+\/state\.sqlite-wal$/],
  ['state marks', /^databases\/[^/]+\/state\.json$/],
  ['snapshot', /^databases\/[^/]+\/snapshots\/.*\.sqlite$/],
  ['snapshot note', /^databases\/[^/]+\/snapshots\/.*\.json$/],
  ['database note', /^databases\/[^/]+\/database\.json$/],
  ['host file', /^host\.sqlite/],
]

/** The files of a data folder that have bytes. */
export function filesOf(data: string): readonly DamagedFile[] {
  const entries = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return entries.map((entry) => {
    const path = relative(data, join(entry.parentPath, entry.name))
    return { kind: kinds.find(([, pattern]) => pattern.test(path))?.[0] ?? 'other', path, database: /^databases\/([^/]+)\//.exec(path)?.[1] }
  })
}

/** Damages one file, of the host or of one of these databases, and says how. */
export function damageOne(data: string, databases: readonly string[], random: Random): Damage {
  const files = filesOf(data).filter(({ database }) => database === undefined || databases.includes(database))
  const kind = random.pick([...new Set(files.map((file) => file.kind))])
  const file = random.pick(files.filter((one) => one.kind === kind))
  const path = join(data, file.path)
  const descriptor = openSync(path, 'r+')
  try {
    const { size } = fstatSync(descriptor)
    return { ...file, what: size === 0 ? `write 64 bytes into nothing: ${scribble(descriptor, 0, 64, random)}` : damage(descriptor, path, size, random) }
  } finally {
    closeSync(descriptor)
  }
}

function damage(descriptor: number, path: string, size: number, random: Random): string {
  // Heads and ends of files say more than what lies between.
  const at = random.pick([random.below(size), random.below(Math.min(size, 128)), size - 1 - random.below(Math.min(size, 512))])
  switch (random.below(6)) {
    case 0:
      truncateSync(path, at)
      return `cut to ${at} of ${size} bytes`
    case 1: {
      const count = Math.min(size - at, 512)
      writeSync(descriptor, new Uint8Array(count), 0, count, at)
      return `${count} zeros at ${at} of ${size}`
    }
    case 2:
      return `${scribble(descriptor, at, Math.min(size - at, 16), random)} of ${size}`
    default: {
      const byte = new Uint8Array(1)
      readSync(descriptor, byte, 0, 1, at)
      const bit = random.below(8)
      writeSync(descriptor, Uint8Array.of((byte[0] ?? 0) ^ (1 << bit)), 0, 1, at)
      return `bit ${bit} of byte ${at} of ${size}`
    }
  }
}

function scribble(descriptor: number, at: number, count: number, random: Random): string {
  writeSync(descriptor, random.bytes(count), 0, count, at)
  return `${count} other bytes at ${at}`
}
