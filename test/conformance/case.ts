/**
 * A case as data: steps over the public API of one database that holds the reference module, and what
 * each of them must answer. README.md is the format's description for other implementers.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { z } from 'zod'

/** A text, or a placeholder for one. */
const message = z.union([z.string(), z.strictObject({ $repeat: z.tuple([z.string(), z.int()]) })])
const logLine = z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']), message })

const operation = z.union([
  z.strictObject({ insert: z.string(), row: z.unknown() }),
  z.strictObject({ update: z.string(), before: z.unknown(), row: z.unknown() }),
  z.strictObject({ delete: z.string(), row: z.unknown() }),
])

const expectation = {
  result: z.unknown().optional(),
  error: z.string().startsWith('ERR_').optional(),
  message: message.optional(),
  operations: z.array(operation).optional(),
  logs: z.array(logLine).optional(),
}

const caller = {
  as: z.string(),
  actor: z.string().optional(),
  claims: z.record(z.string(), z.string()).optional(),
}

const args = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).optional()

const callStep = z.strictObject({ call: z.string(), args, ...caller, ...expectation })
const queryStep = z.strictObject({ query: z.string(), args, ...caller, ...expectation })
const rowsStep = z.strictObject({
  rows: z.string(),
  as: z.string(),
  latest: z.int().optional(),
  oldest: z.int().optional(),
  newest: z.int().optional(),
  where: z.record(z.string(), z.unknown()).optional(),
  result: z.unknown().optional(),
  error: z.string().optional(),
})
const linkStep = z.strictObject({ link: z.string(), to: z.string(), ...expectation })
const unlinkStep = z.strictObject({ unlink: z.string(), ...expectation })

const step = z.union([callStep, queryStep, rowsStep, linkStep, unlinkStep])
/** `strict` is about what the component model calls a trap and generated glue may clamp instead. */
const caseShape = z.strictObject({ name: z.string(), strict: z.boolean().optional(), steps: z.array(step).min(1) })

export type CallStep = z.infer<typeof callStep>
export type QueryStep = z.infer<typeof queryStep>
export type RowsStep = z.infer<typeof rowsStep>
export type Step = z.infer<typeof step>
export type Operation = z.infer<typeof operation>
export type Case = z.infer<typeof caseShape>

/** What a module said, as a door saw it. */
export interface LogLine {
  readonly level: string
  readonly message: string
}

/** What a step must answer; `rows` steps know no more than a result or an error. */
export type Expectation = Partial<Pick<CallStep, 'result' | 'error' | 'message' | 'operations' | 'logs'>>

export interface Topic {
  /** The file's name. */
  readonly name: string
  readonly cases: readonly Case[]
}

/** Every file of cases/, in the order of their names. */
export function readTopics(): readonly Topic[] {
  const folder = path.join(import.meta.dirname, 'cases')
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({ name: path.basename(file, '.json'), cases: parseCases(file, readFileSync(path.join(folder, file), 'utf8')) }))
}

function parseCases(file: string, text: string): readonly Case[] {
  const parsed = z.array(caseShape).safeParse(JSON.parse(text))
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`)
  for (const { name, steps } of parsed.data) {
    for (const [index, one] of steps.entries()) {
      if (Object.hasOwn(one, 'result') === Object.hasOwn(one, 'error'))
        throw new Error(`${file}: "${name}", step ${index + 1}: a step expects a result or an error`)
    }
  }
  return parsed.data
}
