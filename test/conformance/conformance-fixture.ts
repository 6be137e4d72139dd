/** The reference module, built once, and a fresh database of it behind each door that a test asks for. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { startHost } from '../../host/host.ts'
import type { RunningHost } from '../../host/host.ts'
import { buildModule } from '../../host/module/build.ts'
import type { BuiltModule } from '../../host/module/build.ts'
import { openHost } from '../../host/open-host.ts'
import type { LocalHost } from '../../host/open-host.ts'
import type { LogLine } from './case.ts'
import { HttpDoor } from './http-door.ts'
import { JcoRunner } from './jco-runner.ts'
import { ProcessDoor, StepClock } from './process-door.ts'

/** Who runs the guest: the host's own adapter, or jco's glue. */
export type Implementation = 'adapter' | 'jco'

export class ConformanceFixture implements AsyncDisposable {
  readonly module: BuiltModule
  readonly jco: JcoRunner
  readonly #folder: string
  readonly #local: LocalHost
  readonly #clock: StepClock
  readonly #logs: Map<string, LogLine[]>
  #served: Promise<RunningHost> | undefined
  #databases = 0

  private constructor(module: BuiltModule, jco: JcoRunner, local: LocalParts) {
    this.module = module
    this.jco = jco
    this.#folder = local.folder
    this.#local = local.host
    this.#clock = local.clock
    this.#logs = local.logs
  }

  static async open(): Promise<ConformanceFixture> {
    const module = await buildModule(path.join(import.meta.dirname, 'module'), { optimize: false })
    return new ConformanceFixture(module, await JcoRunner.of(module.component), await openLocal())
  }

  async process(implementation: Implementation): Promise<ProcessDoor> {
    this.#clock.reset()
    const name = this.#nextName()
    const database = await this.#local.database(name, { create: true })
    await database.publish(this.module.component, implementation === 'jco' ? { compile: async () => this.jco } : {})
    const takeLogs = (): readonly LogLine[] => this.#logs.get(name)?.splice(0) ?? []
    return new ProcessDoor({ database, description: this.module.description, clock: this.#clock, takeLogs })
  }

  /** A host of our own, or the one that the environment names. */
  async http(): Promise<HttpDoor> {
    const url = process.env['CONFORMANCE_URL']
    const operatorToken = process.env['CONFORMANCE_OPERATOR_TOKEN'] ?? ''
    const host = url === undefined ? await this.#serve() : { url, operatorToken }
    return HttpDoor.open(host, this.#nextName(), this.module.component)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#local.close()
    await (await this.#served)?.close()
    rmSync(this.#folder, { recursive: true })
  }

  #serve(): Promise<RunningHost> {
    this.#served ??= startHost({ data: path.join(this.#folder, 'served'), port: 0, shards: 1 })
    return this.#served
  }

  #nextName(): string {
    return `conformance-${++this.#databases}`
  }
}

interface LocalParts {
  readonly folder: string
  readonly host: LocalHost
  readonly clock: StepClock
  readonly logs: Map<string, LogLine[]>
}

async function openLocal(): Promise<LocalParts> {
  const folder = mkdtempSync(path.join(tmpdir(), 'remembrancer-conformance-'))
  const clock = new StepClock()
  const logs = new Map<string, LogLine[]>()
  const host = await openHost({
    data: path.join(folder, 'local'),
    clock,
    onLog: (database, { level, message }) => {
      const lines = logs.get(database) ?? []
      lines.push({ level, message })
      logs.set(database, lines)
    },
  })
  return { folder, host, clock, logs }
}
