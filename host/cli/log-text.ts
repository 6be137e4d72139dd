/** One entry of a module's log, read from NDJSON and written as a line. */
import { z } from 'zod'

import type { LogEntry } from '../protocol/shard-protocol.ts'

const logEntry: z.ZodType<LogEntry> = z.object({
  seq: z.number(),
  at: z.string(),
  level: z.enum(['debug', 'info', 'warn', 'error']),
  reducer: z.string(),
  message: z.string(),
})

export function parseLogEntry(line: string): LogEntry {
  return logEntry.parse(JSON.parse(line))
}

/** `09:30:00.000 info  remember_turn  Hello`, the time in UTC. */
export function logLine({ at, level, reducer, message }: LogEntry): string {
  return `${at.slice(11, 23)} ${level.padEnd(5)} ${reducer}  ${message}`
}
