/**
 * Statements and commands, line by line, whoever types them: a person at a terminal, or a file. A statement may go
 * over several lines and ends with a semicolon; a line that begins with a backslash is a command, where no statement
 * is open.
 */
import { fetchSchema } from '../database-schema.ts'
import type { DatabaseSchema } from '../database-schema.ts'
import type { Terminal } from '../terminal.ts'
import { answerLines, rowsText } from './answer.ts'
import type { SqlCaller } from './answer.ts'
import { describeLines, helpLines, parseMetaCommand } from './meta-command.ts'
import { cutStatements } from './statements.ts'
import type { Inside } from './statements.ts'

export interface SessionOptions {
  readonly explain: boolean
}

export class SqlSession {
  readonly #terminal: Terminal
  readonly #caller: SqlCaller
  #explain: boolean
  #params: readonly string[] = []
  #open = ''
  #inside: Inside = 'nothing'

  constructor(terminal: Terminal, caller: SqlCaller, { explain }: SessionOptions) {
    this.#terminal = terminal
    this.#caller = caller
    this.#explain = explain
  }

  /** The lines of a statement that has not ended. */
  get open(): string {
    return this.#open
  }

  get inside(): Inside {
    return this.#inside
  }

  schema(): Promise<DatabaseSchema> {
    return this.#caller.caller().then(({ client, database }) => fetchSchema(client, database))
  }

  /**
   * Takes a line and runs what it ends. What it ends is taken, however that goes: after an error the next line
   * begins anew.
   *
   * @returns false when this was the last one.
   * @throws HostError of the statement or the command.
   */
  async line(line: string): Promise<boolean> {
    if (this.#inside === 'nothing' && line.trimStart().startsWith('\\')) {
      this.cancel()
      return this.#command(line)
    }
    const { statements, rest, inside } = cutStatements(this.#open === '' ? line : `${this.#open}\n${line}`)
    this.#open = inside === 'nothing' ? '' : rest
    this.#inside = inside
    for (const [index, sql] of statements.entries()) {
      try {
        await this.#run(sql)
      } catch (error) {
        // What stands behind a statement that failed was written for one that did not.
        if (index < statements.length - 1) this.cancel()
        throw error
      }
    }
    return true
  }

  /** At the end of a file the last statement needs no semicolon. */
  async end(): Promise<void> {
    const sql = this.#open.trim()
    const hasEnded = this.#inside === 'nothing'
    this.cancel()
    if (!hasEnded) await this.#run(sql)
  }

  cancel(): void {
    this.#open = ''
    this.#inside = 'nothing'
  }

  async #run(sql: string): Promise<void> {
    const answer = await this.#caller.ask({ sql, params: this.#params, explain: this.#explain })
    this.#terminal.result(answer, answerLines(answer))
    this.#terminal.note(rowsText(answer))
  }

  async #command(line: string): Promise<boolean> {
    const command = parseMetaCommand(line)
    switch (command.kind) {
      case 'quit':
        return false
      case 'help':
        for (const one of helpLines()) this.#terminal.note(one)
        return true
      case 'bind':
        this.#params = command.values
        return true
      case 'explain':
        this.#explain = command.isOn ?? !this.#explain
        this.#terminal.note(`explain is ${this.#explain ? 'on' : 'off'}`)
        return true
      case 'describe': {
        const schema = await this.schema()
        this.#terminal.result(schema, describeLines(schema, command.table))
        return true
      }
    }
  }
}
