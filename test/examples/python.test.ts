import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'

import { claimsOverHttp } from './claims-over-http.ts'
import type { ClaimsOverHttp } from './claims-over-http.ts'

const run = promisify(execFile)
let claims: ClaimsOverHttp
before(async () => {
  claims = await claimsOverHttp()
})
after(() => claims.close())

const remember = async (token: string, ...turn: string[]): Promise<string> => {
  const { stdout } = await run('python3', ['examples/python/remember.py', '--url', claims.url, '--database', 'claims', '--token', token, ...turn])
  return stdout
}

test('the Python example stores a turn and recalls it', async () => {
  const token = await claims.token('sarah')
  await remember(token, 'There is water in my basement, naïve or not: 水.')
  const said = await remember(token)
  assert.match(said, /^Welcome\. How can I help\?\n\S+Z {2}caller {2}There is water in my basement, naïve or not: 水\.\n$/)
})

test('the Python example says which error the host gave', async () => {
  await assert.rejects(remember('nonsense'), (error: { code: number; stderr: string }) => error.code === 1 && error.stderr.startsWith('ERR_TOKEN_INVALID: '))
})

test('the Python example says in a line what it lacks', async () => {
  const failing = async (...args: string[]): Promise<string> => {
    const error: { stderr: string } = await run('python3', ['examples/python/remember.py', ...args]).then(
      () => assert.fail('it did not fail'),
      (failure) => failure,
    )
    assert.doesNotMatch(error.stderr, /Traceback/)
    return error.stderr
  }
  assert.match(await failing(), /: which token\? /)
  assert.match(await failing('--token', 'x', '--url', 'nonsense'), /^'nonsense' is not the URL of a host/)
  assert.match(await failing('--token', 'x', '--url', 'http://127.0.0.1:1'), /^no host answers at /)
})
