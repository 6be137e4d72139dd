/** The memory log as a driver, and the ways in which it can be made to fail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { AppendOutcome, CommitLog } from '../../host/log/commit-log.ts'
import { MemoryLog, MemoryLogStore } from '../../host/log/memory-log.ts'
import { driverSuite, lineOf, recordsOf, Writer } from './driver-suite.ts'
import { uid } from './records.ts'

const sarah = uid(1)

driverSuite('memory log', () => {
  const store = new MemoryLogStore()
  return { open: () => new MemoryLog(store), kill: (log) => void (log instanceof MemoryLog && log.reopen()), [Symbol.dispose]: () => undefined }
})

async function heldLog(): Promise<{ readonly log: MemoryLog; readonly writer: Writer }> {
  const log = new MemoryLog()
  await log.acquire()
  return { log, writer: new Writer(log) }
}

async function linesOf(log: CommitLog): Promise<readonly string[]> {
  return (await recordsOf(log)).map((record) => lineOf(record))
}

function codeOf(outcome: AppendOutcome | undefined): string | undefined {
  return outcome !== undefined && 'failure' in outcome ? outcome.failure.code : undefined
}

test('an append that is held is answered when the test says so, and those behind it after it', async () => {
  const { log, writer } = await heldLog()
  const other = new Writer(log)
  const outcomes: AppendOutcome[] = []
  log.inject('hold')
  writer.appendLater('a', [sarah], (outcome) => outcomes.push(outcome))
  other.appendLater('b', [uid(2)], (outcome) => outcomes.push(outcome))
  assert.deepEqual([outcomes, await linesOf(log)], [[], []])
  log.settle()
  assert.deepEqual(outcomes, [{ firstSequence: 1n }, { firstSequence: 2n }])
  assert.deepEqual(await linesOf(log), ['1 1/1 a', '2 2/1 b'])
})

for (const heldAre of ['kept', 'dropped'] as const) {
  test(`an append that was held at a crash may be found ${heldAre}`, async () => {
    const { log, writer } = await heldLog()
    log.inject('hold')
    writer.appendLater('a', [sarah], () => assert.fail('nobody is there to be answered'))
    const next = log.reopen({ heldAre })
    await next.acquire()
    log.settle()
    assert.deepEqual(await linesOf(next), heldAre === 'kept' ? ['1 1/1 a'] : [])
  })

  test(`an unknown outcome may be found ${heldAre} by the next holder`, async () => {
    const { log, writer } = await heldLog()
    log.inject(`unknown-${heldAre}`)
    assert.equal(codeOf(writer.append('a', sarah)), 'ERR_COMMIT_UNKNOWN')
    assert.deepEqual(await linesOf(log), [])
    const next = log.reopen()
    await next.acquire()
    assert.deepEqual(await linesOf(next), heldAre === 'kept' ? ['1 1/1 a'] : [])
  })
}

test('an append that succeeds makes an unknown one void', async () => {
  const { log, writer } = await heldLog()
  log.inject('unknown-kept')
  writer.append('a', sarah)
  assert.deepEqual(writer.append('b', sarah), { firstSequence: 1n })
  const next = log.reopen()
  await next.acquire()
  assert.deepEqual(await linesOf(next), ['1 1/1 b'])
})

test('a failing append leaves nothing, and the next one works', async () => {
  const { log, writer } = await heldLog()
  log.inject('failing')
  assert.equal(codeOf(writer.append('a', sarah)), 'ERR_STORAGE')
  assert.deepEqual(writer.append('b', sarah), { firstSequence: 1n })
  assert.deepEqual(await linesOf(log), ['1 1/1 b'])
})

test('a log that was fenced stays so', async () => {
  const { log, writer } = await heldLog()
  log.inject('fenced')
  assert.deepEqual([codeOf(writer.append('a', sarah)), codeOf(writer.append('a', sarah))], ['ERR_LOG_FENCED', 'ERR_LOG_FENCED'])
  await assert.rejects(() => log.heartbeat(), { code: 'ERR_LOG_FENCED' })
})
