/** The module's log while `dev` runs; a connection that breaks off is made again. */
import { setTimeout as pause } from 'node:timers/promises'

import { HostError } from '../../errors.ts'
import type { HostClient } from '../host-client.ts'
import { pathOf } from '../host-client.ts'
import { followAgainTimeMs } from '../limits.ts'
import { logLine, parseLogEntry } from '../log-text.ts'
import type { Terminal } from '../terminal.ts'

export interface FollowOptions {
  readonly client: HostClient
  readonly database: string
  readonly signal: AbortSignal
}

/** Resolves after `signal` is aborted. */
export async function followLog(terminal: Terminal, { client, database, signal }: FollowOptions): Promise<void> {
  let after = 0
  while (!signal.aborted) {
    try {
      for await (const line of client.lines(pathOf`/v1/databases/${database}/logs?follow=1&after=${String(after)}`, signal)) {
        const entry = parseLogEntry(line)
        after = entry.seq
        terminal.result({ kind: 'log', ...entry }, [logLine(entry)])
      }
    } catch (error) {
      if (!(error instanceof HostError)) throw error
    }
    await pause(followAgainTimeMs, undefined, { signal }).catch(() => undefined)
  }
}
