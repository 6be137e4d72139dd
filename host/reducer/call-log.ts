/** What a module logged during one call: bounded, the rest counted, handed over when the batch is on disk. */
import * as limits from '../limits.ts'
import type { LogLevel } from '../protocol/shard-protocol.ts'

export interface LogLine {
  readonly level: LogLevel
  readonly reducer: string
  readonly message: string
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export class CallLog {
  readonly #reducer: string
  readonly #lines: LogLine[] = []
  readonly #bytesMax: number
  #bytesLeft: number
  #dropped = 0

  constructor(reducer: string, bytesMax: number) {
    this.#reducer = reducer
    this.#bytesMax = bytesMax
    this.#bytesLeft = bytesMax
  }

  write(level: number, message: string): void {
    this.#bytesLeft -= Buffer.byteLength(message) + limits.logLineBytes
    if (this.#bytesLeft < 0) this.#dropped++
    else this.add(levels[level] ?? 'info', message)
  }

  add(level: LogLevel, message: string): void {
    this.#lines.push({ level, reducer: this.#reducer, message })
  }

  lines(): readonly LogLine[] {
    if (this.#dropped > 0) this.add('warn', `${this.#dropped} more messages of this call were dropped: a call may log ${this.#bytesMax} bytes`)
    return this.#lines
  }
}
