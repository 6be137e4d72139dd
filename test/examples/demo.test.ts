import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

test('npm run demo kills the host, loses no turn, names the right claim and shows nobody else anything', async () => {
  const { stdout } = await run('npm', ['run', '--silent', 'demo'], { timeout: 110_000 })
  assert.match(stdout, /published +claims v1, .* live in/)
  assert.match(stdout, /host killed \(SIGKILL\) +answers again after .*, 0 of 30 turns lost/)
  assert.match(stdout, /“Welcome back, Sarah\. Is this about the water in your basement\?”/)
  assert.match(stdout, /the other caller +0 of Sarah's rows, 19 ways tried/)
  assert.match(stdout, /who touched her rows +one query: sarah \d+ times, claims-agent for sarah 12 times; nobody else/)
  assert.match(stdout, /the log holds: \d+ records in one chain through the kill, and the signed checkpoint is met/)
  assert.match(stdout, /recall +her last 20 of 100,030 rows: p50 \d+ µs, p99 \d+ µs/)
})
