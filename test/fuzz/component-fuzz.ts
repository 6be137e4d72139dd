/**
 * Mutated components through the gate's whole check, the rewriter and the adapter, in a child process
 * that lives long and is replaced when a mutant has taken it down. This process stands for the host:
 * that it is there at the end is what is shown.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { readCorpus, writeCorpus } from './corpus.ts'
import type { Batch, BatchReport } from './fuzz-child.ts'
import { mutantNumber } from './mutant.ts'

const CRASHERS = join(import.meta.dirname, 'crashers')
const BATCH_SIZE = 250
/** For a batch, which takes a second; and for a mutant alone, which the gate gives two. */
const BATCH_TIME_MS_MAX = 60_000
const MUTANT_TIME_MS_MAX = 10_000

export interface ComponentFuzzOptions {
  readonly seed: number
  /** Which mutants: from `first` until the time is over or `count` were looked at. */
  readonly first?: number
  readonly count?: number
  readonly timeMs: number
  /** Without the modules that take time to compile. */
  readonly isQuick?: boolean
  readonly onFinding: (what: string) => void
}

export interface FuzzCounts {
  readonly looked: number
  readonly refused: number
  readonly tools: number
  readonly accepted: number
  readonly failed: number
  /** Children that were replaced: after a panic, a crash or too long a time. */
  readonly recycled: number
}

export async function fuzzComponents(options: ComponentFuzzOptions): Promise<FuzzCounts> {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-fuzz-'))
  try {
    await writeCorpus(folder, options.isQuick ?? false)
    using fuzzer = new ComponentFuzzer(folder, options)
    return await fuzzer.run()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

class ComponentFuzzer implements Disposable {
  readonly #folder: string
  readonly #options: ComponentFuzzOptions
  readonly #counts = { looked: 0, refused: 0, tools: 0, accepted: 0, failed: 0, recycled: 0 }
  #child: ChildProcess | undefined

  constructor(folder: string, options: ComponentFuzzOptions) {
    this.#folder = folder
    this.#options = options
  }

  async run(): Promise<FuzzCounts> {
    const { first = 0, count = Number.MAX_SAFE_INTEGER, timeMs } = this.#options
    const deadline = performance.now() + timeMs
    let next = first
    while (next < first + count && performance.now() < deadline) {
      next = await this.#advance({ from: next, to: Math.min(next + BATCH_SIZE, first + count) }, BATCH_TIME_MS_MAX)
    }
    return this.#counts
  }

  /** Where to go on. A batch that ends its child is gone through one by one. */
  async #advance(batch: Batch, timeMsMax: number): Promise<number> {
    const report = await this.#ask(batch, timeMsMax)
    if (report !== undefined) return this.#keep(batch, report)
    this.#recycle()
    if (batch.to - batch.from > 1) return this.#advance({ from: batch.from, to: batch.from + 1 }, MUTANT_TIME_MS_MAX)
    this.#counts.looked += 1
    this.#fail(batch.from, 'it ended its process, or took too long')
    return batch.to
  }

  #keep({ from }: Batch, { done, fates, findings, isSpent }: BatchReport): number {
    this.#counts.looked += done - from
    for (const fate of ['refused', 'tools', 'accepted'] as const) this.#counts[fate] += fates[fate]
    for (const { index, what } of findings) this.#fail(index, what)
    if (isSpent) this.#recycle()
    return done
  }

  #fail(index: number, what: string): void {
    const { seed, onFinding } = this.#options
    this.#counts.failed += 1
    mkdirSync(CRASHERS, { recursive: true })
    const file = `seed-${seed}-mutant-${index}.wasm`
    writeFileSync(join(CRASHERS, file), mutantNumber(index, seed, readCorpus(this.#folder)).component)
    onFinding(`${file}: ${what}`)
  }

  /** Undefined where there was no answer. */
  async #ask(batch: Batch, timeMsMax: number): Promise<BatchReport | undefined> {
    const child = (this.#child ??= await this.#start())
    return new Promise((resolve) => {
      const settle = (report: BatchReport | undefined): void => {
        clearTimeout(timer)
        child.removeAllListeners()
        resolve(report)
      }
      const timer = setTimeout(() => settle(undefined), timeMsMax)
      child.once('message', (report: BatchReport) => settle(report))
      child.once('exit', () => settle(undefined))
      child.send(batch)
    })
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, 'fuzz-child.ts'), [this.#folder, String(this.#options.seed)], {
      execArgv: ['--no-warnings'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    await new Promise((resolve) => child.once('message', resolve))
    return child
  }

  #recycle(): void {
    this.#counts.recycled += 1
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  [Symbol.dispose](): void {
    this.#child?.kill('SIGKILL')
  }
}
