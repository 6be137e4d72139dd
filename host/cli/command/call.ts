/** remembrancer call <reducer> and remembrancer query <query>. */
import type { Command } from 'commander'
import { z } from 'zod'

import { argumentsOf } from '../call-arguments.ts'
import { usage } from '../exit-code.ts'
import { HostClient, pathOf } from '../host-client.ts'
import { connect, hostCommand } from '../host-command.ts'
import type { Connection } from '../host-command.ts'
import { callTokenTtlSeconds } from '../limits.ts'
import { requireDatabase } from '../target.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'
import { mintToken } from '../tokens.ts'
import { valueLines } from '../value-text.ts'

interface CallOptions extends TargetOptions {
  readonly args?: unknown
  readonly as?: string
}

const callAnswer = z.object({ result: z.unknown(), version: z.number() })

export function callCommand(terminal: Terminal, kind: 'call' | 'query'): Command {
  const what = kind === 'call' ? 'reducer' : 'query'
  return hostCommand(kind, kind === 'call' ? 'run a reducer' : 'run a query: it reads and changes nothing')
    .argument(`<${what}>`, 'its name, as remembrancer schema shows it')
    .argument('[args...]', 'its arguments in order; text as it is, rows and lists as JSON')
    .option('--args <json>', 'all arguments as JSON: an object by name, or an array', parseArguments)
    .option('--as <subject>', "call as this login of the database, with a short token minted by the operator's or admin's token given")
    .action(async (name: string, positional: readonly string[], options: CallOptions) => {
      if (options.args !== undefined && positional.length > 0) throw usage('give the arguments either one by one or with --args')
      const { client, database } = await connectAsCaller(options)
      const args = options.args ?? (await argumentsOf(client, { database, name, positional }))
      const answer = await client.post(pathOf`/v1/databases/${database}/${kind}/${name}`, { args }, callAnswer)
      // A reducer without a result answers null; for a person that is nothing to print.
      terminal.result(answer, kind === 'call' && answer.result === null ? [] : valueLines(answer.result))
    })
}

/** Who calls is a login of the database: a token of one, or one minted for `--as`. */
async function connectAsCaller(options: CallOptions): Promise<{ readonly client: HostClient; readonly database: string }> {
  const { client, target } = connect(options)
  const database = requireDatabase(target)
  const subject = options.as ?? target.as
  return { client: subject === undefined ? client : await clientAs({ client, target }, database, subject), database }
}

async function clientAs({ client, target }: Connection, database: string, subject: string): Promise<HostClient> {
  const token = await mintToken(client, database, { subject, ttlSeconds: callTokenTtlSeconds, claims: {}, rights: [] })
  return new HostClient({ url: target.url, token })
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
