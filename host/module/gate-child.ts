/**
 * The process in which uploads are looked at; gate.ts forks it, feeds it one upload at a time and kills
 * it when it takes too long or too much. It has no environment, may write no file and start no process
 * (gate.ts passes the flags), and it never outlives its parent.
 */
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { HostError } from '../errors.ts'
import { checkComponent } from './check-component.ts'
import type { GateAnswer, GateRequest } from './gate-protocol.ts'
import { loadTools } from './wit.ts'

/** Codes of refusals that come from our own parser, before any tool or engine has seen the upload. */
const CLEAN_CODES: ReadonlySet<string> = new Set([
  'ERR_COMPONENT_MALFORMED',
  'ERR_COMPONENT_KIND',
  'ERR_COMPONENT_WIRING',
  'ERR_COMPONENT_WORLD',
  'ERR_COMPONENT_CORE',
])

async function answer({ component }: GateRequest): Promise<GateAnswer> {
  try {
    return { kind: 'accepted', checked: await checkComponent(component) }
  } catch (error) {
    return refusal(error)
  }
}

function refusal(error: unknown): GateAnswer {
  if (error instanceof HostError) {
    return { kind: 'refused', code: error.code, message: error.message, detail: error.detail, isClean: CLEAN_CODES.has(error.code) }
  }
  // The tools' own words may quote the upload: they are not passed on.
  const message = 'the component is not valid: the WebAssembly tools refused it or failed on it. Run "wasm-tools validate" on it'
  return { kind: 'refused', code: 'ERR_COMPONENT_MALFORMED', message, detail: {}, isClean: false }
}

function send(message: GateAnswer): void {
  process.send?.(message)
}

// A parent that was killed cannot stop an endless `describe` here; the watchdog sees that it is gone.
new Worker(join(import.meta.dirname, `gate-watchdog${extname(import.meta.filename)}`), { workerData: process.ppid }).unref()
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.on('message', (request: GateRequest) => {
  void answer(request).then(send)
})
await loadTools()
send({ kind: 'ready' })
