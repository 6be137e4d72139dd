/** Commands that talk to a host: their common flags, and the client that these lead to. */
import { Command, Option } from 'commander'

import { HostClient } from './host-client.ts'
import { resolveTarget } from './target.ts'
import type { Target, TargetOptions } from './target.ts'

/** Every command has --json; main.ts reads it, so that a wrong flag too is answered in JSON. */
export function command(name: string, description: string): Command {
  return new Command(name).description(description).option('--json', 'one JSON document on stdout, one a line where results keep coming')
}

export function hostCommand(name: string, description: string): Command {
  return command(name, description)
    .addOption(new Option('--url <url>', 'the host').env('REMEMBRANCER_URL'))
    .addOption(new Option('--database <name>', 'the database').env('REMEMBRANCER_DATABASE'))
    .addOption(new Option('--token <token>', 'a token; better in the environment, where no other process reads it').env('REMEMBRANCER_TOKEN'))
    .addOption(new Option('--profile <name>', 'a profile of an earlier login').env('REMEMBRANCER_PROFILE'))
}

export interface Connection {
  readonly target: Target
  readonly client: HostClient
}

export function connect(options: TargetOptions): Connection {
  const target = resolveTarget(options)
  return { target, client: new HostClient(target) }
}
