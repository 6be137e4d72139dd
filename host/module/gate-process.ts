/**
 * One child process of the gate, with its bounds on time and memory. A child that passes a bound is
 * killed and answers with a refusal; nothing that it does can leave a check without an answer.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { assert, HostError } from '../errors.ts'
import { gateMemoryBytesMax, gateSampleTimeMs, gateStartTimeMsMax, gateTimeMsMax, gateWallTimeMsMax } from '../limits.ts'
import type { GateAnswer, GateRequest } from './gate-protocol.ts'

export type CheckAnswer = Exclude<GateAnswer, { kind: 'ready' }>

/** Beside this file and with its extension: .ts from the sources, .js when installed. */
const CHILD_FILE = join(import.meta.dirname, `gate-child${extname(import.meta.filename)}`)

/**
 * The upload's code runs in there: no file is written, no process started, no text evaluated, and V8's
 * heap stays well under the bound on the whole process.
 */
const CHILD_FLAGS: readonly string[] = [
  '--permission',
  '--allow-fs-read=*',
  '--allow-worker',
  '--disallow-code-generation-from-strings',
  '--max-old-space-size=128',
  '--no-warnings',
]

/** What one check may take. */
export interface GateBounds {
  readonly processorMs: number
  readonly wallMs: number
  /** Of the whole child, with what it holds between checks. */
  readonly memoryBytes: number
}

export const gateBounds: GateBounds = { processorMs: gateTimeMsMax, wallMs: gateWallTimeMsMax, memoryBytes: gateMemoryBytesMax }

export class GateProcess {
  readonly #bounds: GateBounds
  readonly #child: ChildProcess
  readonly #ready: Promise<GateAnswer>
  #settle: ((answer: GateAnswer) => void) | undefined

  constructor(bounds: GateBounds = gateBounds) {
    this.#bounds = bounds
    this.#child = fork(CHILD_FILE, {
      execArgv: [...CHILD_FLAGS],
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.#child.on('message', (answer: GateAnswer) => this.#settle?.(answer))
    this.#child.on('error', () => this.#settle?.(lost('could not be started')))
    this.#child.on('exit', (code, signal) => this.#settle?.(lost(`ended (${signal ?? code})`)))
    this.#ready = this.#answerWithin(gateStartTimeMsMax)
  }

  get isAlive(): boolean {
    return this.#child.connected && !this.#child.killed
  }

  /** 0 where the system does not tell. */
  get residentBytes(): number {
    return residentBytes(this.#child.pid)
  }

  /** @throws HostError ERR_BUSY when the child does not come up. */
  async ready(): Promise<void> {
    const answer = await this.#ready
    if (answer.kind !== 'ready') throw new HostError('ERR_BUSY', 'the check of modules could not be started: publish again later')
  }

  async check(component: Uint8Array): Promise<CheckAnswer> {
    const startMs = processorMs(this.#child.pid)
    const answered = this.#answerWithin(startMs === undefined ? this.#bounds.processorMs : this.#bounds.wallMs)
    const sampler = setInterval(() => this.#checkUse(startMs ?? 0), gateSampleTimeMs)
    const request: GateRequest = { component }
    this.#child.send(request, (error) => error && this.#settle?.(unavailable()))
    const answer = await answered
    clearInterval(sampler)
    assert(answer.kind !== 'ready', 'a child of the gate is ready once')
    return answer
  }

  kill(): void {
    this.#child.kill('SIGKILL')
    this.#settle?.(unavailable())
  }

  /** The next answer of the child, or a refusal in its place. Only while it is awaited does the child keep us alive. */
  #answerWithin(timeMsMax: number): Promise<GateAnswer> {
    const { promise, resolve } = Promise.withResolvers<GateAnswer>()
    const timer = setTimeout(() => this.#refuse(`took longer than ${timeMsMax} ms`), timeMsMax)
    this.#setRef(true)
    this.#settle = (answer) => {
      clearTimeout(timer)
      this.#settle = undefined
      this.#setRef(false)
      resolve(answer)
    }
    return promise
  }

  #checkUse(startMs: number): void {
    const { processorMs: mostMs, memoryBytes } = this.#bounds
    if ((processorMs(this.#child.pid) ?? 0) - startMs > mostMs) return this.#refuse(`took more than ${mostMs} ms of processor time`)
    if (this.residentBytes > memoryBytes) this.#refuse(`took more than ${memoryBytes / 2 ** 20} MiB of memory`)
  }

  #refuse(reason: string): void {
    this.#child.kill('SIGKILL')
    this.#settle?.(lost(reason))
  }

  #setRef(isWaiting: boolean): void {
    const { channel } = this.#child
    if (isWaiting) {
      this.#child.ref()
      channel?.ref()
    } else {
      this.#child.unref()
      channel?.unref()
    }
  }
}

/**
 * Resident memory of a process. Linux tells it; elsewhere this gives 0, and what bounds a child there is
 * its time, its heap and the initial pages a module may have.
 */
function residentBytes(pid: number | undefined): number {
  if (process.platform !== 'linux' || pid === undefined) return 0
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return Number(kilobytes ?? 0) * 1024
  } catch {
    // The process ended between the timer and the look at it: its exit is on the way to us.
    return 0
  }
}

/** Time that all threads of a process have run, in steps of 10 ms; undefined where the system does not tell. */
function processorMs(pid: number | undefined): number | undefined {
  if (process.platform !== 'linux' || pid === undefined) return undefined
  try {
    // The name in parentheses can hold anything; utime and stime are the 12th and 13th field after it (proc(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return undefined
  }
}

function lost(reason: string): CheckAnswer {
  return refusal('ERR_COMPONENT_BUDGET', `the check of the module ${reason}: nothing of it was accepted`)
}

function unavailable(): CheckAnswer {
  return refusal('ERR_BUSY', 'the check of the module was ended before it was done: publish again')
}

function refusal(code: 'ERR_COMPONENT_BUDGET' | 'ERR_BUSY', message: string): CheckAnswer {
  return { kind: 'refused', code, message, detail: {}, isClean: false }
}
