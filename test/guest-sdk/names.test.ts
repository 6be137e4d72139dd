import assert from 'node:assert/strict'
import test from 'node:test'

import { isName, isParameterName, RESERVED_WORDS, snakeCase } from '../../host/schema/names.ts'

test('names of AssemblyScript become names of SQL', () => {
  const names = ['rememberTurn', 'HTTPCall', 'callID', 'at2', 'line2Text', 'already_snake', 'Turn', 'aB']
  assert.deepEqual(names.map(snakeCase), ['remember_turn', 'http_call', 'call_id', 'at2', 'line2_text', 'already_snake', 'turn', 'a_b'])
})

test('a name is lower case, begins with a letter and has at most 63 characters', () => {
  const good = ['a', 'remember_turn', 'a'.repeat(63), 'caller', 'role', 'at', 'content', 'name', 'value']
  const bad = ['', 'A', '1a', '_a', 'a-b', 'a b', 'ä', 'a'.repeat(64), 'a\n', 'order', 'user', 'select', 'left']
  assert.deepEqual(
    good.filter((name) => !isName(name)),
    [],
  )
  assert.deepEqual(bad.filter(isName), [])
})

test('a parameter may be called what SQL reserves', () => {
  assert.deepEqual([isParameterName('limit'), isName('limit'), isParameterName('Limit')], [true, false, false])
})

test('the reserved words are names otherwise', () => {
  assert.deepEqual(
    [...RESERVED_WORDS].filter((word) => !isParameterName(word)),
    [],
  )
  assert.equal(RESERVED_WORDS.size, 101)
})
