/** Asks before something is lost. Only a person can say yes: without a terminal the flag --yes must. */
import { createInterface } from 'node:readline/promises'

import { usage } from './exit-code.ts'
import { printable } from '../printable.ts'

/** @throws HostError ERR_USAGE when the answer is no, or when nobody is there to ask. */
export async function confirm(question: string, isConfirmed: boolean): Promise<void> {
  if (isConfirmed) return
  if (!process.stdin.isTTY) throw usage(`${question} Say so with --yes: there is no terminal to ask on`)
  const asked = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await asked.question(`${printable(question)} [y/N] `)
  asked.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw usage('nothing was done')
}
