/** remembrancer call <reducer> and remembrancer query <query>. */
import type { Command } from 'commander'
import { z } from 'zod'

import { argumentsOf } from '../call-arguments.ts'
import { connectAsCaller } from '../caller.ts'
import { usage } from '../exit-code.ts'
import { HostRefusal, pathOf } from '../host-client.ts'
import { hostCommand } from '../host-command.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'
import { valueLines } from '../value-text.ts'

interface CallOptions extends TargetOptions {
  readonly args?: unknown
  readonly as?: string
  readonly id?: string
}

const callAnswer = z.object({ result: z.unknown(), version: z.number(), fuel: z.number() })

export function callCommand(terminal: Terminal, kind: 'call' | 'query'): Command {
  const what = kind === 'call' ? 'reducer' : 'query'
  return hostCommand(kind, kind === 'call' ? 'run a reducer' : 'run a query: it reads and changes nothing')
    .argument(`<${what}>`, 'its name, as remembrancer schema shows it')
    .argument('[args...]', 'its arguments in order; text as it is, rows and lists as JSON')
    .option('--args <json>', 'all arguments as JSON: an object by name, or an array', parseArguments)
    .option(
      '--as <subject>',
      "call as this login of the database: with a token minted for it by an operator's or admin's token, or for it with one that has act-for",
    )
    .option('--id <id>', 'names the call: sent again under the same id, it does not run again and gives the first result')
    .action(async (name: string, positional: readonly string[], options: CallOptions) => {
      if (options.args !== undefined && positional.length > 0) throw usage('give the arguments either one by one or with --args')
      const { client, database, sender } = await connectAsCaller(options)
      const args = options.args ?? (await argumentsOf(client, { database, name, positional }))
      const answer = await client
        .post(
          pathOf`/v1/databases/${database}/${kind}/${name}`,
          { args, ...(sender && { sender }), ...(options.id !== undefined && { id: options.id }) },
          callAnswer,
        )
        .catch(pointToLog)
      // A reducer without a result answers null; for a person that is nothing to print.
      terminal.result(answer, kind === 'call' && answer.result === null ? [] : valueLines(answer.result))
    })
}

/** What a trap said is for the module's author, so the host tells it to the log alone. */
function pointToLog(error: unknown): never {
  if (!(error instanceof HostRefusal) || error.code !== 'ERR_CALL_TRAPPED') throw error
  throw new HostRefusal(error.code, `${error.message}; remembrancer logs says more`, { detail: error.detail, cause: error })
}

function parseArguments(text: string): unknown {
  const parsed = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw usage('--args takes a JSON object or array, as in \'{"content":"Hello"}\'')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
