/**
 * Which database a folder holds: written once when it is made, so that the log can be asked when nothing else is
 * left. It says its own name, so that nobody is given another's rows, and has a sum, since nothing else would tell
 * that it is wrong.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { crc32 } from 'node:zlib'

import { z } from 'zod'

import { HostError } from '../errors.ts'
import { readText, writeDurably } from './durable-file.ts'
import { parseJson } from './state-marks.ts'
import { databaseUidSizeBytes } from './system-tables.ts'
import type { DatabaseId } from './system-tables.ts'

const shape = z.strictObject({ format: z.literal(1), name: z.string(), uid: z.string().regex(/^[0-9a-f]{32}$/), tenant: z.string(), crc: z.int() })

/**
 * Undefined where there is none.
 *
 * @throws HostError ERR_STORAGE when it is not what was written, or of another database.
 */
export function readDatabaseNote(folder: string): DatabaseId | undefined {
  const note = noteIn(folder)
  if (note === undefined) return undefined
  if (note === 'damaged') throw new HostError('ERR_STORAGE', 'the note of which database this is, database.json, is damaged: restore it from a backup')
  if (note.name !== basename(folder)) {
    throw new HostError('ERR_STORAGE', `the files are those of ${note.name}, says database.json: give the folder its name again, or restore it from a backup`)
  }
  return { uid: Buffer.from(note.uid, 'hex'), tenant: note.tenant }
}

/** Whether a folder has a note that does not say what was written. */
export function isNoteDamaged(folder: string): boolean {
  return noteIn(folder) === 'damaged'
}

function noteIn(folder: string): z.infer<typeof shape> | 'damaged' | undefined {
  const text = readText(join(folder, 'database.json'))
  if (text === undefined) return undefined
  const note = parseJson(text, shape)
  return note === undefined || note.crc !== sumOf(note) ? 'damaged' : note
}

/** The note of a folder that has none yet. */
export function makeDatabaseNote(folder: string, tenant: string): DatabaseId {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const id = { uid: randomBytes(databaseUidSizeBytes), tenant }
  const note = { format: 1, name: basename(folder), uid: id.uid.toString('hex'), tenant }
  writeDurably(join(folder, 'database.json'), `${JSON.stringify({ ...note, crc: sumOf(note) })}\n`)
  return id
}

function sumOf({ name, uid, tenant }: { readonly name: string; readonly uid: string; readonly tenant: string }): number {
  return crc32(`${name} ${uid} ${tenant}`)
}
