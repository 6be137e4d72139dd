/** All commands under one name. Each file in command/ is one command. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { Command } from 'commander'

import { packageRoot } from '../module/package-root.ts'
import { auditCommand } from './command/audit.ts'
import { buildCommand } from './command/build.ts'
import { callCommand } from './command/call.ts'
import { callsCommand } from './command/calls.ts'
import { checkCommand } from './command/check.ts'
import { databasesCommand } from './command/databases.ts'
import { devCommand } from './command/dev.ts'
import { identityCommand } from './command/identity.ts'
import { incidentCommand } from './command/incident.ts'
import { limitsCommand } from './command/limits.ts'
import { loginCommand } from './command/login.ts'
import { logsCommand } from './command/logs.ts'
import { newCommand } from './command/new.ts'
import { policyCommand } from './command/policy.ts'
import { publishCommand } from './command/publish.ts'
import { replayCommand } from './command/replay.ts'
import { schemaCommand } from './command/schema.ts'
import { serveCommand } from './command/serve.ts'
import { sqlCommand } from './command/sql.ts'
import { tokenCommand } from './command/token.ts'
import type { Terminal } from './terminal.ts'

/** Parsing throws: a CommanderError for the command line itself, else what the command throws. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('remembrancer')
    .description("Your voice agent remembers: memory is a table in the agent's own process.")
    .version(packageVersion())
    .showHelpAfterError('(add --help for what this command takes)')
  const commands = [
    newCommand(terminal),
    buildCommand(terminal),
    devCommand(terminal),
    policyCommand(terminal),
    serveCommand(terminal),
    loginCommand(terminal),
    databasesCommand(terminal),
    publishCommand(terminal),
    schemaCommand(terminal),
    callCommand(terminal, 'call'),
    callCommand(terminal, 'query'),
    sqlCommand(terminal),
    logsCommand(terminal),
    tokenCommand(terminal),
    identityCommand(terminal),
    limitsCommand(terminal),
    auditCommand(terminal),
    callsCommand(terminal),
    replayCommand(terminal),
    checkCommand(terminal),
    incidentCommand(terminal),
  ]
  for (const command of commands) program.addCommand(command)
  throwInsteadOfExit(program)
  return program
}

function throwInsteadOfExit(command: Command): void {
  command.exitOverride()
  for (const child of command.commands) throwInsteadOfExit(child.copyInheritedSettings(command))
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string }
  return version
}
