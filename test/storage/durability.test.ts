/** A host that is killed at any moment: what it acknowledged is there, and nothing is there by half. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

import fc from 'fast-check'

import { openHost } from '../../host/open-host.ts'
import { ledgerComponent } from '../reducer/ledger.ts'
import { DataFolder } from './folder.ts'

/** Runs a host until so many calls were acknowledged, kills it in the middle of the next, and gives their names. */
async function killAfter(data: string, count: number): Promise<readonly string[]> {
  const child = fork(new URL('calling-child.ts', import.meta.url), [data], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const acknowledged: string[] = []
  child.on('message', (name) => {
    assert(typeof name === 'string')
    acknowledged.push(name)
    if (acknowledged.length === count) child.kill('SIGKILL')
  })
  await once(child, 'exit')
  assert.ok(acknowledged.length >= count, 'the child ended by itself')
  return acknowledged
}

test('every acknowledged call survives SIGKILL, and no call is there by half', async () => {
  using folder = new DataFolder()
  await using host = await openHost({ data: folder.path })
  await (await host.database('claims', { create: true })).publish(await ledgerComponent())
  await host.close()

  const acknowledged: string[] = []
  for (const count of fc.sample(fc.integer({ min: 1, max: 200 }), 4)) acknowledged.push(...(await killAfter(folder.path, count)))

  await using again = await openHost({ data: folder.path })
  const sarah = await (await again.database('claims')).as({ subject: 'sarah' })
  const rows = sarah.rows('notes')
  const times = Map.groupBy(rows, (row) => String(row['content']))
  for (const name of acknowledged) assert.equal(times.get(name)?.length, 2, `${name} was acknowledged`)
  for (const [name, notes] of times) assert.equal(notes.length, 2, `${name} is there by half`)
  assert.deepEqual(
    rows.map((row) => row['id']),
    rows.map((_row, index) => BigInt(index + 1)),
    'ids have no gap and no double',
  )
})
