/**
 * remembrancer sql ["<statement>"]: a SELECT under the caller's policies; without one, as many as somebody types or
 * as stand in what is piped in.
 */
import { createInterface } from 'node:readline'

import type { Command } from 'commander'

import { HostError } from '../../errors.ts'
import { hostCommand } from '../host-command.ts'
import { answerLines, rowsText, SqlCaller } from '../sql/answer.ts'
import { historyFile, SqlHistory } from '../sql/history.ts'
import { promptForStatements } from '../sql/prompt.ts'
import { SqlSession } from '../sql/session.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

interface SqlOptions extends TargetOptions {
  readonly as?: string
  readonly explain?: boolean
  readonly history: boolean
}

export function sqlCommand(terminal: Terminal): Command {
  return hostCommand('sql', "a SELECT of PostgreSQL's language: it sees what its caller's policies show")
    .argument('[statement]', 'in quotes, as one argument; without it statements are typed, or read from what is piped in')
    .argument('[params...]', 'the values of $1, $2 and so on, as text')
    .option('--as <subject>', "ask as this login of the database: as remembrancer call's")
    .option('--explain', 'say also how the rows were found, by which policies, and how many were examined')
    .option('--no-history', 'keep nothing of what is typed')
    .action(async (sql: string | undefined, params: readonly string[], options: SqlOptions) => {
      const caller = new SqlCaller(options)
      const explain = options.explain === true
      if (sql === undefined) return readStatements(terminal, caller, { explain, isKept: options.history })
      const answer = await caller.ask({ sql, params, explain })
      terminal.result(answer, answerLines(answer))
      terminal.note(rowsText(answer))
    })
}

async function readStatements(
  terminal: Terminal,
  caller: SqlCaller,
  { explain, isKept }: { readonly explain: boolean; readonly isKept: boolean },
): Promise<void> {
  const session = new SqlSession(terminal, caller, { explain })
  if (!process.stdin.isTTY || !process.stdout.isTTY) return readPiped(terminal, session)
  const { database } = await caller.caller()
  const file = isKept ? historyFile(process.env) : undefined
  terminal.note(
    `${database}: SELECT …; to ask, \\? for help, \\q to leave. ${file === undefined ? 'Nothing typed is kept.' : `What is typed is kept in ${file}, for you alone.`}`,
  )
  await promptForStatements(terminal, session, { name: database, history: new SqlHistory(file) })
}

/** The first statement that fails ends it, with its exit code: what follows was written for one that did not. */
async function readPiped(terminal: Terminal, session: SqlSession): Promise<void> {
  let number = 0
  try {
    for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++
      if (!(await session.line(line))) return
    }
    await session.end()
  } catch (error) {
    if (error instanceof HostError) terminal.note(`line ${number}:`)
    throw error
  }
}
