/** A statement's answer over HTTP, and as people read it. */
import { z } from 'zod'

import { connectAsCaller } from '../caller.ts'
import type { Caller } from '../caller.ts'
import { pathOf } from '../host-client.ts'
import { callerTimeMsMax } from '../limits.ts'
import type { TargetOptions } from '../target.ts'
import { tableLines } from '../value-text.ts'

const sqlAnswer = z.object({
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.array(z.array(z.unknown())),
  examined: z.number(),
  returned: z.number(),
  explanation: z.object({ plan: z.array(z.string()), policies: z.array(z.object({ table: z.string(), policies: z.array(z.string()) })) }).optional(),
})
export type SqlAnswer = z.infer<typeof sqlAnswer>

export interface SqlQuestion {
  readonly sql: string
  readonly params: readonly string[]
  readonly explain: boolean
}

/** One caller for as long as somebody asks: the token that is minted for `--as` lives for a minute. */
export class SqlCaller {
  readonly #options: TargetOptions & { readonly as?: string }
  #caller: Caller | undefined
  #sinceMs = 0

  constructor(options: TargetOptions & { readonly as?: string }) {
    this.#options = options
  }

  async caller(): Promise<Caller> {
    if (this.#caller === undefined || performance.now() - this.#sinceMs > callerTimeMsMax) {
      const nowMs = performance.now()
      this.#caller = await connectAsCaller(this.#options)
      this.#sinceMs = nowMs
    }
    return this.#caller
  }

  async ask(question: SqlQuestion): Promise<SqlAnswer> {
    const { client, database, sender } = await this.caller()
    return client.post(pathOf`/v1/databases/${database}/sql`, { ...question, ...(sender && { sender }) }, sqlAnswer)
  }
}

export function answerLines({ columns, rows, examined, returned, explanation }: SqlAnswer): readonly string[] {
  const names = uniqueNames(columns.map(({ name }) => name))
  const lines = rows.length === 0 ? [names.join('  ')] : tableLines(rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]]))))
  if (explanation === undefined) return lines
  return [
    ...lines,
    '',
    ...explanation.plan.map((step) => `plan      ${step}`),
    ...explanation.policies.map(({ table, policies }) => `policies  ${table}: ${policies.length === 0 ? 'none, so it is closed' : policies.join(' ')}`),
    `rows      ${examined} examined, ${returned} returned`,
  ]
}

export function rowsText({ returned }: SqlAnswer): string {
  return `${returned} ${returned === 1 ? 'row' : 'rows'}`
}

/** A statement may give two columns one name, or a number, which an object would put first. */
function uniqueNames(names: readonly string[]): readonly string[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    const unique = count === 1 ? name : `${name} (${count})`
    return /^\d+$/.test(unique) ? `"${unique}"` : unique
  })
}
