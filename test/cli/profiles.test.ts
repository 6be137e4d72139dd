import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { storeProfile } from '../../host/cli/profile.ts'
import { resolveTarget } from '../../host/cli/target.ts'
import { CommandFixture } from './command-fixture.ts'
import { ServedFixture } from './served-fixture.ts'

const home = new CommandFixture()
after(() => home[Symbol.dispose]())
const served = new ServedFixture()
before(() => served.serve())
after(() => served[Symbol.asyncDispose]())

test('flags win over a profile', () => {
  storeProfile(home.environment, 'one', { url: 'http://one:1', database: 'first', token: 'token-of-one' })
  const target = resolveTarget({ database: 'second' }, home.environment, home.folder)
  assert.deepEqual(target, { url: 'http://one:1', database: 'second', token: 'token-of-one', as: undefined })
})

test("a profile's token goes to the profile's host only", () => {
  storeProfile(home.environment, 'one', { url: 'http://one:1', token: 'token-of-one', as: 'sarah' })
  const target = resolveTarget({ url: 'http://two:2' }, home.environment, home.folder)
  assert.deepEqual([target.token, target.as], [undefined, undefined])
})

test('a project comes before the last login, also in a folder below it', () => {
  storeProfile(home.environment, 'one', { url: 'http://one:1' })
  const folder = localProject('project', { url: 'http://127.0.0.1:5', database: 'notes' })
  const { url, database } = resolveTarget({}, home.environment, join(folder, 'below'))
  assert.deepEqual({ url, database }, { url: 'http://127.0.0.1:5', database: 'notes' })
})

test('a project that names another machine is refused', () => {
  for (const url of ['http://collector.example', 'http://127.0.0.1.collector.example', 'http://localhost@collector.example']) {
    const folder = localProject('lure', { url })
    assert.throws(() => resolveTarget({ token: 'mine' }, home.environment, folder), { code: 'ERR_USAGE' })
  }
})

test('login keeps what worked, for its user only', async () => {
  const environment = { REMEMBRANCER_URL: served.url, REMEMBRANCER_TOKEN: undefined, REMEMBRANCER_DATABASE: undefined }
  const login = ['login', '--database', 'notes', '--token-file', 'data/operator.token', '--as', 'sarah']
  assert.equal((await served.run(login, { environment })).code, 0)
  const file = join(served.folder, 'config/remembrancer/profiles.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const withoutFlags = { REMEMBRANCER_URL: undefined, REMEMBRANCER_TOKEN: undefined, REMEMBRANCER_DATABASE: undefined }
  const { code, stdout } = await served.run(['query', 'list', '--json'], { environment: withoutFlags })
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(stdout).result, [])
})

test('login takes a token from standard input and keeps none that is refused', async () => {
  const environment = { REMEMBRANCER_TOKEN: undefined }
  const refused = await served.run(['login', '--profile', 'bad', '--token-file', '-'], { environment, input: 'x.y.z\n' })
  assert.equal(refused.code, 4)
  const kept = JSON.parse(readFileSync(join(served.folder, 'config/remembrancer/profiles.json'), 'utf8'))
  assert.deepEqual(Object.keys(kept.profiles), ['default'])
})

function localProject(name: string, profile: object): string {
  const folder = join(home.folder, name)
  mkdirSync(join(folder, '.remembrancer'), { recursive: true })
  writeFileSync(join(folder, '.remembrancer/profile.json'), JSON.stringify(profile))
  return folder
}
