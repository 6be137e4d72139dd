/** A process that is killed (SIGKILL) at any moment leaves no answered read, and no acknowledged call, without its record. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { verifyFolders } from '../../host/access-log/verify-folder.ts'
import { openHost } from '../../host/index.ts'
import { DataFolder } from '../storage/folder.ts'
import { clinicComponent } from './clinic.ts'
import { accessRecords } from './records.ts'

const folder = new DataFolder()
const rounds = 6

before(async () => {
  await using host = await openHost({ data: folder.path })
  await (await host.database('clinic', { create: true })).publish(await clinicComponent())
})
after(() => folder[Symbol.dispose]())

/** What a host has answered before it was killed, some answers after it began. */
async function answersBeforeKill(answers: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'reading-child.ts'), folder.path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
    if (said.split('\n').length > answers) child.kill('SIGKILL')
  })
  await once(child, 'close')
  return said.split('\n').filter((word) => word !== 'open' && word !== '')
}

test('no answered read is without its record, and the chains hold after each restart', async () => {
  const answered: Record<string, number> = { rows: 0, query: 0, sql: 0, call: 0 }
  for (let round = 0; round < rounds; round++) {
    for (const word of await answersBeforeKill(3 + Math.floor(Math.random() * 200))) answered[word] = (answered[word] ?? 0) + 1
    const { problems } = await verifyFolders([folder.at('access', '0')], { now: 0n, isDropped: () => true })
    assert.deepEqual(problems, [])
    const records = await accessRecords(folder.path)
    for (const [event, count] of Object.entries(answered)) {
      const found = records.filter((record) => record.event === event).length
      assert.ok(found >= count, `${event}: ${found} records of ${count} answers`)
      // One of each kind may have been recorded in each round without that its answer was heard of.
      assert.ok(found <= count + rounds, `${event}: ${found} records of ${count} answers`)
    }
  }
  assert.ok(Object.values(answered).every((count) => count > 0))
  await using host = await openHost({ data: folder.path })
  await host.database('clinic')
  const records = await accessRecords(folder.path)
  assert.ok(!records.some(({ event }) => event === 'lost'), 'a kill loses no record of what was committed')
})
