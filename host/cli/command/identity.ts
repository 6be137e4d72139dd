/** remembrancer identity [me | list | link | unlink]: who is in a database, and which logins are one person. */
import { Command } from 'commander'
import { z } from 'zod'

import { connectAsCaller } from '../caller.ts'
import { usage } from '../exit-code.ts'
import { HostRefusal, pathOf } from '../host-client.ts'
import { connect, hostCommand } from '../host-command.ts'
import { requireDatabase } from '../target.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'
import { tableLines } from '../value-text.ts'

const login = z.object({ issuer: z.string(), subject: z.string() })
const me = z.object({ identity: z.string(), login })
const directory = z.object({ identities: z.array(z.object({ identity: z.string(), logins: z.array(login) })) })
const changed = z.object({ identity: z.string() })

export function identityCommand(terminal: Terminal): Command {
  return new Command('identity')
    .description("a database's identities and their logins")
    .addCommand(meCommand(terminal), { isDefault: true })
    .addCommand(listCommand(terminal))
    .addCommand(linkCommand(terminal))
    .addCommand(unlinkCommand(terminal))
}

function meCommand(terminal: Terminal): Command {
  return hostCommand('me', 'whom the token speaks for, or whom the profile calls as').action(async (options: TargetOptions) => {
    const { client, database } = await connectAsCaller(options)
    const answer = await client.get(pathOf`/v1/databases/${database}/identities/me`, me).catch((error: unknown) => {
      throw isNobody(error) ? nobody() : error
    })
    terminal.result(answer, [answer.identity])
    terminal.note(`${answer.login.subject} of ${answer.login.issuer}`)
  })
}

function isNobody(error: unknown): boolean {
  return error instanceof HostRefusal && error.code === 'ERR_RIGHT_MISSING'
}

function nobody(): HostRefusal {
  const instead = 'remembrancer identity list shows everybody, and remembrancer token --subject <subject> makes a token that is somebody'
  return new HostRefusal('ERR_RIGHT_MISSING', `an operator or admin is nobody in a database: ${instead}`)
}

function listCommand(terminal: Terminal): Command {
  return hostCommand('list', 'everybody, with their logins').action(async (options: TargetOptions) => {
    const { client, path } = connectToDirectory(options)
    const answer = await client.get(path, directory)
    const rows = answer.identities.flatMap(({ identity, logins }) => logins.map(({ issuer, subject }) => ({ identity, subject, issuer })))
    terminal.result(answer, rows.length === 0 ? [] : tableLines(rows))
  })
}

interface LinkOptions extends TargetOptions {
  readonly to?: string
  readonly issuer?: string
  readonly toIssuer?: string
  readonly proof?: string
}

function linkCommand(terminal: Terminal): Command {
  return hostCommand('link', 'one person with two logins: the first gets the identity of the second')
    .argument('[subject]', 'the login, for an admin')
    .option('--to <subject>', 'the login whose identity it gets')
    .option('--issuer <issuer>', "the first login's issuer; the database itself when left out")
    .option('--to-issuer <issuer>', "the second login's issuer; the database itself when left out")
    .option('--proof <token>', 'for the person themselves: a token of the login that joins the one of --token')
    .action(async (subject: string | undefined, options: LinkOptions) => {
      const { client, path } = connectToDirectory(options)
      const answer = await client.post(`${path}/link`, linkBody(subject, options), changed)
      terminal.result(answer, [answer.identity])
    })
}

function linkBody(subject: string | undefined, { to, issuer, toIssuer, proof }: LinkOptions): unknown {
  if (proof !== undefined && subject === undefined && to === undefined) return { token: proof }
  if (proof !== undefined || subject === undefined || to === undefined) {
    throw usage('give a login and --to another one, or --proof a token of the login that is to join yours')
  }
  return { login: loginOf(subject, issuer), to: loginOf(to, toIssuer) }
}

function unlinkCommand(terminal: Terminal): Command {
  return hostCommand('unlink', 'give a login an identity of its own again')
    .argument('<subject>')
    .option('--issuer <issuer>', 'its issuer; the database itself when left out')
    .action(async (subject: string, { issuer, ...options }: TargetOptions & { issuer?: string }) => {
      const { client, path } = connectToDirectory(options)
      const answer = await client.post(`${path}/unlink`, { login: loginOf(subject, issuer) }, changed)
      terminal.result(answer, [answer.identity])
    })
}

function connectToDirectory(options: TargetOptions): { readonly client: ReturnType<typeof connect>['client']; readonly path: string } {
  const { client, target } = connect(options)
  return { client, path: pathOf`/v1/databases/${requireDatabase(target)}/identities` }
}

function loginOf(subject: string, issuer: string | undefined): { issuer?: string; subject: string } {
  return issuer === undefined ? { subject } : { issuer, subject }
}
