import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

import { prepareSandbox } from '../../host/module/sandbox-self-test.ts'

test('the limits hold on this engine', async () => {
  await prepareSandbox('kept')
})

test('the flags of a serving host take effect in a process that runs already', () => {
  const script = `
    import { prepareSandbox } from ${JSON.stringify(new URL('../../host/module/sandbox-self-test.ts', import.meta.url).href)}
    await prepareSandbox('pinned')
    process.stdout.write('prepared')`
  assert.equal(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }), 'prepared')
})
