/**
 * The composition root of a serving host: catalogue, shards, gate and API put together, on one data
 * folder and one port. The main thread has the network and never runs guest code or a database's SQL.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Socket } from 'node:net'
import { join } from 'node:path'

import { DatabaseFacts } from './api/database-facts.ts'
import { createApi } from './api/http/server.ts'
import { LogBook } from './api/log-book.ts'
import type { Logger } from './api/ports.ts'
import { HostCatalogue } from './catalogue.ts'
import { systemClock } from './clock.ts'
import { laneOf, lanesOfShard } from './lane.ts'
import * as limits from './limits.ts'
import { logLimits } from './log-limits.ts'
import type { LogLimitOptions } from './log-limits.ts'
import { pageFile } from './media/page.ts'
import { noVoice } from './media/provider/profile.ts'
import type { VoiceConfig } from './media/provider/profile.ts'
import { Sessions } from './media/sessions.ts'
import { Gate } from './module/gate.ts'
import { packageRoot } from './module/package-root.ts'
import { prepareSandbox } from './module/sandbox-self-test.ts'
import type { Shard } from './protocol/shard-protocol.ts'
import type { InstanceMode } from './sandbox/instance-mode.ts'
import { HostSessionCalls, sessionDisclosures } from './session-calls.ts'
import { WorkerShard } from './shard/worker-shard.ts'

export interface HostOptions extends LogLimitOptions {
  /** The data folder; made when it is not there. */
  readonly data: string
  /** 0 is any free port. */
  readonly port: number
  /** The address to listen on; loopback when left out. */
  readonly hostname?: string
  /** Takes calls without a token, all as one anonymous login. */
  readonly allowAnonymous?: boolean
  /**
   * Whether each call gets a fresh instance of its module (when left out), or the one of the call before,
   * reset: faster, and what it trades is in docs/decisions/0003-reset-instances.md.
   */
  readonly instances?: InstanceMode
  /**
   * Worker threads; each database belongs to one. As many as leave the main thread a core when left out, and
   * never more than the first host of the folder had.
   */
  readonly shards?: number
  /** Providers of speech and language, and rooms (docs/voice.md); without them agents are talked to by text. */
  readonly voice?: VoiceConfig
  /** Where the host writes about its own failures; standard error when left out. */
  readonly logger?: Logger
}

export interface RunningHost {
  readonly url: string
  readonly operatorToken: string
  /** Conversations with agents of its databases. */
  readonly sessions: Sessions
  /** Lets running calls end, then closes every file. */
  close(): Promise<void>
}

/** @throws HostError ERR_FOLDER_LOCKED when another host has the folder. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const { data, port, hostname = '127.0.0.1', logger = stderrLogger } = options
  // What is wrong with them is said before anything is made.
  logLimits(options)
  await prepareSandbox('pinned')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const logs = new LogBook()
  const shardOf = (database: string): Shard => shards.of(database)
  const catalogue = new HostCatalogue(data, systemClock, shardOf)
  const shards = startShards(options, catalogue, logs, logger)
  const gate = new Gate()
  const facts = new DatabaseFacts(shardOf)
  const calls = new HostSessionCalls(facts, shardOf)
  const sessions = new Sessions({ data, calls, config: options.voice ?? noVoice, disclosures: sessionDisclosures(shardOf), clock: systemClock, logger })
  const api = createApi({
    version: packageVersion(),
    catalogue,
    shardOf,
    gate,
    logs,
    clock: systemClock,
    logger,
    facts,
    sessions: { agents: (database) => sessions.agents(database), open: (request) => sessions.open(request), pageFile },
    allowAnonymous: options.allowAnonymous ?? false,
  })
  api.server.on('upgrade', (request, socket, head) => {
    // Node has taken its own listener off, and a reset would end the process.
    socket.on('error', () => socket.destroy())
    // What stands still is a conversation with pauses.
    if (socket instanceof Socket) socket.setTimeout(0)
    if (!sessions.upgrade(request, socket, head)) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })

  const close = async (): Promise<void> => {
    await sessions.close()
    await left
    await api.close()
    await gate.close()
    await shards.close()
    catalogue.close()
  }
  let left: Promise<void> = Promise.resolve()
  try {
    await catalogue.finishDrops((name, error) =>
      logger.error('catalogue', { message: `what is left of the dropped database ${name} could not be removed: ${String(error)}` }),
    )
    const operatorToken = await writeOperatorToken(data, catalogue)
    await sessions.warmUp().catch((error: unknown) => logger.error('session', { message: `rooms are not ready: ${String(error)}` }))
    const bound = await api.listen(port, hostname)
    left = sessions
      .closeLeft()
      .catch((error: unknown) => logger.error('session', { message: `sessions of a host before could not be ended: ${String(error)}` }))
    return { url: `http://${bound.address.includes(':') ? `[${bound.address}]` : bound.address}:${bound.port}`, operatorToken, sessions, close }
  } catch (error) {
    await close()
    throw error
  }
}

interface Shards {
  /** A database stays with its lane, and a lane with its shard: no two threads ever have its file. */
  of(database: string): Shard
  close(): Promise<void>
}

function startShards(options: HostOptions, catalogue: HostCatalogue, logs: LogBook, logger: Logger): Shards {
  const wanted = options.shards ?? Math.max(1, availableParallelism() - 1)
  const laneCount = catalogue.laneCount(wanted)
  const shardCount = Math.min(wanted, laneCount)
  const shards = Array.from({ length: shardCount }, (_unused, shard) =>
    startShard(options, lanesOfShard(shard, shardCount, laneCount), laneCount, logs, logger),
  )
  return {
    of: (database) => shards[laneOf(database, laneCount) % shardCount] as WorkerShard,
    close: async () => void (await Promise.all(shards.map((shard) => shard.close()))),
  }
}

function startShard({ data, instances = 'fresh', ...options }: HostOptions, own: readonly number[], count: number, logs: LogBook, logger: Logger): WorkerShard {
  const shard = new WorkerShard({
    data,
    lanes: { count, own },
    instances,
    logLimits: logLimits(options),
    onEvent: ({ database, entries }) => logs.append(database, entries),
    onFailure: (message) => logger.error('shard', { message }),
    onStuck: () => {
      logger.error('shard', { message: 'a shard can be neither reached nor ended: the process is killed; what was acknowledged is on disk' })
      process.kill(process.pid, 'SIGKILL')
    },
  })
  shard.begin()
  return shard
}

/** Whoever can read the data folder is its operator; the token lets them say so over HTTP. */
async function writeOperatorToken(data: string, catalogue: HostCatalogue): Promise<string> {
  const token = await catalogue.mintHostToken({ subject: 'operator', tenant: undefined, roles: ['operator'], ttlSeconds: limits.tokenTtlSecondsMax })
  writeFileSync(join(data, 'operator.token'), `${token}\n`, { mode: 0o600 })
  return token
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
  return version
}

const stderrLogger: Logger = {
  error: (message, fields) => void process.stderr.write(`${JSON.stringify({ level: 'error', message, ...fields })}\n`),
}
