/**
 * The process that looks at mutants, batch after batch, as the gate's child does at uploads. It ends
 * itself when the tools are useless after a panic; component-fuzz.ts then starts another one.
 */
import { componentWit } from '@bytecodealliance/jco-transpile/wasm-tools'

import { checkMutant, Finding } from './check-mutant.ts'
import type { MutantFate } from './check-mutant.ts'
import { readCorpus } from './corpus.ts'
import { mutantNumber } from './mutant.ts'

export interface Batch {
  readonly from: number
  readonly to: number
}

export interface BatchReport {
  /** Mutants up to here, without it, were looked at. */
  readonly done: number
  readonly fates: Readonly<Record<MutantFate, number>>
  readonly findings: readonly { readonly index: number; readonly what: string }[]
  /** The tools answer no more: this process is of no further use. */
  readonly isSpent: boolean
}

const [folder = '', seed = '0'] = process.argv.slice(2)
const corpus = readCorpus(folder)

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.on('message', (batch: Batch) => void look(batch).then((report) => process.send?.(report)))
process.send?.('ready')

async function look({ from, to }: Batch): Promise<BatchReport> {
  const fates = { refused: 0, tools: 0, accepted: 0 }
  const findings: { index: number; what: string }[] = []
  for (let index = from; index < to; index += 1) {
    const fate = await lookAt(index, findings)
    if (fate !== undefined) fates[fate] += 1
    if (fate === 'tools' && !(await doToolsAnswer())) return { done: index + 1, fates, findings, isSpent: true }
  }
  return { done: to, fates, findings, isSpent: false }
}

async function lookAt(index: number, findings: { index: number; what: string }[]): Promise<MutantFate | undefined> {
  const { component, random } = mutantNumber(index, Number(seed), corpus)
  try {
    return await checkMutant(component, random)
  } catch (error) {
    findings.push({ index, what: error instanceof Finding ? error.message : `unexpected: ${error instanceof Error ? error.stack : String(error)}` })
    return undefined
  }
}

async function doToolsAnswer(): Promise<boolean> {
  try {
    await componentWit(corpus[0] ?? new Uint8Array())
    return true
  } catch {
    return false
  }
}
