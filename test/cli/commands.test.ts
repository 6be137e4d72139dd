import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { errorOf, ServedFixture } from './served-fixture.ts'

const served = new ServedFixture()
before(() => served.serve())
after(() => served[Symbol.asyncDispose]())

async function tokenOf(subject: string, ...options: readonly string[]): Promise<string> {
  return (await served.run(['token', '--subject', subject, ...options])).stdout.trim()
}

test('arguments at a prompt take the types of the parameters', async () => {
  assert.partialDeepStrictEqual(await served.ask('call', 'write', '42', '5', 'true', '--as', 'ada'), { result: '1', version: 1 })
  const { result } = (await served.ask('query', 'list', '--as', 'ada')) as { result: readonly Record<string, unknown>[] }
  assert.deepEqual(
    result.map(({ text, stars, is_done }) => ({ text, stars, is_done })),
    [{ text: '42', stars: 5, is_done: true }],
  )
})

test('--args takes all arguments as JSON', async () => {
  const args = JSON.stringify({ text: 'Hello', stars: 0, is_done: false })
  assert.partialDeepStrictEqual(await served.ask('call', 'write', '--args', args, '--as', 'ben'), { result: '1', version: 1 })
})

test('--as calls as that login and nobody else', async () => {
  await served.run(['call', 'write', 'mine', '1', 'false', '--as', 'cleo'])
  const { fuel, ...answer } = (await served.ask('query', 'list', '--as', 'dora')) as { fuel: number }
  assert.deepEqual(answer, { result: [], version: 1 })
  assert.ok(fuel > 0)
})

test('--as with a token that may act for others names them as its sender', async () => {
  await served.run(['call', 'write', 'for fay', '1', 'false', '--as', 'fay'])
  const [desk, plain] = [await tokenOf('desk', '--right', 'act-for'), await tokenOf('gus')]
  const asDesk = await served.run(['query', 'list', '--as', 'fay', '--json'], { environment: { REMEMBRANCER_TOKEN: desk } })
  assert.deepEqual(
    JSON.parse(asDesk.stdout).result.map(({ text }: { text: string }) => text),
    ['for fay'],
  )
  const asPlain = await served.run(['query', 'list', '--as', 'fay', '--json'], { environment: { REMEMBRANCER_TOKEN: plain } })
  assert.deepEqual([asPlain.code, errorOf(asPlain)], [4, 'ERR_ACT_FOR_DENIED'])
})

test("identity me is whom the profile calls as, and says what to do where an operator's token is nobody", async () => {
  await served.run(['login', '--profile', 'hal', '--as', 'hal'])
  const asHal = await served.run(['identity', 'me', '--profile', 'hal'], { environment: { REMEMBRANCER_TOKEN: '' } })
  assert.equal(asHal.stdout, (await served.run(['identity', 'me'], { environment: { REMEMBRANCER_TOKEN: await tokenOf('hal') } })).stdout)
  assert.match(asHal.stdout, /^[0-9a-f]{64}\n$/)
  const nobody = await served.run(['identity'])
  assert.equal(nobody.code, 4)
  assert.match(nobody.stderr, /remembrancer identity list/)
})

test('rows are printed as a table for people', async () => {
  await served.run(['call', 'write', 'tea', '3', 'false', '--as', 'emil'])
  const { stdout } = await served.run(['query', 'list', '--as', 'emil'])
  const [names = '', row = ''] = stdout.split('\n')
  assert.match(names, /^id +writer +text +stars +is_done$/)
  assert.match(row, /^1 +[0-9a-f]{64} +tea +3 +false$/)
})

test('columns stand below each other when a cell has an escape in it', async () => {
  await served.run(['call', 'write', '\u001bred', '3', 'false', '--as', 'ida'])
  await served.run(['call', 'write', 'tea', '4', 'false', '--as', 'ida'])
  const { stdout } = await served.run(['query', 'list', '--as', 'ida'])
  assert.match(stdout, /\S{64} {2}\\u001bred {2}3 .*\n2 +\S{64} {2}tea {8}4 /)
})

test('a call that trapped points to the log', async () => {
  const { code, stderr } = await served.run(['query', 'trip', '--as', 'joe'])
  assert.equal(code, 3)
  assert.match(stderr, /^ERR_CALL_TRAPPED .*; remembrancer logs says more\n$/)
})

test('a source file is no component, and publish asks for its folder', async () => {
  const { code, stderr } = await served.run(['publish', 'notes/index.ts'])
  assert.equal(code, 2)
  assert.match(stderr, /notes\/index\.ts is no Wasm component: publish the module's folder/)
})

test('a token carries its claims, and a person calls with it', async () => {
  const { stdout } = await served.run(['token', '--subject', 'nora', '--ttl', '5m', '--claim', 'role=nurse'])
  const answer = await served.run(['query', 'whoami'], { environment: { REMEMBRANCER_TOKEN: stdout.trim() } })
  assert.deepEqual(answer, { code: 0, stdout: 'nurse\n', stderr: '' })
})

test('no control character of a module reaches the terminal', async () => {
  const { code, stderr } = await served.run(['call', 'complain', '\u001b[31mred\u202e', '--as', 'eve'])
  assert.equal(code, 3)
  assert.equal(stderr, 'ERR_CALL_FAILED \\u001b[31mred\\u202e\n')
})

test('logs prints what reducers wrote, and one document a line with --json', async () => {
  await served.run(['call', 'write', 'logged', '0', 'true', '--as', 'finn'])
  const { stdout } = await served.run(['logs', '--json'])
  const entries = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    entries.filter(({ message }) => message === 'wrote logged').map(({ level, reducer }) => ({ level, reducer })),
    [{ level: 'info', reducer: 'write' }],
  )
})

