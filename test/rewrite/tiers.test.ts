/** The same call burns the same fuel whatever compiles it: baseline alone, optimising alone, one after the other. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const TIERS = [[], ['--liftoff', '--no-wasm-tier-up'], ['--no-liftoff', '--no-wasm-lazy-compilation'], ['--no-wasm-dynamic-tiering']] as const

test('results, memory, NaN bits and fuel of 30 generated modules are the same with each of V8’s compilers', async () => {
  const observed: string[] = []
  for (const flags of TIERS) {
    const { stdout } = await run(process.execPath, [...flags, join(import.meta.dirname, 'print-observations.ts'), '2026', '30'])
    observed.push(stdout)
  }
  assert.match(observed[0] ?? '', /^[0-9a-f]{64}$/)
  assert.deepEqual(new Set(observed).size, 1)
})
