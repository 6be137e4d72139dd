/**
 * Which sessions go on, on disk beside the databases: a session that a killed host has left open is closed in
 * its database by the next one. One small file each, written before the session's first call and removed after its last.
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { ASSURANCES } from '../identity.ts'
import type { CallerHead } from '../protocol/shard-protocol.ts'

const login = z.object({ issuer: z.string(), subject: z.string() })
const entryShape = z.object({
  session: z.string(),
  database: z.string(),
  agent: z.string(),
  caller: z.object({ sender: login, assurance: z.enum(ASSURANCES), channel: z.string(), claims: z.record(z.string(), z.string()) }),
})

export interface BookedSession {
  readonly session: string
  readonly database: string
  readonly agent: string
  readonly caller: Omit<CallerHead, 'actor'>
}

export class SessionBook {
  readonly #folder: string
  /** What was there when this host began: what comes later is its own. */
  readonly #before: readonly string[]

  constructor(data: string) {
    this.#folder = join(data, 'sessions')
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    this.#before = readdirSync(this.#folder)
  }

  async begin(entry: BookedSession): Promise<void> {
    const file = await open(this.#path(entry.session), 'w', 0o600)
    try {
      await file.writeFile(JSON.stringify(entry))
      await file.datasync()
    } finally {
      await file.close()
    }
  }

  async end(session: string): Promise<void> {
    await rm(this.#path(session), { force: true })
  }

  /** What a host before this one has left open. A file that a kill left half written had no session yet. */
  async left(): Promise<readonly BookedSession[]> {
    const found: BookedSession[] = []
    for (const name of this.#before) {
      const entry = entryShape.safeParse(parseJson(await readFile(join(this.#folder, name), 'utf8')))
      if (entry.success && name === `${entry.data.session}.json`) found.push(entry.data)
      else await rm(join(this.#folder, name), { force: true })
    }
    return found
  }

  #path(session: string): string {
    return join(this.#folder, `${session}.json`)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
