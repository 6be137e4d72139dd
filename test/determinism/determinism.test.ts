/**
 * A recorded call runs again to the same end, bit for bit, in another process: with V8's baseline
 * compiler alone, with its optimising one alone, with the flags of a serving host, and as it comes.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { after, before, suite, test } from 'node:test'
import { isDeepStrictEqual, promisify } from 'node:util'

import { buildModule } from '../../host/module/build.ts'
import { buildRustGuest, withoutRust } from '../guests/rust-guest.ts'
import { DataFolder } from '../storage/folder.ts'
import type { Outcome, RecordedCall } from './recorded-call.ts'
import { floats } from './script.ts'

const run = promisify(execFile)
const child = fileURLToPath(new URL('calling-child.ts', import.meta.url))

const PROCESSES: readonly (readonly [what: string, flags: readonly string[]])[] = [
  ['as Node comes', []],
  ['with the flags of a serving host', ['--no-wasm-dynamic-tiering']],
  ['with the baseline compiler alone', ['--liftoff-only']],
  ['with the optimising compiler alone', ['--no-liftoff']],
  ['with functions that are compiled when they are first called, and optimised soon', ['--wasm-lazy-compilation', '--wasm-tiering-budget=1000']],
]

/** The calls that came to something else, in few words: their results are long. */
function differences(replayed: readonly RecordedCall[], recorded: readonly RecordedCall[]): string[] {
  return replayed.flatMap((call, index) => {
    const before = recorded[index]
    if (isDeepStrictEqual(call, before)) return []
    const brief = ({ code, fuel, log, operations, result }: Outcome): string => `${code} ${fuel} ${result.slice(0, 80)} ${operations.length} ${log.length}`
    return [`call ${index}, ${call.module} ${call.reducer}: ${brief(call.outcome)}, recorded ${before && brief(before.outcome)}`]
  })
}

suite('a recorded call', () => {
  const folder = new DataFolder()
  const components = folder.at('components')
  const recording = folder.at('recorded.ndjson')
  let recorded: readonly RecordedCall[]

  async function callsOf(flags: readonly string[], ...args: readonly string[]): Promise<RecordedCall[]> {
    const { stdout } = await run(process.execPath, [...flags, child, components, ...args], { timeout: 120_000, maxBuffer: 64 * 2 ** 20 })
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RecordedCall)
  }

  before(async () => {
    mkdirSync(components)
    writeFileSync(folder.at('components', 'chances.wasm'), (await buildModule('test/modules/chances', { optimize: true })).component)
    writeFileSync(folder.at('components', 'floats.wasm'), await floats())
    if (withoutRust === false) writeFileSync(folder.at('components', 'journal.wasm'), await buildRustGuest())
    recorded = await callsOf([])
    writeFileSync(recording, recorded.map((call) => JSON.stringify(call)).join('\n'))
  })
  after(() => folder[Symbol.dispose]())

  test('is of every kind: kept, refused, trapped, too deep, and out of fuel at any unit', (context) => {
    context.diagnostic(`${recorded.length} calls${withoutRust === false ? '' : `, none of the module in Rust: ${withoutRust}`}`)
    const ends = new Map([...Map.groupBy(recorded, ({ outcome }) => outcome.code)].map(([code, calls]) => [code, calls.length]))
    const kinds = ['ok', 'ERR_CALL_FAILED', 'ERR_CALL_TRAPPED', 'ERR_CALL_DEPTH', 'ERR_CALL_FUEL']
    assert.deepEqual(new Set(ends.keys()), new Set(kinds))
    assert.ok((ends.get('ERR_CALL_FUEL') ?? 0) > 80, JSON.stringify([...ends]))
    assert.ok(recorded.some(({ outcome }) => outcome.operations.some((operation) => operation.startsWith('update'))))
    assert.ok(recorded.some(({ outcome }) => outcome.operations.some((operation) => operation.startsWith('delete'))))
  })

  test('ends the same with exactly its fuel, and for want of fuel with one unit less', () => {
    const again = recorded.flatMap((call, index) => {
      const first = recorded[index - 1]
      return first !== undefined && call.fuelMax === first.outcome.fuel && String(call.moment) === String(first.moment)
        ? [{ first, call, next: recorded[index + 1] }]
        : []
    })
    assert.ok(again.length >= 10, `${again.length}`)
    for (const { first, call, next } of again) {
      assert.deepEqual(call.outcome, first.outcome)
      assert.deepEqual([next?.outcome.code, next?.outcome.fuel], ['ERR_CALL_FUEL', call.fuelMax - 1])
    }
  })

  for (const [what, flags] of PROCESSES) {
    test(`ends the same in another process ${what}`, async () => {
      const replayed = await callsOf(flags, recording)
      assert.equal(replayed.length, recorded.length)
      assert.deepEqual(differences(replayed, recorded), [])
    })
  }

  test('ends otherwise at another moment', async () => {
    const otherwise = await callsOf([])
    const results = (calls: readonly RecordedCall[]): string[] => calls.filter(({ outcome }) => outcome.code === 'ok').map(({ outcome }) => outcome.result)
    const same = results(otherwise).filter((result, index) => result === results(recorded)[index])
    assert.ok(same.length < results(recorded).length / 2, `${same.length} of ${results(recorded).length} are the same`)
  })
})