test('schema says what the module has and may do', async () => {
  const { stdout } = await served.run(['schema'])
  assert.match(stdout, /^notes v1\n\ntable notes\n {2}id: u64 {2}key\n {2}writer: identity {2}owner\n/)
  assert.match(stdout, /\nreducer write\(text: string, stars: u8, is_done: bool\): u64\n/)
  assert.match(stdout, /\nwrite may write notes · complain may write notes · list may read notes · trip reaches no table · whoami reaches no table\n$/)
})

test('limits shows every budget of a call, and changes one and back', async () => {
  const names = ['fuel', 'memoryPages', 'depth', 'rowsRead', 'rowOperations', 'rowBytes', 'logBytes']
  const { stdout } = await served.run(['limits'])
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]),
    names,
  )
  assert.match(stdout, /^fuel +300,000,000 +at most 2,000,000,000\n/)
  await served.run(['limits', '--set', 'fuel=4000', '--set', 'depth=1000'])
  assert.match((await served.run(['limits'])).stdout, /^fuel +4,000 {2}\(default 300,000,000\)/)
  const burnt = await served.run(['query', 'list', '--as', 'kim', '--json'])
  assert.deepEqual([burnt.code, JSON.parse(burnt.stdout).error.detail], [3, { fuel: 4_000 }])
  await served.run(['limits', '--set', 'fuel=default', '--set', 'depth=default'])
  assert.equal((await served.run(['limits'])).stdout, stdout)
})

test('two logins of one person are linked and unlinked by an admin', async () => {
  await served.run(['call', 'write', 'from the browser', '1', 'false', '--as', 'sarah'])
  await served.run(['identity', 'link', 'phone', '--to', 'sarah'])
  const linked = (await served.ask('query', 'list', '--as', 'phone')) as { result: readonly unknown[] }
  await served.run(['identity', 'unlink', 'phone'])
  const unlinked = (await served.ask('query', 'list', '--as', 'phone')) as { result: readonly unknown[] }
  assert.deepEqual([linked.result.length, unlinked.result.length], [1, 0])
})

test('a person links a login of their own with a token of it', async () => {
  const [home, work] = await Promise.all(['home', 'work'].map(async (subject) => (await served.run(['token', '--subject', subject])).stdout.trim()))
  const { stdout } = await served.run(['identity', 'link', '--proof', work ?? ''], { environment: { REMEMBRANCER_TOKEN: home } })
  const me = await served.run(['identity', 'me'], { environment: { REMEMBRANCER_TOKEN: work } })
  assert.equal(stdout, me.stdout)
})

test('publish --dry-run says what would change and changes nothing', async () => {
  const { code, stderr } = await served.run(['publish', 'notes', '--dry-run', '--database', 'notes'])
  assert.equal(code, 0)
  assert.match(stderr, /^would publish notes to notes/)
  assert.deepEqual(((await served.ask('schema')) as { version: number }).version, 1)
})

test('a publish says what it grants and which tables it makes', async () => {
  await served.run(['databases', 'create', 'second'])
  assert.match((await served.run(['databases'])).stdout, /^second +default +– +–$/m)
  const { stderr } = await served.run(['publish', 'notes.wasm', '--database', 'second'])
  assert.match(stderr, /^published notes v1 to second .*\n {2}write may write notes · complain .*\n {2}schema: create table notes\n$/)
  const { code } = await served.run(['databases', 'drop', 'second', '--yes'])
  assert.equal(code, 0)
})

test('sql prints rows as a table, and explains how it found them', async () => {
  await served.run(['call', 'write', 'a note for sql', '3', 'true', '--as', 'una'])
  const sql = 'SELECT text, stars FROM notes WHERE stars > $1 AND is_done = $2'
  const { stdout, stderr } = await served.run(['sql', sql, '2', 'true', '--as', 'una', '--explain'])
  assert.equal(
    stdout,
    `text            stars
a note for sql  3

plan      SEARCH notes USING PRIMARY KEY (writer=?)
policies  notes: writer = sender
rows      1 examined, 1 returned
`,
  )
  assert.match(stderr, /1 row/)
  assert.deepEqual(((await served.ask('sql', 'SELECT count(*) FROM notes', '--as', 'vera')) as { rows: unknown }).rows, [['0']])
  assert.equal(errorOf(await served.run(['sql', 'DROP TABLE notes', '--as', 'una', '--json'])), 'ERR_SQL_UNSUPPORTED')
})
