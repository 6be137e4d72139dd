/** What things may be called. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isName, isParameterName, snakeCase } from '../../host/schema/names.ts'

test('a name is snake_case of at most 63 letters, digits and _', () => {
  for (const name of ['a', 'remember_turn', 'v2', 'x'.repeat(63)]) assert.ok(isName(name), name)
  for (const name of ['', 'A', '2nd', '_a', 'a-b', 'a.b', 'é', 'a\n', 'x'.repeat(64), '__proto__']) assert.ok(!isName(name), name)
})

test('a word that PostgreSQL reserves is no name, but may be a parameter', () => {
  for (const name of ['select', 'user', 'limit', 'table', 'order']) assert.deepEqual([isName(name), isParameterName(name)], [false, true], name)
})

test('what an author writes in camelCase is snake_case outside', () => {
  const written = { rememberTurn: 'remember_turn', HTTPCall: 'http_call', openedAt: 'opened_at', v2Turn: 'v2_turn', remember_turn: 'remember_turn' }
  for (const [name, outside] of Object.entries(written)) assert.equal(snakeCase(name), outside)
})
