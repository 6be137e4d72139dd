import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'

import { repository, RunningCommand } from './command-fixture.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'remembrancer-package-'))
after(() => rmSync(folder, { recursive: true }))
/** npm runs under the Node of the repository, as in its scripts. */
const environment = { ...process.env, PATH: `${join(repository, 'node_modules/.bin')}${delimiter}${process.env['PATH']}` }

test('the packed package, installed in an empty folder, makes, builds, tests and serves a module', async () => {
  await run('npm', ['pack', '--pack-destination', folder], { cwd: repository, env: environment })
  const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  const use = join(folder, 'use')
  mkdirSync(use)
  const npm = (...args: readonly string[]): Promise<{ stdout: string; stderr: string }> => run('npm', args, { cwd: use, env: environment })
  await npm('install', `../${tarball}`, '--prefer-offline', '--no-audit')
  await npm('exec', '--', 'remembrancer', 'new', 'my-agent')
  const { stderr } = await npm('exec', '--', 'remembrancer', 'build', 'my-agent')
  assert.match(stderr, /remember_turn may append turns · recall may read turns/)

  const project = join(use, 'my-agent')
  assert.equal(JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')).dependencies.remembrancer, `file:../../${tarball}`)
  // The folder lies below the one with the install, so that Node finds the package without another.
  const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap'], { cwd: project, env: { PATH: environment.PATH } })
  assert.match(stdout, /^# pass 3$/m)

  const command = join(use, 'node_modules/remembrancer/bin/remembrancer.js')
  await using dev = new RunningCommand(spawn(process.execPath, [command, 'dev', '--port', '0', '--json'], { cwd: project }))
  assert.equal((await dev.nextOf('published'))['kind'], 'published')
  assert.equal(await dev.end(), 0)
})

test('a Node that is too old gets one sentence and no stack', async () => {
  const old = join(folder, 'old-node.mjs')
  writeFileSync(old, `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0', napi: '9' } })\n`)
  const outcome = run(process.execPath, ['--import', old, join(repository, 'bin/remembrancer.js'), 'new', 'my-agent'])
  await assert.rejects(outcome, ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => {
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^remembrancer needs Node\.js 22\.19 or later and this is 20\.19\.0: [^\n]+\n$/)
    return true
  })
})

test('the lock file installs on every system and names no address', async () => {
  await run(process.execPath, ['.ci/repair-lock.js', '--check'], { cwd: repository })
  assert.doesNotMatch(readFileSync(join(repository, 'package-lock.json'), 'utf8'), /"resolved"/)
})
