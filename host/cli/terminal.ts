/**
 * What a command says. Results go to stdout: text for people, or with --json one JSON document, or a
 * line of JSON each where results keep coming. Everything else goes to stderr. No control character
 * of a host or a module reaches either.
 */
import { styleText } from 'node:util'

import { HostError } from '../errors.ts'
import { printable } from '../printable.ts'
import { progressTimeMs } from './limits.ts'

type Style = Parameters<typeof styleText>[0]

export class Terminal {
  readonly isJson: boolean
  #progressAt = 0
  #hasProgress = false

  constructor(isJson: boolean) {
    this.isJson = isJson
  }

  /** The command's result: `value` with --json, otherwise `lines`. */
  result(value: unknown, lines: readonly string[]): void {
    if (this.isJson) this.#write(process.stdout, json(value))
    else for (const line of lines) this.#write(process.stdout, printable(line))
  }

  /** Progress and hints, for people. */
  note(line: string, style?: Style): void {
    this.#write(process.stderr, painted(process.stderr, printable(line), style))
  }

  /** How far something has come, in one line that the next one replaces; only for people who look at it. */
  progress(line: string): void {
    const now = performance.now()
    if (!process.stderr.isTTY || now - this.#progressAt < progressTimeMs) return
    this.#progressAt = now
    this.#hasProgress = true
    process.stderr.write(`\r${printable(line).slice(0, process.stderr.columns - 1)}\u001b[K`)
  }

  /** What went badly; with --json the result is the error, and what else `around` says. */
  fail(error: unknown, around: Readonly<Record<string, unknown>> = {}): void {
    const { code, message, detail } = told(error)
    if (this.isJson) this.#write(process.stdout, json({ ...around, error: { code, message, detail } }))
    const lines = message.split('\n').map(printable)
    // Several lines are a list, as of compile errors: each begins with its place, for editors that find it there.
    const head = painted(process.stderr, code, 'red')
    this.#write(process.stderr, lines.length === 1 ? `${head} ${lines.join('')}` : [head, ...lines].join('\n'))
  }

  #write(stream: NodeJS.WriteStream, line: string): void {
    if (this.#hasProgress) process.stderr.write('\r\u001b[K')
    this.#hasProgress = false
    stream.write(`${line}\n`)
  }
}

/** Colours only where a person sees them: a terminal, and no NO_COLOR (util.styleText looks). */
function painted(stream: NodeJS.WriteStream, text: string, style: Style | undefined): string {
  return style === undefined ? text : styleText(style, text, { stream })
}

/** The escapes of `printable` are those of JSON, so the document stays the same. */
function json(value: unknown): string {
  return printable(JSON.stringify(value))
}

function told(error: unknown): { readonly code: string; readonly message: string; readonly detail: HostError['detail'] } {
  if (error instanceof HostError) return error
  if (isSystemError(error)) return { code: error.code, message: error.message.replace(`${error.code}: `, ''), detail: {} }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { code: 'ERR_INTERNAL', message: `remembrancer itself failed: ${message}`, detail: {} }
}

/** A disk that is full or a folder that may not be written is no bug of ours: its own words say enough. */
function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
}
