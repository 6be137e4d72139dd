/**
 * A PostgreSQL 15 of our own for one process: a cluster in a temporary folder, reached by a socket there
 * and by no port, run by an unprivileged user and ended by its own process id.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { PostgresClient } from './postgres-client.ts'

const binaries = '/usr/lib/postgresql/15/bin'

/** Why there is none on this machine, or undefined. */
export const postgresMissing = existsSync(path.join(binaries, 'postgres')) ? undefined : 'PostgreSQL 15 is not here: npm run peers'

export class PostgresServer implements AsyncDisposable {
  readonly #folder: string
  readonly #process: ReturnType<typeof spawn>

  private constructor(folder: string, process: ReturnType<typeof spawn>) {
    this.#folder = folder
    this.#process = process
  }

  static async start(): Promise<PostgresServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'remembrancer-postgres-'))
    const user = unprivileged()
    if (user !== undefined) chownSync(folder, user.uid, user.gid)
    const data = path.join(folder, 'data')
    const options = { cwd: folder, ...user }
    execFileSync(path.join(binaries, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'], {
      ...options,
      stdio: 'ignore',
    })
    // Nothing of it is to last, so it need not wait for the disk.
    const settings = ['listen_addresses=', `unix_socket_directories=${folder}`, 'fsync=off', 'jit=off'].flatMap((one) => ['-c', one])
    const server = spawn(path.join(binaries, 'postgres'), ['-D', data, ...settings], { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
    const started = new PostgresServer(folder, server)
    await started.#isReady()
    return started
  }

  get socketPath(): string {
    return path.join(this.#folder, '.s.PGSQL.5432')
  }

  connect(): Promise<PostgresClient> {
    return PostgresClient.connect(this.socketPath)
  }

  async #isReady(): Promise<void> {
    let log = ''
    for await (const chunk of this.#process.stderr ?? []) {
      log += String(chunk)
      if (log.includes('database system is ready to accept connections')) break
    }
    if (this.#process.exitCode !== null) throw new Error(`PostgreSQL did not start: ${log}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGINT')
    await ended
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** PostgreSQL refuses to run as root: its package has made a user. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
