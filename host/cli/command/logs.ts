/** remembrancer logs [--follow]: what the module's reducers wrote. */
import { setTimeout as pause } from 'node:timers/promises'

import type { Command } from 'commander'

import { hostEnded, HostRefusal, pathOf } from '../host-client.ts'
import type { HostClient } from '../host-client.ts'
import { connect, hostCommand } from '../host-command.ts'
import { followAgainTimeMs } from '../limits.ts'
import { logLine, parseLogEntry } from '../log-text.ts'
import { requireDatabase } from '../target.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

export function logsCommand(terminal: Terminal): Command {
  return hostCommand('logs', "a module's log")
    .option('--follow', 'stay, and print what comes')
    .action(async ({ follow, ...options }: TargetOptions & { follow?: boolean }) => {
      const { client, target } = connect(options)
      const path = pathOf`/v1/databases/${requireDatabase(target)}/logs`
      await (follow === true ? followLog(terminal, client, path) : printLines(terminal, client, path))
    })
}

/**
 * A host ends the answer when it is stopped, and also of a reader whose time is up, whose database is
 * gone or who reads too slowly. Asked once more it says which of these it was, or goes on.
 *
 * @throws HostError ERR_HOST_UNREACHABLE once the host has ended, or what it answers.
 */
async function followLog(terminal: Terminal, client: HostClient, path: string): Promise<never> {
  let after = (await printLines(terminal, client, `${path}?follow=1`)) ?? 0
  for (;;) {
    await pause(followAgainTimeMs)
    const newest = await printLines(terminal, client, `${path}?follow=1&after=${after}`).catch((error: unknown) => {
      throw error instanceof HostRefusal ? error : hostEnded(client.url, error)
    })
    after = newest ?? after
  }
}

/** Answers with the number of the last entry, if one came. */
async function printLines(terminal: Terminal, client: HostClient, path: string): Promise<number | undefined> {
  let last: number | undefined
  for await (const line of client.lines(path)) {
    const entry = parseLogEntry(line)
    last = entry.seq
    terminal.result(entry, [logLine(entry)])
  }
  return last
}
