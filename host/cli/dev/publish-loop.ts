/**
 * Builds and publishes as often as something was saved, one at a time; saves during a build lead to
 * one more. What fails is shown, and the code that ran before goes on running.
 */
import { HostError } from '../../errors.ts'
import { buildModule } from '../../module/build.ts'
import type { BuiltModule } from '../../module/build.ts'
import type { PublishReport } from '../../protocol/shard-protocol.ts'
import { timeText } from '../grant-text.ts'
import type { HostClient } from '../host-client.ts'
import { publishComponent, publishLines } from '../publishing.ts'
import type { Terminal } from '../terminal.ts'

export interface LoopOptions {
  readonly client: HostClient
  readonly folder: string
  readonly database: string
  /** After each publish. */
  readonly onPublished: () => Promise<void>
}

export class PublishLoop {
  readonly #terminal: Terminal
  readonly #options: LoopOptions
  #isWanted = false
  #running: Promise<void> | undefined
  /** What the host runs now, for the words after a failure. */
  #version = 0

  constructor(terminal: Terminal, options: LoopOptions) {
    this.#terminal = terminal
    this.#options = options
  }

  /** Something was saved. */
  changed(): void {
    this.#isWanted = true
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  /** Resolves when no build runs. */
  async settled(): Promise<void> {
    this.#isWanted = false
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false
      await this.#publishOnce()
    }
  }

  async #publishOnce(): Promise<void> {
    const { client, folder, database } = this.#options
    const begin = performance.now()
    this.#terminal.note('building…', 'dim')
    try {
      const built = await buildModule(folder, { optimize: false })
      const report = await publishComponent(client, { database, component: built.component, isDryRun: false })
      this.#version = report.version
      this.#tell(built, report, performance.now() - begin)
      await this.#options.onPublished()
    } catch (error) {
      this.#terminal.fail(error, { kind: 'refused' })
      this.#advise(error)
    }
  }

  #tell({ warnings }: BuiltModule, report: PublishReport, tookMs: number): void {
    const { database } = this.#options
    for (const warning of warnings) this.#terminal.note(warning, 'yellow')
    const [first = '', ...rest] = publishLines(report, { database, isDryRun: false })
    this.#terminal.note(`${first}  in ${timeText(tookMs)}`, 'green')
    for (const line of rest) this.#terminal.note(line)
    if (this.#terminal.isJson) this.#terminal.result({ kind: 'published', tookMs, report }, [])
  }

  #advise(error: unknown): void {
    const code = error instanceof HostError ? error.code : undefined
    if (code === 'ERR_DATABASE_UNKNOWN') return this.#terminal.note('the database was dropped: end dev and start it again', 'dim')
    const running = this.#version === 0 ? 'nothing runs yet' : `v${this.#version} still runs`
    this.#terminal.note(code === 'ERR_SCHEMA_CHANGE' ? `${running}; remembrancer dev --reset begins with empty tables` : running, 'dim')
  }
}
