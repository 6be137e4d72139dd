/**
 * The parts of `dev` put together: a host in this process, the database of the module, the project's
 * profile, the loop of save, build and publish, and the module's log.
 *
 *   save ─► watch-sources ─► publish-loop ─► buildModule (its own thread) ─► PUT …/module
 *                                            the module's log ─► follow-log ─► stdout
 */
import { moduleName } from '../../module/module-folder.ts'
import type { RunningHost } from '../../host.ts'
import { z } from 'zod'

import { HostError } from '../../errors.ts'
import type { VoiceConfig } from '../../media/provider/profile.ts'
import { HostClient } from '../host-client.ts'
import { storeLocalProfile } from '../profile.ts'
import { isPortTaken, startListening } from '../start-listening.ts'
import { defaultPort } from '../target.ts'
import type { Terminal } from '../terminal.ts'
import { followLog } from './follow-log.ts'
import { PublishLoop } from './publish-loop.ts'
import { tellAgents } from './tell-agents.ts'
import { SourceWatcher } from './watch-sources.ts'

export interface DevOptions {
  /** Absolute. */
  readonly folder: string
  readonly data: string
  /** Undefined: the usual port, or any free one when that is taken. */
  readonly port: number | undefined
  /** Undefined: an agent is talked to by text. */
  readonly voice: VoiceConfig | undefined
}

/** The login that `call` and `query` use in a project's folder unless --as names another. */
const devSubject = 'dev'

export interface DevSession {
  close(): Promise<void>
}

export async function startDev(terminal: Terminal, options: DevOptions): Promise<DevSession> {
  const { folder } = options
  const database = (await moduleName(folder)).replaceAll('_', '-')
  const host = await startOn(options)
  const client = new HostClient({ url: host.url, token: host.operatorToken })
  const ending = new AbortController()
  try {
    await createDatabase(client, database)
    storeLocalProfile(folder, { url: host.url, database, token: host.operatorToken, as: devSubject })
  } catch (error) {
    await host.close()
    throw error
  }
  if (terminal.isJson) terminal.result({ kind: 'listening', url: host.url, database }, [])
  terminal.note(`${database} at ${host.url}  (remembrancer call … in this folder goes there, as ${devSubject})`)

  const loop = new PublishLoop(terminal, { client, folder, database, onPublished: () => tellAgents(terminal, client, database) })
  const watcher = new SourceWatcher(folder, () => loop.changed())
  const log = followLog(terminal, { client, database, signal: ending.signal })
  loop.changed()
  return {
    async close() {
      watcher.close()
      ending.abort()
      await log
      await loop.settled()
      await host.close()
    },
  }
}

async function startOn({ data, port, voice }: DevOptions): Promise<RunningHost> {
  const options = { data, ...(voice === undefined ? {} : { voice }) }
  if (port !== undefined) return startListening({ ...options, port })
  try {
    return await startListening({ ...options, port: defaultPort })
  } catch (error) {
    if (error instanceof HostError && isPortTaken(error.cause)) return startListening({ ...options, port: 0 })
    throw error
  }
}

async function createDatabase(client: HostClient, name: string): Promise<void> {
  try {
    await client.post('/v1/databases', { name }, z.looseObject({}))
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'ERR_DATABASE_EXISTS') throw error
  }
}
