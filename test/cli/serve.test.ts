import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'

import { CommandFixture, repository } from './command-fixture.ts'

const shell = new CommandFixture()
after(() => shell[Symbol.dispose]())

test('serve says where it is and where the operator token lies, and ends in order when asked to', async () => {
  const serving = shell.start(['serve', '--data', 'data', '--port', '0'])
  const { url, operatorTokenFile } = await serving.next()
  const health = await fetch(`${String(url)}/v1/health`)
  assert.equal(health.status, 200)
  assert.equal(statSync(String(operatorTokenFile)).mode & 0o777, 0o600)
  assert.equal(await serving.end(), 0)
})

test('a second host on the same folder ends with 1', async () => {
  await using serving = shell.start(['serve', '--data', 'locked', '--port', '0'])
  await serving.next()
  const { code, stderr } = await shell.run(['serve', '--data', 'locked', '--port', '0'])
  assert.equal(code, 1)
  assert.match(stderr, /^ERR_FOLDER_LOCKED/)
})

test('serve takes fresh and reset for --instances, and no other word', async () => {
  await using serving = shell.start(['serve', '--data', 'reset', '--port', '0', '--instances', 'reset'])
  assert.equal((await fetch(`${String((await serving.next())['url'])}/v1/health`)).status, 200)
  const { code, stderr } = await shell.run(['serve', '--data', 'reset', '--instances', 'reused'])
  assert.equal(code, 2)
  assert.match(stderr, /fresh, reset/)
})

test('a data folder whose host.sqlite is damaged ends with 1', async () => {
  mkdirSync(join(shell.folder, 'damaged'))
  writeFileSync(join(shell.folder, 'damaged/host.sqlite'), 'this is no database file '.repeat(100))
  const { code, stderr } = await shell.run(['serve', '--data', 'damaged', '--port', '0'])
  assert.equal(code, 1)
  assert.match(stderr, /^ERR_STORAGE /)
})

for (const ending of ['stopped', 'killed'] as const) {
  test(`logs --follow ends with 5 when the host is ${ending}`, async () => {
    const entry = { seq: 7, at: '2026-11-22T09:30:00.000000Z', level: 'info', reducer: 'write', message: 'wrote' }
    const host = createHttpServer((_request, response) => {
      response.write(`${JSON.stringify(entry)}\n`, () => {
        if (ending === 'stopped') response.end()
        else response.destroy()
        host.close()
      })
    }).listen(0, '127.0.0.1')
    await once(host, 'listening')
    const { port } = host.address() as AddressInfo
    const { code, stdout, stderr } = await shell.run(['logs', '--follow', '--database', 'notes', '--url', `http://127.0.0.1:${port}`])
    assert.deepEqual([code, stdout], [5, '09:30:00.000 info  write  wrote\n'])
    assert.match(stderr, /^ERR_HOST_UNREACHABLE the host ended/)
  })
}

test('a port in use ends with 2 and says what to give instead', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { code, stderr } = await shell.run(['serve', '--data', 'data', '--port', String(port)])
  assert.equal(code, 2)
  assert.match(stderr, /--port/)
})

test('what the operating system refuses is told in its words and ends with 1', async () => {
  const { code, stderr } = await shell.run(['serve', '--data', process.execPath, '--port', '0'])
  assert.equal(code, 1)
  assert.match(stderr, /^EEXIST [^\n]+\n$/)
})

test('a second signal ends at once what the first one could not', async () => {
  const signals = pathToFileURL(join(repository, 'host/cli/signals.ts')).href
  const program = `const { endOnSignal } = await import(${JSON.stringify(signals)})
    setInterval(() => {}, 1_000)
    setImmediate(() => console.log('waiting'))
    await endOnSignal(() => { console.log('closing'); return new Promise(() => {}) })`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program])
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  for (const said of ['waiting', 'closing']) {
    assert.equal((await lines.next()).value, said)
    child.kill('SIGTERM')
  }
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGTERM'])
})
