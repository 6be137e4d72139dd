/**
 * A session at a terminal: a prompt that says whose database it is and what is open, history, completion, and Ctrl-C
 * that takes back what was typed.
 */
import { createInterface } from 'node:readline'
import type { Interface } from 'node:readline'

import { HostError } from '../../errors.ts'
import type { DatabaseSchema } from '../database-schema.ts'
import { historyEntriesMax } from '../limits.ts'
import type { Terminal } from '../terminal.ts'
import { completions } from './completion.ts'
import type { SqlHistory } from './history.ts'
import type { SqlSession } from './session.ts'

export interface PromptOptions {
  /** Before the sign: the database. */
  readonly name: string
  readonly history: SqlHistory
}

/** Resolves when whoever sits there has left. */
export async function promptForStatements(terminal: Terminal, session: SqlSession, { name, history }: PromptOptions): Promise<void> {
  const tables = await tablesOf(terminal, session)
  const readline = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: true,
    history: [...history.entries],
    historySize: historyEntriesMax,
    completer: (line: string) => [...completions(line, session.open, tables)],
  })
  await new Prompt(terminal, session, readline, { name, history }).ended
}

/** Without them there is no completion; a statement says itself why. */
async function tablesOf(terminal: Terminal, session: SqlSession): Promise<DatabaseSchema['tables']> {
  try {
    return (await session.schema()).tables
  } catch (error) {
    if (!(error instanceof HostError) || error.code === 'ERR_HOST_UNREACHABLE') throw error
    terminal.note(`no completion: ${error.message}`)
    return []
  }
}

class Prompt {
  readonly ended: Promise<void>
  readonly #terminal: Terminal
  readonly #session: SqlSession
  readonly #readline: Interface
  readonly #options: PromptOptions
  /** Lines that came while a statement ran: a paste has many. */
  readonly #waiting: string[] = []
  #isRunning = false
  /** The lines of the open statement, as they were typed. */
  #typed = ''
  /** Readline's own list: what is in it is what the arrows show. */
  #recalled: string[] = []

  constructor(terminal: Terminal, session: SqlSession, readline: Interface, options: PromptOptions) {
    this.#terminal = terminal
    this.#session = session
    this.#readline = readline
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    readline.on('history', (recalled) => {
      this.#recalled = recalled
      this.#recall()
    })
    readline.on('line', (line) => {
      this.#waiting.push(line)
      void this.#runWaiting()
    })
    readline.on('SIGINT', () => this.#cancel())
    readline.on('close', () => {
      // Of Ctrl-D no line is left behind.
      if (!this.#isRunning) process.stdout.write('\n')
      resolve()
    })
    this.#ask()
  }

  async #runWaiting(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      if (!(await this.#take(line))) return this.#readline.close()
    }
    this.#isRunning = false
    this.#ask()
  }

  /** False after the last one. */
  async #take(line: string): Promise<boolean> {
    this.#typed = this.#typed === '' ? line : `${this.#typed}\n${line}`
    try {
      return await this.#session.line(line)
    } catch (error) {
      this.#terminal.fail(error)
      return true
    } finally {
      if (this.#session.inside === 'nothing') {
        this.#options.history.add(this.#typed)
        this.#typed = ''
        this.#recall()
      }
    }
  }

  /** Whole statements, where readline would have their lines. */
  #recall(): void {
    this.#recalled.splice(0, this.#recalled.length, ...this.#options.history.entries)
  }

  #cancel(): void {
    this.#waiting.length = 0
    // Two writes, because one key takes back what is before the cursor and another what is behind it.
    this.#readline.write(null, { ctrl: true, name: 'e' })
    this.#readline.write(null, { ctrl: true, name: 'u' })
    process.stdout.write('^C\n')
    this.#session.cancel()
    this.#typed = ''
    if (!this.#isRunning) this.#ask()
  }

  #ask(): void {
    const signs = { nothing: '=', statement: '-', quotes: "'", comment: '*' }
    this.#readline.setPrompt(`${this.#options.name}${signs[this.#session.inside]}> `)
    this.#readline.prompt()
  }
}
