/**
 * A host that is there to be killed, in one of two shapes: `local`, where this process asks itself what it is told
 * to ask, and `serving`, over HTTP with shards in threads of their own. What it says it writes into a pipe at once:
 * what has been acknowledged is known outside, whatever becomes of the process the next moment.
 */
import { readFileSync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'

import { HostError } from '../../host/errors.ts'
import { startHost } from '../../host/host.ts'
import { openHost } from '../../host/open-host.ts'
import { LocalAnswers } from './local-answers.ts'
import { reportDescriptor } from './report-descriptor.ts'
import type { Reply, Request } from './requests.ts'

export type ChildReport =
  /** The process is up, and the host is about to start. */
  | { readonly kind: 'booted' }
  | { readonly kind: 'open'; readonly url?: string; readonly operatorToken?: string }
  /** The host did not start. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'reply'; readonly id: number; readonly reply: Reply }
  /** What the host wrote about its own faults. */
  | { readonly kind: 'failure'; readonly text: string }

export interface ChildCommand {
  readonly id: number
  readonly request: Request
}

const [, , shape = '', data = '', componentFile = '', shards = '1'] = process.argv
const component = new Uint8Array(readFileSync(componentFile))
// Where a file may not grow, a write is to give an error and not a signal.
process.on('SIGXFSZ', () => undefined)
// Whoever is killed leaves none.
flushCompileCache()
report({ kind: 'booted' })
try {
  if (shape === 'local') await runLocal()
  else await runServing()
} catch (error) {
  report({ kind: 'refused', ...refusalOf(error) })
  process.disconnect?.()
}

async function runLocal(): Promise<void> {
  const answers = new LocalAnswers(await openHost({ data }), component)
  process.on('message', ({ id, request }: ChildCommand) => void answer(id, answers.to(request)))
  report({ kind: 'open' })
}

async function runServing(): Promise<void> {
  const logger = { error: (message: string, fields: object) => report({ kind: 'failure', text: `${message} ${JSON.stringify(fields)}` }) }
  const host = await startHost({ data, port: 0, shards: Number(shards), logger })
  // Everything but the end comes over HTTP.
  process.on('message', ({ id }: ChildCommand) => void answer(id, host.close()))
  report({ kind: 'open', url: host.url, operatorToken: host.operatorToken })
}

async function answer(id: number, work: Promise<unknown>): Promise<void> {
  try {
    report({ kind: 'reply', id, reply: { value: (await work) ?? true } })
  } catch (error) {
    report({ kind: 'reply', id, reply: { refused: refusalOf(error) } })
  }
}

function refusalOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof HostError) return { code: error.code, message: error.message }
  return { code: 'no HostError', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

function report(line: ChildReport): void {
  writeSync(reportDescriptor, `${JSON.stringify(line)}\n`)
}
