/**
 * The last log entries of every database, and the readers who wait for the next ones. It is fed with
 * the shards' log events and keeps finished NDJSON lines, escaped once, so that a follower costs a
 * write and nothing else.
 *
 * A shard counts its entries anew after a restart, so an `after` beyond the newest entry means that
 * the reader knows an earlier count: it gets what there is.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { printable } from '../printable.ts'
import type { LogEntry } from '../protocol/shard-protocol.ts'

/** A reader of one database's log. `write` must not block; whoever is too slow ends itself. */
export interface Follower {
  write(lines: string): void
  /** The log ends: the database was dropped, or the host stops. */
  end(): void
}

interface Line {
  readonly seq: number
  readonly text: string
}

export class LogBook {
  readonly #logs = new Map<string, DatabaseLog>()

  append(database: string, entries: readonly LogEntry[]): void {
    if (entries.length > 0) this.#log(database).append(entries)
  }

  /** NDJSON of the kept entries with a greater number. */
  read(database: string, after: number): string {
    return this.#logs.get(database)?.read(after) ?? ''
  }

  /**
   * Writes the kept entries after `after` and then every new one. The caller calls the answer when it
   * goes.
   *
   * @throws HostError ERR_BUSY when the database has too many followers.
   */
  follow(database: string, after: number, follower: Follower): () => void {
    return this.#log(database).follow(after, follower)
  }

  /** Forgets a database and ends its followers. */
  drop(database: string): void {
    this.#logs.get(database)?.end()
    this.#logs.delete(database)
  }

  /** Ends all followers. */
  close(): void {
    for (const log of this.#logs.values()) log.end()
  }

  #log(database: string): DatabaseLog {
    const known = this.#logs.get(database)
    if (known !== undefined) return known
    const log = new DatabaseLog()
    this.#logs.set(database, log)
    return log
  }
}

class DatabaseLog {
  readonly #followers = new Set<Follower>()
  #lines: Line[] = []
  #sizeBytes = 0

  append(entries: readonly LogEntry[]): void {
    const lines = entries.map(toLine)
    for (const line of lines) this.#keep(line)
    const text = lines.map((line) => line.text).join('')
    for (const follower of this.#followers) follower.write(text)
  }

  #keep(line: Line): void {
    this.#lines.push(line)
    this.#sizeBytes += line.text.length
    while (this.#lines.length > limits.logEntriesKept || this.#sizeBytes > limits.logBytesKept) {
      this.#sizeBytes -= this.#lines.shift()?.text.length ?? 0
    }
  }

  read(after: number): string {
    const newest = this.#lines.at(-1)?.seq ?? 0
    return this.#lines
      .filter((line) => line.seq > after || after > newest)
      .map((line) => line.text)
      .join('')
  }

  follow(after: number, follower: Follower): () => void {
    if (this.#followers.size >= limits.logFollowersMax) {
      throw new HostError('ERR_BUSY', `this log already has ${limits.logFollowersMax} followers: end one, or read without follow`)
    }
    const kept = this.read(after)
    if (kept !== '') follower.write(kept)
    this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }

  end(): void {
    for (const follower of this.#followers) follower.end()
    this.#followers.clear()
  }
}

function toLine({ seq, at, level, reducer, message }: LogEntry): Line {
  return { seq, text: `${JSON.stringify({ seq, at, level, reducer, message: printable(message) })}\n` }
}
