/** remembrancer sql without a statement: typed at a real terminal, and piped in. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'

import { repository } from './command-fixture.ts'
import { errorOf, ServedFixture } from './served-fixture.ts'

const served = new ServedFixture()
before(async () => {
  await served.serve()
  for (const [words, stars] of [
    ['tea', '3'],
    ['coffee', '5'],
  ] as const)
    await served.run(['call', 'write', words, stars, 'false', '--as', 'ada'])
})
after(() => served[Symbol.asyncDispose]())

const hasPython = spawnSync('python3', ['--version']).status === 0
const atTerminal = hasPython || process.env['CI'] === 'true' ? {} : { skip: 'python3 is not here: npm run peers' }

type Steps = readonly (readonly [waitFor: string, type: string])[]

/** What a person sees who types so, without what colours it and moves the cursor. */
async function typed(steps: Steps, ...options: readonly string[]): Promise<{ readonly code: number | null; readonly screen: string }> {
  const command = [process.execPath, path.join(repository, 'bin/remembrancer.js'), 'sql', '--as', 'ada', ...options]
  const child = spawn('python3', [path.join(repository, 'test/cli/terminal.py'), JSON.stringify(steps), ...command], {
    cwd: served.folder,
    env: { ...served.environment, XDG_STATE_HOME: path.join(served.folder, 'state') },
  })
  const [screen, problem, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  assert.equal(problem, '', screen)
  return { code, screen: stripVTControlCharacters(screen).replaceAll('\r', '') }
}

const history = (): string => path.join(served.folder, 'state/remembrancer/sql-history')

test('a statement goes over lines until its semicolon, and is remembered as one for its user alone', atTerminal, async () => {
  const { code, screen } = await typed([
    ['notes=> ', 'SELECT text, stars\n'],
    ['notes-> ', 'FROM notes ORDER BY stars;\n'],
    ['2 rows\\s+.*notes=> ', '\\q\n'],
  ])
  assert.equal(code, 0, screen)
  assert.match(screen, /text +stars\ntea +3\ncoffee +5\n2 rows\n/)
  assert.equal(readFileSync(history(), 'utf8'), 'SELECT text, stars FROM notes ORDER BY stars;\n\\q\n')
  assert.equal(statSync(history()).mode & 0o777, 0o600)
  const again = await typed([
    ['notes=> ', '\u001b[A\u001b[A'],
    ['ORDER BY stars;', '\n'],
    ['2 rows\\s+.*notes=> ', '\u0004'],
  ])
  assert.match(again.screen, /coffee +5\n2 rows\n/)
})

test('Ctrl-C takes back what was typed, over lines too, and a statement that fails shows where', atTerminal, async () => {
  const { code, screen } = await typed([
    ['notes=> ', 'SELECT nonsense\n'],
    ['notes-> ', 'FROM nowhere'],
    ['nowhere', '\u0003'],
    ['\\^C\\s+.*notes=> ', 'SELECT wrong FROM notes;\n'],
    ['\\^\\s+.*notes=> ', 'SELECT count(*) FROM notes;\n'],
    ['1 row\\s+.*notes=> ', '\u0004'],
  ])
  assert.equal(code, 0, screen)
  assert.match(screen, /ERR_SQL_NAME\n?.*wrong[^]*SELECT wrong FROM notes\n {7}\^\n/)
  assert.doesNotMatch(screen, /nowhere.*\n.*ERR_SQL/)
  assert.match(screen, /count\n2\n1 row\n/)
})

test('tables, columns and commands complete, and \\d says what there is', atTerminal, async () => {
  const { screen } = await typed([
    ['notes=> ', 'SELECT te\t'],
    ['text', ' FROM no\t'],
    ['notes', ' WHERE wri\t'],
    ['writer', ' = sender() AND stars > 4;\n'],
    ['1 row\\s+.*notes=> ', '\\d notes\n'],
    ['policy all where writer = sender\\s+.*notes=> ', '\\d\n'],
    ['id, writer, text\\b.*\\s+.*notes=> ', '\\explain\n'],
    ['explain is on\\s+.*notes=> ', "\\bind 'tea'\n"],
    ['notes=> ', 'SELECT stars FROM notes WHERE text = $1;\n'],
    ['2 examined, 1 returned[\\s\\S]*notes=> ', '\\nonsense\n'],
    ['there is no \\\\nonsense here[\\s\\S]*notes=> ', '\\q\n'],
  ])
  assert.match(screen, /coffee\n1 row/)
  assert.match(screen, /writer +identity {2}owner\n/)
  assert.match(screen, /plan +SEARCH notes USING PRIMARY KEY/)
})

test('nothing is kept that begins with a blank, or with --no-history', atTerminal, async () => {
  const before = existsSync(history()) ? readFileSync(history(), 'utf8') : ''
  const quiet = await typed(
    [
      ['Nothing typed is kept[\\s\\S]*notes=> ', "SELECT 'kept by nobody';\n"],
      ['1 row[\\s\\S]*notes=> ', '\u0004'],
    ],
    '--no-history',
  )
  assert.match(quiet.screen, /kept by nobody/)
  await typed([
    ['for you alone[\\s\\S]*notes=> ', " SELECT 'a secret';\n"],
    ['1 row[\\s\\S]*notes=> ', '\u0004'],
  ])
  assert.equal(existsSync(history()) ? readFileSync(history(), 'utf8') : '', before)
})

test('statements of a file run one after the other, and the last needs no semicolon', async () => {
  const input = "-- all of them\nSELECT text FROM notes\n  ORDER BY text; SELECT ';' AS semicolon;\n\\bind 4\nSELECT text FROM notes WHERE stars > $1"
  const { code, stdout } = await served.run(['sql', '--as', 'ada'], { input })
  assert.deepEqual([code, stdout], [0, 'text\ncoffee\ntea\nsemicolon\n;\ntext\ncoffee\n'])
  const asJson = await served.run(['sql', '--as', 'ada', '--json'], { input })
  assert.deepEqual(
    asJson.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).rows.length),
    [2, 1, 1],
  )
})

test('a file ends at the first statement that fails, with its line and exit code', async () => {
  const { code, stdout, stderr } = await served.run(['sql', '--as', 'ada'], { input: 'SELECT 1;\nSELECT wrong\nFROM notes; SELECT 2;\nSELECT 3;\n' })
  assert.deepEqual([code, stdout], [3, '?column?\n1\n'])
  assert.match(stderr, /^1 row\nline 3:\nERR_SQL_NAME\n.*\nSELECT wrong\n {7}\^\n$/)
  const asJson = await served.run(['sql', '--as', 'ada', '--json'], { input: 'SELECT wrong FROM notes' })
  assert.equal(errorOf(asJson), 'ERR_SQL_NAME')
  assert.deepEqual(await served.run(['sql', '--as', 'ada'], { input: '' }), { code: 0, stdout: '', stderr: '' })
})
