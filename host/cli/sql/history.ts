/**
 * What was typed, for the next time: statements, in a file that only its user can read. They may say things of
 * people, so that one which begins with a blank is not kept, and --no-history keeps none.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

import { historyBytesMax, historyEntriesMax } from '../limits.ts'
import { makeFolder } from '../make-folder.ts'

export function historyFile(environment: NodeJS.ProcessEnv): string {
  return path.join(environment['XDG_STATE_HOME'] || path.join(homedir(), '.local/state'), 'remembrancer', 'sql-history')
}

export class SqlHistory {
  /** The newest first, as readline has it. */
  #entries: string[]
  readonly #file: string | undefined

  /** Without a file it is forgotten at the end. */
  constructor(file: string | undefined) {
    this.#file = file
    this.#entries = file === undefined ? [] : read(file)
  }

  get entries(): readonly string[] {
    return this.#entries
  }

  /** A statement of several lines is one entry of one line. */
  add(typed: string): void {
    const entry = oneLine(typed)
    if (entry === '' || typed.startsWith(' ') || entry === this.#entries[0]) return
    this.#entries = [entry, ...this.#entries].slice(0, historyEntriesMax)
    if (this.#file !== undefined) write(this.#file, this.#entries)
  }
}

/** A comment up to the end of its line would take what follows it along. */
function oneLine(typed: string): string {
  return typed
    .split('\n')
    .map((line) => line.replace(/^([^'"$]*?)--.*$/, '$1').trim())
    .filter((line) => line !== '')
    .join(' ')
    .slice(0, historyBytesMax)
}

function read(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .toReversed()
      .slice(0, historyEntriesMax)
  } catch {
    return []
  }
}

/** Nobody else may read it, from its first byte on. That it cannot be kept is no reason to end. */
function write(file: string, entries: readonly string[]): void {
  const next = `${file}.${process.pid}`
  try {
    makeFolder(path.dirname(file), 0o700)
    writeFileSync(next, `${entries.toReversed().join('\n')}\n`, { mode: 0o600, flag: 'wx' })
    renameSync(next, file)
  } catch {
    return
  }
}
