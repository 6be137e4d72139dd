/**
 * A module's folder to a component: `<folder>/index.ts` with its imports, compiled and wrapped in the
 * one world. The work is done in a thread of its own that stays warm for the next build and is
 * replaced when the compiler takes it down.
 */
import { Worker } from 'node:worker_threads'

import { HostError } from '../errors.ts'
import { parseDescription } from '../schema/description.ts'
import type { ModuleDescription } from '../schema/description.ts'
import type { BuildAnswer, BuildRequest } from './build-worker.ts'

export interface BuildOptions {
  /** False builds in a third of the time a module that is larger and slower: for the loop of edit and try. */
  readonly optimize: boolean
}

export interface BuiltModule {
  readonly component: Uint8Array
  readonly description: ModuleDescription
  /** `index.ts:12:7 Note: no @owner column, …` */
  readonly warnings: readonly string[]
  readonly timings: {
    readonly parseMs: number
    readonly compileMs: number
    readonly optimizeMs: number
    readonly componentMs: number
    readonly totalMs: number
  }
  readonly sizeBytes: number
}

/**
 * Builds are done one after the other.
 *
 * @throws HostError ERR_BUILD: its message has a line `file:line:column what is wrong` for each error,
 *   its detail the first one's file, line and column and all lines as `diagnostics`.
 */
export async function buildModule(folder: string, options: BuildOptions): Promise<BuiltModule> {
  const build = lastBuild.then(() => runBuild(folder, options))
  lastBuild = build.catch(() => undefined)
  return build
}

let lastBuild: Promise<unknown> = Promise.resolve()
let builder: Worker | undefined

async function runBuild(folder: string, { optimize }: BuildOptions): Promise<BuiltModule> {
  const begin = performance.now()
  const answer = await ask({ folder, optimize })
  switch (answer.kind) {
    case 'refused':
      throw new HostError('ERR_BUILD', answer.message, { detail: answer.detail })
    case 'crashed':
      throw new HostError('ERR_BUILD', `the compiler itself failed, which is our error or its own: ${answer.message}`)
    case 'built': {
      const { component, componentMs, compiled } = answer
      const timings = { ...compiled.timings, componentMs, totalMs: performance.now() - begin }
      return { component, description: parseDescription(compiled.description), warnings: compiled.warnings, timings, sizeBytes: component.length }
    }
  }
}

/** The answer of the builder, which holds the process open only while it works. */
async function ask(request: BuildRequest): Promise<BuildAnswer> {
  const worker = (builder ??= startBuilder())
  worker.ref()
  const answer = await new Promise<BuildAnswer>((resolve) => {
    worker.once('message', resolve)
    worker.once('error', (error) => resolve({ kind: 'crashed', message: error.stack ?? error.message }))
    worker.once('exit', () => resolve({ kind: 'crashed', message: 'it ended, and wrote why to stderr' }))
    worker.postMessage(request)
  })
  worker.removeAllListeners('message').removeAllListeners('error').removeAllListeners('exit')
  worker.unref()
  if (answer.kind === 'crashed') {
    builder = undefined
    void worker.terminate()
  }
  return answer
}

/** This file's sibling: TypeScript in a checkout, JavaScript in the package. */
function startBuilder(): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new Worker(new URL(`./build-worker.${extension}`, import.meta.url))
}
