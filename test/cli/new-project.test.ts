import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'

import { CommandFixture, repository } from './command-fixture.ts'

const shell = new CommandFixture()
const project = join(shell.folder, 'my-agent')
after(() => shell[Symbol.dispose]())

before(async () => {
  await shell.run(['new', 'my-agent'])
  // What npm install makes of a dependency on a folder.
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(repository, join(project, 'node_modules/remembrancer'), 'dir')
})

test('new refuses a folder that is not empty', async () => {
  const { code, stderr } = await shell.run(['new', 'my-agent'])
  assert.equal(code, 2)
  assert.match(stderr, /not empty/)
})

test('new says which name the module has, and quotes the folder for a shell', async () => {
  const { stderr } = await shell.run(['new', "Sarah's Agent ü"])
  assert.match(stderr, /^the module is called sarah-s-agent-u: /)
  assert.ok(stderr.includes("next: cd 'Sarah'\\''s Agent ü' && npm install"), stderr)
})

test('a folder that cannot be made ends new at once', async () => {
  const { code, stderr } = await shell.run(['new', '/proc/remembrancer/agent'])
  assert.equal(code, 1)
  assert.match(stderr, /^ENOENT /)
})

test('a new project builds, and says what it may do', async () => {
  const { code, stdout, stderr } = await shell.run(['build', 'my-agent'])
  assert.deepEqual([code, stdout], [0, 'my-agent/build/my_agent.wasm\n'])
  assert.match(stderr, /^built my_agent {2}\d+\.\d KB in .*\n {2}remember_turn may append turns · recall may read turns\n$/)
})

test("a new project's own test passes", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap'], { cwd: project, env: shell.environment })
  assert.match(stdout, /^# pass 3$/m)
  assert.match(stdout, /^# fail 0$/m)
})

test("a new project's policies hold, by the cases that it begins with", async () => {
  const { code, stdout } = await shell.run(['policy', 'test', 'my-agent'])
  assert.equal(code, 0)
  assert.match(stdout, /^isolation {2}holds in turns: \d+ questions\ncases {6}4 of 4 hold\nmy_agent: passed\n$/)
})

test('nothing in a new project is red in an editor', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: project })
  assert.equal(stdout, '')
})

test('dev publishes each save, keeps the old code through errors, and calls in its folder need no flags', async () => {
  await using dev = shell.start(['dev', '--port', '0'], { folder: project })
  const index = join(project, 'index.ts')
  const source = readFileSync(index, 'utf8')
  assert.equal((await dev.nextOf('published'))['kind'], 'published')
  assert.equal((await shell.run(['call', 'remember_turn', 'Hello'], { folder: project })).code, 0)

  writeFileSync(index, source.replace('4_000', '5'))
  const second = await dev.nextOf('published')
  assert.equal((second['report'] as { version: number }).version, 2)
  const refused = await shell.run(['call', 'remember_turn', 'too long now'], { folder: project })
  assert.match(refused.stderr, /^ERR_CALL_FAILED/)

  writeFileSync(index, source.replace('turns.latest(limit)', 'turns.latest(limit'))
  assert.deepEqual(codeOf(await dev.nextOf('refused')), 'ERR_BUILD')
  writeFileSync(index, source.replace('role: string', 'role: u32').replace('"caller", content', '1, content'))
  assert.deepEqual(codeOf(await dev.nextOf('refused')), 'ERR_SCHEMA_CHANGE')

  const { stdout } = await shell.run(['query', 'recall', '20', '--json'], { folder: project })
  const { result, version } = JSON.parse(stdout)
  assert.deepEqual([version, result.map((turn: { content: string }) => turn.content)], [2, ['Hello']])
  writeFileSync(index, source)
  assert.equal(((await dev.nextOf('published'))['report'] as { version: number }).version, 3)
  assert.equal(await dev.end(), 0)
})

test('dev keeps its data, and --reset drops it', async () => {
  await using kept = shell.start(['dev', '--port', '0'], { folder: project })
  await kept.nextOf('published')
  assert.match((await shell.run(['query', 'recall', '20', '--json'], { folder: project })).stdout, /"Hello"/)
  await kept.end()
  assert.equal((await shell.run(['dev', '--reset'], { folder: project })).code, 2)
  await using reset = shell.start(['dev', '--port', '0', '--reset', '--yes'], { folder: project })
  await reset.nextOf('published')
  assert.deepEqual(JSON.parse((await shell.run(['query', 'recall', '20', '--json'], { folder: project })).stdout).result, [])
})

function codeOf(event: Record<string, unknown>): unknown {
  return (event['error'] as { code: string }).code
}
