/** docs/invariants.md against the tests that it names. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const root = new URL('../', import.meta.url)
const lines = readFileSync(new URL('docs/invariants.md', root), 'utf8').split('\n')

interface Named {
  readonly file: string
  readonly name: string
}

const named = lines.flatMap((line): Named[] => {
  const [, file, name] = /^ +- `(test\/[^`]+)`: (.+)$/.exec(line) ?? []
  return file === undefined || name === undefined ? [] : [{ file, name }]
})

/** Names of the tests that stand in a file, as they are written. */
function testsOf(file: string): readonly string[] {
  const url = new URL(file, root)
  if (!existsSync(url)) return []
  const found = readFileSync(url, 'utf8').matchAll(/\btest\((['"])((?:\\.|(?!\1).)*)\1/g)
  return [...found].map(([, , name = '']) => name.replaceAll('\\', ''))
}

test('every test that an invariant names exists', () => {
  assert.deepEqual(
    named.filter(({ file, name }) => !testsOf(file).includes(name)),
    [],
  )
})

test('every invariant names a test', () => {
  const numbered = lines.flatMap((line, index) => (/^\d+\. /.test(line) ? [index] : []))
  for (const [place, start] of numbered.entries()) {
    const own = lines.slice(start, numbered[place + 1])
    assert.ok(
      own.some((line) => /^ +- `test\//.test(line)),
      lines[start],
    )
  }
})

test('invariants are numbered without a gap', () => {
  const numbers = lines.flatMap((line) => /^(\d+)\. /.exec(line)?.[1] ?? []).map(Number)
  assert.deepEqual(
    numbers,
    numbers.map((_number, index) => index + 1),
  )
  assert.ok(numbers.length > 30)
})

test('every line of the list is read', () => {
  assert.equal(named.length, lines.filter((line) => line.trimStart().startsWith('- ')).length)
})
