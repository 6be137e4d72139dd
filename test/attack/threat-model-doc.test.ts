import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { attacks } from './attacks.ts'

const text = readFileSync(new URL('../../docs/threat-model.md', import.meta.url), 'utf8')

/** Attacks stand in list items, each in backticks; what stands there beside them is prose. */
const named = text
  .split('\n')
  .filter((line) => line.startsWith('- `'))
  .flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
  .filter((name) => name !== 'openHost' && name !== 'ctx.fail')

test('every attack that docs/threat-model.md names exists', () => {
  const names = new Set(attacks.map((attack) => attack.name))
  assert.deepEqual(
    named.filter((name) => !names.has(name)),
    [],
  )
})

test('docs/threat-model.md names attacks of every group', () => {
  const groups = new Set(attacks.filter((attack) => named.includes(attack.name)).map((attack) => attack.group))
  assert.deepEqual(groups, new Set(attacks.map((attack) => attack.group)))
})
