/** remembrancer policy test, as its users run it. */
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'

import { CommandFixture, repository } from './command-fixture.ts'

const commands = new CommandFixture()
after(() => commands[Symbol.dispose]())
const folder = path.join(commands.folder, 'claims')
const sheetFile = path.join(folder, 'policies.test.md')
cpSync(path.join(repository, 'modules/claims'), folder, { recursive: true })
const sheet = readFileSync(sheetFile, 'utf8')

test('a module whose policies hold says so in few words', async () => {
  const { code, stdout, stderr } = await commands.run(['policy', 'test'], { folder })
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^isolation {2}holds in people, claims, turns: [\d,]+ questions\ncases {6}32 of 32 hold\nclaims: passed\n$/)
})

test('what does not hold is shown with its place and ends with code 6; --json has all of it', async () => {
  writeFileSync(sheetFile, sheet.replace(/(name = 'Sarah'`\s+\| yes\s+\| yes\s+\| )no /, '$1yes'))
  const text = await commands.run(['policy', 'test', 'claims'])
  assert.equal(text.code, 6)
  assert.match(text.stdout, /^claims\/policies\.test\.md:\d+:\d+ bob: people where name = 'Sarah'\n {2}expected yes, found 0 of 1\n/)
  const { code, stdout } = await commands.run(['policy', 'test', 'claims', '--json'])
  const { failed, cases, isolation } = JSON.parse(stdout)
  assert.deepEqual([code, failed, cases.length, isolation.leaks], [6, 1, 32, []])
})

test('a leak ends with code 6 and shows a question that found it', async () => {
  const index = path.join(folder, 'index.ts')
  const source = readFileSync(index, 'utf8')
  writeFileSync(index, source.replace('@table("turns")', '@table("turns")\n@policy("read", "true")'))
  const { code, stdout } = await commands.run(['policy', 'test', 'claims', '--cases', path.join(repository, 'modules/claims/policies.test.md')])
  writeFileSync(index, source)
  assert.equal(code, 6)
  assert.match(
    stdout,
    /\nturns: somebody who has nothing to do with another learns of their rows, by SQL, rows, scan, count, get\n {2}SELECT \* FROM turns\n {4}without them {2}/,
  )
  assert.match(stdout, /\nisolation {2}holds in people, claims, not in turns: /)
})

test('a sheet that cannot be read ends with code 1, one that is not there with 2', async () => {
  writeFileSync(sheetFile, `${sheet}\n| nothing |\n| --- |\n`)
  const wrong = await commands.run(['policy', 'test', 'claims'])
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /^ERR_POLICY_TEST claims\/policies\.test\.md:\d+:3 no table of cases begins with "nothing"/)
  for (const args of [['nowhere'], ['claims', '--cases', 'nowhere.md']]) assert.equal((await commands.run(['policy', 'test', ...args])).code, 2)
})
