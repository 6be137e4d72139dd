/** Where a statement ends, and what may come next in one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { completions } from '../../host/cli/sql/completion.ts'
import { cutStatements } from '../../host/cli/sql/statements.ts'

const pieces = fc.constantFrom(
  'SELECT',
  ' ',
  '\n',
  'a',
  'e1',
  "'it''s; a \\'",
  "E'\\'; \\\\'",
  "e'a'",
  '"a "";"',
  '-- not; the end\n',
  '/* not; /* the; */ end */',
  '$$a;$$',
  '$x$a;$$;$x$',
  'a$b$c',
  '$1',
  '-',
  '/',
  '*',
  '(',
)
const words = fc.array(pieces, { minLength: 1, maxLength: 12 }).map((list) => list.join(' '))
const isEmpty = (text: string): boolean =>
  text
    .replaceAll(/--[^\n]*/g, '')
    .replaceAll(/\/\* not; \/\* the; \*\/ end \*\//g, '')
    .trim() === ''

test('texts joined by semicolons are cut into them again, wherever the lines end', () => {
  fc.assert(
    fc.property(fc.array(words, { minLength: 1, maxLength: 5 }), (texts) => {
      const { statements, rest, inside } = cutStatements(`${texts.join(';')};`)
      assert.deepEqual([rest, inside], ['', 'nothing'])
      assert.deepEqual(
        statements,
        texts.map((text) => text.trim()).filter((text) => !isEmpty(text)),
      )
    }),
    { numRuns: 2_000 },
  )
})

test('what is open says in what', () => {
  const insides = [
    '',
    '  ',
    '-- only a comment',
    'SELECT',
    "SELECT 'a",
    'SELECT "a',
    'SELECT $$a',
    'SELECT /* a',
    "SELECT E'\\'",
    'SELECT 1; /*',
    'SELECT 1;',
  ].map((text) => cutStatements(text).inside)
  assert.deepEqual(insides, ['nothing', 'nothing', 'nothing', 'statement', 'quotes', 'quotes', 'quotes', 'comment', 'quotes', 'comment', 'nothing'])
})

const tables = [
  { name: 'turns', columns: ['id', 'caller', 'content', 'at'].map((name) => ({ name, type: 'string' })), key: 'id', owner: 'caller' },
  { name: 'claims', columns: ['id', 'status', 'summary'].map((name) => ({ name, type: 'string' })), key: 'id', owner: null },
]

test('completion knows tables, the columns of those that are named, aliases and commands', () => {
  const hits = (line: string, before = ''): readonly string[] => completions(line, before, tables)[0]
  assert.deepEqual(hits('SELECT * FROM '), ['turns', 'claims'])
  assert.deepEqual(hits('SELECT * FROM tu'), ['turns'])
  assert.deepEqual(
    hits('WHERE s', 'SELECT * FROM claims'),
    ['status', 'summary', 'select', 'sender()', 'sum(', 'substr(', 'strpos(', 'starts_with('].toSorted(byOrder),
  )
  assert.deepEqual(hits('AND t.c', 'SELECT * FROM turns AS t'), ['t.caller', 't.content'])
  assert.deepEqual(hits('AND claims.s', 'SELECT 1 FROM claims'), ['claims.status', 'claims.summary'])
  assert.deepEqual(hits('SEL'), ['SELECT'])
  assert.deepEqual(hits('sel'), ['select'])
  assert.deepEqual(hits('\\e'), ['\\explain'])
  assert.deepEqual(hits('\\d cl'), ['claims'])
  assert.deepEqual(completions('SELECT con', '', tables)[1], 'con')
})

/** Columns, tables, functions, words. */
function byOrder(left: string, right: string): number {
  const order = ['status', 'summary', 'sender()', 'sum(', 'substr(', 'strpos(', 'starts_with(', 'select']
  return order.indexOf(left) - order.indexOf(right)
}
