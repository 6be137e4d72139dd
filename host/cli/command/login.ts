/** remembrancer login: keeps a host's URL, a database and a token as a profile, once they have worked. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'

import type { Command } from 'commander'
import { z } from 'zod'

import { usage } from '../exit-code.ts'
import { HostClient, pathOf } from '../host-client.ts'
import { hostCommand } from '../host-command.ts'
import { storeProfile } from '../profile.ts'
import { checkUrl, defaultUrl } from '../target.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

interface LoginOptions extends TargetOptions {
  readonly tokenFile?: string
  readonly as?: string
}

const health = z.object({ status: z.literal('ok'), version: z.string() })
const anything = z.looseObject({})

export function loginCommand(terminal: Terminal): Command {
  return hostCommand('login', 'keep a host, a database and a token as a profile')
    .option('--token-file <file>', 'where the token is, as in <data>/operator.token; - is standard input')
    .option('--as <subject>', 'whom call and query call as, for the token of an operator or admin')
    .action(async (options: LoginOptions) => {
      const url = checkUrl(options.url || defaultUrl)
      const token = await readToken(options)
      await new HostClient({ url, token: undefined }).get('/v1/health', health)
      await tryToken(new HostClient({ url, token }), options.database)
      const name = options.profile || 'default'
      const { database, as } = options
      const file = storeProfile(process.env, name, { url, token, ...(database && { database }), ...(as && { as }) })
      terminal.note(`${url} is profile ${name} from now on, in ${file}`)
      terminal.result({ profile: name, url, database: database ?? null }, [])
    })
}

async function readToken({ token, tokenFile }: LoginOptions): Promise<string> {
  const given = tokenFile === undefined ? token : tokenFile === '-' ? await text(process.stdin) : await readTokenFile(tokenFile)
  if (given?.trim()) return given.trim()
  throw usage('which token? Give --token-file <file>, or REMEMBRANCER_TOKEN')
}

async function readTokenFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => {
    throw usage(`the token file ${file} cannot be read`)
  })
}

/** A host token may list databases, a database's token may ask who it is: what is refused is not kept. */
async function tryToken(client: HostClient, database: string | undefined): Promise<void> {
  try {
    await client.get('/v1/databases', anything)
  } catch (error) {
    if (!database) throw error
    await client.get(pathOf`/v1/databases/${database}/identities/me`, anything)
  }
}
