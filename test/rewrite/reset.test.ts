import assert from 'node:assert/strict'
import { test } from 'node:test'

import { compareInstances } from './three-ways.ts'

const calls = 6_000

test('calls of generated guests come to the same end, for the same fuel, in fresh and in reset instances', async () => {
  const { problems, resets, ends } = await compareInstances(2026, calls)
  assert.deepEqual(problems, [])
  // Otherwise nothing was compared: most calls must have ended well, and found an instance of an earlier one.
  assert.ok((ends.get('ok') ?? 0) > calls / 2, `${ends.get('ok')} of ${calls} calls gave a result`)
  assert.ok(resets > calls / 2, `${resets} of ${calls} calls were given an instance that had been used`)
})
