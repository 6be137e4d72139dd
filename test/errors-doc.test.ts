import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

import { ERROR_STATUS } from '../host/errors.ts'

test('docs/errors.md explains every code, with its status, and no other', () => {
  const text = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| `(ERR_[A-Z_]+)` \| (\d{3}) \| (.+) \| (.+) \|$/gm)].map((match) => [match[1], Number(match[2])])
  assert.deepEqual(rows, Object.entries(ERROR_STATUS))
})
