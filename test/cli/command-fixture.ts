/** The command line as its users run it: a process with a folder, a home of its own and nothing else. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

export const repository = join(import.meta.dirname, '../..')
const commandFile = join(repository, 'bin/remembrancer.js')

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export class CommandFixture implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'remembrancer-cli-'))
  readonly environment: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: this.folder, XDG_CONFIG_HOME: join(this.folder, 'config') }

  /** Runs one command to its end. */
  async run(args: readonly string[], { folder = this.folder, environment = {}, input = '' }: RunOptions = {}): Promise<Outcome> {
    const child = spawn(process.execPath, [commandFile, ...args], { cwd: folder, env: { ...this.environment, ...environment } })
    child.stdin.end(input)
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { code, stdout, stderr }
  }

  /** Starts a command that goes on. */
  start(args: readonly string[], { folder = this.folder }: RunOptions = {}): RunningCommand {
    return new RunningCommand(spawn(process.execPath, [commandFile, ...args, '--json'], { cwd: folder, env: this.environment }))
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}

export interface RunOptions {
  readonly folder?: string
  readonly environment?: NodeJS.ProcessEnv
  readonly input?: string
}

/** A command that writes a line of JSON for each thing that happens. */
export class RunningCommand implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #errors: string[] = []

  constructor(child: ReturnType<typeof spawn>) {
    this.#child = child
    this.#lines = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]()
    child.stderr?.on('data', (chunk: Buffer) => this.#errors.push(chunk.toString()))
  }

  /** The next thing that happened. */
  async next(): Promise<Record<string, unknown>> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`the command ended: ${this.#errors.join('')}`)
    return JSON.parse(value)
  }

  /** The next thing of a kind; what comes before it is left out. */
  async nextOf(kind: string): Promise<Record<string, unknown>> {
    const event = await this.next()
    return event['kind'] === kind ? event : this.nextOf(kind)
  }

  /** Asks it to end, and answers with its exit code. */
  async end(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode
    this.#child.kill('SIGTERM')
    await once(this.#child, 'exit')
    return this.#child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }
}
