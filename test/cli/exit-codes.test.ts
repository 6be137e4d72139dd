import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { EXIT_CODES } from '../../host/cli/exit-code.ts'
import { repository } from './command-fixture.ts'
import { errorOf, ServedFixture } from './served-fixture.ts'

const served = new ServedFixture()
before(() => served.serve())
after(() => served[Symbol.asyncDispose]())

test('docs/cli.md has the exit codes that there are', () => {
  const page = readFileSync(join(repository, 'docs/cli.md'), 'utf8')
  const documented = [...page.matchAll(/^\| (\d) \| `(\w+)` \|/gm)].map(([, code, name]) => [name, Number(code)])
  assert.deepEqual(Object.fromEntries(documented), EXIT_CODES)
})

test('a command that worked ends with 0', async () => {
  const { code, stdout } = await served.run(['databases', '--json'])
  assert.equal(code, EXIT_CODES.ok)
  assert.deepEqual(JSON.parse(stdout), { databases: [{ name: 'notes', tenant: 'default', module: 'notes', version: 1 }] })
})

test('a module that does not compile ends with 1 and names file, line and column', async () => {
  mkdirSync(join(served.folder, 'broken'))
  writeFileSync(join(served.folder, 'broken/index.ts'), 'export function half(: void {}\n')
  const outcome = await served.run(['build', 'broken', '--json'])
  assert.equal(outcome.code, EXIT_CODES.failed)
  assert.equal(errorOf(outcome), 'ERR_BUILD')
  assert.match(outcome.stderr, /index\.ts:1:\d+/)
})

const misuses: readonly (readonly string[])[] = [
  ['remember'],
  ['call'],
  ['schema', '--colour'],
  ['token', '--subject', 'sarah', '--ttl', 'soon'],
  ['token', '--subject', 'sarah', '--ttl', '366d'],
  ['token', '--subject', 'sarah', '--claim', 'nurse'],
  ['serve', '--data', 'data', '--port', '99999'],
  ['publish', 'no-such-file.wasm'],
  ['call', 'write', '--args', 'Hello'],
  ['call', 'write', 'Hello', '--args', '[]'],
  ['schema', '--url', 'notes'],
  ['schema', '--profile', 'no-such-profile'],
  ['identity', 'link', 'sarah'],
]
for (const args of misuses) {
  test(`remembrancer ${args.join(' ')} ends with 2`, async () => {
    const outcome = await served.run([...args, '--json'])
    assert.equal(outcome.code, EXIT_CODES.usage)
    assert.equal(errorOf(outcome), 'ERR_USAGE')
  })
}

test('a command that needs a database and has none ends with 2', async () => {
  const { code, stderr } = await served.run(['schema'], { environment: { REMEMBRANCER_DATABASE: '' } })
  assert.equal(code, EXIT_CODES.usage)
  assert.match(stderr, /which database\?/)
})

test('dropping a database asks, and without a terminal to ask on it ends with 2', async () => {
  const { code, stderr } = await served.run(['databases', 'drop', 'notes'])
  assert.equal(code, EXIT_CODES.usage)
  assert.match(stderr, /--yes/)
})

test('what the host refuses ends with 3', async () => {
  const outcome = await served.run(['query', 'lists', '--as', 'sarah', '--json'])
  assert.equal(outcome.code, EXIT_CODES.refused)
  assert.deepEqual(JSON.parse(outcome.stdout).error.detail, { near: ['list'] })
})

test('a token that is not valid ends with 4', async () => {
  const outcome = await served.run(['schema', '--json'], { environment: { REMEMBRANCER_TOKEN: 'x.y.z' } })
  assert.equal(outcome.code, EXIT_CODES.notAuthorised)
  assert.equal(errorOf(outcome), 'ERR_TOKEN_INVALID')
})

test("an operator's token that calls as nobody ends with 4", async () => {
  const outcome = await served.run(['query', 'list', '--json'])
  assert.equal(outcome.code, EXIT_CODES.notAuthorised)
  assert.equal(errorOf(outcome), 'ERR_RIGHT_MISSING')
})

test('a host that does not run ends with 5', async () => {
  const outcome = await served.run(['schema', '--url', 'http://127.0.0.1:1', '--json'])
  assert.equal(outcome.code, EXIT_CODES.unreachable)
  assert.match(outcome.stderr, /remembrancer serve/)
})

test('a server that is no Remembrancer host ends with 5', async () => {
  const server = createServer((_request, response) => response.end('<html></html>')).listen(0, '127.0.0.1')
  after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const outcome = await served.run(['schema', '--url', `http://127.0.0.1:${port}`, '--json'])
  assert.equal(outcome.code, EXIT_CODES.unreachable)
})
