/**
 * What a host leaves beside a state file, so that the next one knows how the file was left and whether its
 * bytes are those that were written: how, on which start of the machine, and the sum of the file as its
 * last checkpoint made it, or is about to. Between checkpoints all changes are in the WAL, which has checksums of its own.
 */
import { join } from 'node:path'

import { z } from 'zod'

import { readText, replaceFile, writeDurably } from './durable-file.ts'

/** `open` while a host has it, `checkpoint` while pages move into the file: the sum is that of after the move. */
const shape = z.strictObject({
  format: z.literal(1),
  phase: z.enum(['clean', 'open', 'checkpoint']),
  boot: z.string().optional(),
  /** The log has lost records that the file may be waiting for. A later start of the log no longer sees that. */
  isMissingRecords: z.boolean().optional(),
  sizeBytes: z.int(),
  sum: z.int(),
  /** The record up to which the file itself, without its WAL, has come. */
  position: z
    .string()
    .regex(/^\d{1,19}$/)
    .transform(BigInt),
})

export type StateMarks = Omit<z.infer<typeof shape>, 'format'>

/** Undefined when there are none, or none that read. */
export function readMarks(folder: string): StateMarks | undefined {
  return parseJson(readText(join(folder, 'state.json')), shape)
}

/** Marks that a power loss takes back do not fit the file any more, which is then rebuilt: only a clean end waits for the disk. */
export function writeMarks(folder: string, marks: StateMarks): void {
  const write = marks.phase === 'clean' ? writeDurably : replaceFile
  write(join(folder, 'state.json'), `${JSON.stringify({ format: 1, ...marks, position: String(marks.position) })}\n`)
}

export function parseJson<T>(text: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (text === undefined) return undefined
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
