/** remembrancer logs [--follow]: what the module's reducers wrote. */
import type { Command } from 'commander'

import { connect, hostCommand } from '../host-command.ts'
import { logLine, parseLogEntry } from '../log-text.ts'
import { requireDatabase } from '../target.ts'
import { pathOf } from '../host-client.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

export function logsCommand(terminal: Terminal): Command {
  return hostCommand('logs', "a module's log")
    .option('--follow', 'stay, and print what comes')
    .action(async ({ follow, ...options }: TargetOptions & { follow?: boolean }) => {
      const { client, target } = connect(options)
      const path = pathOf`/v1/databases/${requireDatabase(target)}/logs`
      for await (const line of client.lines(follow === true ? `${path}?follow=1` : path)) {
        const entry = parseLogEntry(line)
        terminal.result(entry, [logLine(entry)])
      }
    })
}
