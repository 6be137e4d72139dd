/** What a script learns from the command line without reading a word of it. docs/cli.md has the table. */
import { CommanderError } from 'commander'

import { HostError } from '../errors.ts'
import { HostRefusal } from './host-client.ts'

export const EXIT_CODES = {
  ok: 0,
  /** Something on this machine: a module that does not compile, a locked folder, a bug of ours. */
  failed: 1,
  usage: 2,
  /** The host answered with an error. */
  refused: 3,
  /** The host answered 401 or 403. */
  notAuthorised: 4,
  unreachable: 5,
  /** A replay, a check or a test of policies has found something, and has said what. */
  differs: 6,
} as const
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES]

/** Ends a command with a code and without another word: its result says everything. */
export class EndWith extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode) {
    super(`exit code ${exitCode}`)
    this.exitCode = exitCode
  }
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof EndWith) return error.exitCode
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage
  if (error instanceof HostRefusal) return error.status === 401 || error.status === 403 ? EXIT_CODES.notAuthorised : EXIT_CODES.refused
  if (!(error instanceof HostError)) return EXIT_CODES.failed
  switch (error.code) {
    case 'ERR_USAGE':
      return EXIT_CODES.usage
    case 'ERR_HOST_UNREACHABLE':
      return EXIT_CODES.unreachable
    default:
      return EXIT_CODES.failed
  }
}

export function usage(message: string): HostError {
  return new HostError('ERR_USAGE', message)
}
