/** The command line's entry: parses the arguments, runs one command, ends with its exit code. */
import { CommanderError } from 'commander'

import { EndWith, EXIT_CODES, exitCodeOf } from './exit-code.ts'
import { createProgram } from './program.ts'
import { Terminal } from './terminal.ts'

export async function main(args: readonly string[]): Promise<void> {
  // Read here rather than by commander, so that its own refusals are JSON too.
  const terminal = new Terminal(args.includes('--json'))
  endQuietlyWithoutReader()
  try {
    await createProgram(terminal).parseAsync(args, { from: 'user' })
    process.exitCode = EXIT_CODES.ok
  } catch (error) {
    process.exitCode = exitCodeOf(error)
    if (error instanceof CommanderError) reportUsage(terminal, error)
    else if (!(error instanceof EndWith)) terminal.fail(error)
  }
}

/** Commander has written its words to stderr already, or the help that was asked for. */
function reportUsage(terminal: Terminal, error: CommanderError): void {
  if (error.exitCode === 0 || !terminal.isJson) return
  terminal.result({ error: { code: 'ERR_USAGE', message: error.message.replace(/^error: /, ''), detail: {} } }, [])
}

/** `remembrancer logs | head` is no failure. */
function endQuietlyWithoutReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT_CODES.ok)
    throw error
  })
}
