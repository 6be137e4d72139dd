/** remembrancer token: a token for one of a database's people or services. */
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'

import { tokenTtlSecondsMax } from '../../limits.ts'
import { parseSeconds } from '../duration.ts'
import { connect, hostCommand } from '../host-command.ts'
import { requireDatabase } from '../target.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'
import { mintToken } from '../tokens.ts'

interface TokenOptions extends TargetOptions {
  readonly subject: string
  readonly ttl: number
  readonly claim?: Readonly<Record<string, string>>
  readonly right?: readonly string[]
}

export function tokenCommand(terminal: Terminal): Command {
  return hostCommand('token', "mint a token of a database with an operator's or admin's token")
    .requiredOption('--subject <subject>', 'who it is for')
    .addOption(new Option('--ttl <time>', 'how long it holds, as in 15m or 1h; at most 365d').argParser(parseTtl).default(3_600, '1h'))
    .option('--claim <name=value>', 'a claim that reducers see; may be repeated', addClaim)
    .option('--right <right>', 'a right, as act-for; may be repeated', addRight)
    .action(async (options: TokenOptions) => {
      const { client, target } = connect(options)
      const { subject, ttl, claim = {}, right = [] } = options
      const token = await mintToken(client, requireDatabase(target), { subject, ttlSeconds: ttl, claims: claim, rights: right })
      terminal.result({ token }, [token])
    })
}

function addRight(right: string, rights: readonly string[] | undefined): readonly string[] {
  return [...(rights ?? []), right]
}

function parseTtl(text: string): number {
  const seconds = parseSeconds(text)
  if (seconds <= tokenTtlSecondsMax) return seconds
  throw new InvalidArgumentError(`a token holds at most ${tokenTtlSecondsMax / 86_400}d`)
}

function addClaim(text: string, claims: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError('a claim is name=value, as in role=nurse')
  return { ...claims, [name]: value }
}
