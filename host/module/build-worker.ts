/**
 * The builder's own thread: the compiler and jco's tools keep it busy for seconds, may end it, or may
 * be useless in it afterwards. One message in, one out.
 */
import { parentPort } from 'node:worker_threads'

import { assert, HostError } from '../errors.ts'
import type { ErrorDetail } from '../errors.ts'
import { compileModule } from './compile.ts'
import type { CompiledModule } from './compile.ts'
import { embedInWorld } from './embed.ts'

export interface BuildRequest {
  readonly folder: string
  readonly optimize: boolean
}

export type BuildAnswer =
  | { readonly kind: 'built'; readonly compiled: CompiledModule; readonly component: Uint8Array; readonly componentMs: number }
  | { readonly kind: 'refused'; readonly message: string; readonly detail: ErrorDetail }
  | { readonly kind: 'crashed'; readonly message: string }

const port = parentPort
assert(port !== null, 'build-worker.ts runs as a worker thread')
port.on('message', (request: BuildRequest) => void answer(request).then((result) => port.postMessage(result)))

async function answer({ folder, optimize }: BuildRequest): Promise<BuildAnswer> {
  try {
    const compiled = await compileModule(folder, { optimize })
    const begin = performance.now()
    const component = await embedInWorld(compiled.core)
    return { kind: 'built', compiled, component, componentMs: performance.now() - begin }
  } catch (error) {
    if (error instanceof HostError) return { kind: 'refused', message: error.message, detail: error.detail }
    return { kind: 'crashed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
