/** What is wrong with a statement, and where: whoever has its text makes a message with a caret of it. */
import { HostError } from '../errors.ts'
import { printable } from '../printable.ts'

export type StatementErrorCode = 'ERR_SQL_SYNTAX' | 'ERR_SQL_UNSUPPORTED' | 'ERR_SQL_NAME' | 'ERR_SQL_TYPE'

export class StatementError extends Error {
  readonly code: StatementErrorCode
  /** Bytes of UTF-8 before the place, as the parser counts. */
  readonly at: number | undefined

  constructor(code: StatementErrorCode, message: string, at?: number) {
    super(message)
    this.code = code
    this.at = at
  }
}

/** What is not of the subset; the message says what to write instead. */
export function unsupported(message: string, at: number | undefined): StatementError {
  return new StatementError('ERR_SQL_UNSUPPORTED', message, at)
}

/** The bytes before so many characters of a text. */
export function placeOf(text: string, characters: number): number {
  return Buffer.byteLength(Array.from(text).slice(0, characters).join(''))
}

const lineCharactersMax = 100

/** The error with the line that it is about, and a caret below the place. */
export function pointedAt(text: string, { code, message, at }: StatementError): HostError {
  if (at === undefined) return new HostError(code, message)
  const before = Buffer.from(text).subarray(0, at).toString('utf8')
  const lineStart = before.lastIndexOf('\n') + 1
  const column = before.length - lineStart
  const line = text.slice(lineStart).split('\n', 1)[0] ?? ''
  const from = Math.max(0, column - lineCharactersMax / 2)
  const shown = line.slice(from, from + lineCharactersMax)
  const lineNumber = before.split('\n').length
  return new HostError(code, [message, printable(shown), `${' '.repeat(Array.from(line.slice(from, column)).length)}^`].join('\n'), {
    detail: { line: lineNumber, column: Array.from(line.slice(0, column)).length + 1 },
  })
}
