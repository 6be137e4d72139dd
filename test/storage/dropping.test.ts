/** A database that is dropped is gone, whenever the host is killed on the way: what is left goes with the next start. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { openHost } from '../../host/open-host.ts'
import { OpenShard } from '../shard/open-shard.ts'
import { component, first } from '../shard/versions.ts'
import { DataFolder } from './folder.ts'

const secret = 'the number is 4711-0815'
const child = fileURLToPath(new URL('dropping-child.ts', import.meta.url))

/** Two databases, each of which has been told a secret. */
async function makeFolder(): Promise<DataFolder> {
  const folder = new DataFolder()
  await using host = await openHost({ data: folder.path })
  for (const name of ['anna', 'bert']) {
    const database = await host.database(name, { create: true })
    await database.publish(await component(first))
    await (await database.as({ subject: `${secret} of ${name}` })).call('stamp', { size: 3 })
  }
  return folder
}

/** What a drop does to the disk, step by step; nothing when it was killed before one of them. */
async function drop(data: string, killedAt: readonly number[]): Promise<readonly string[]> {
  const host = spawn(process.execPath, [child, data, ...killedAt.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [steps, [code, signal]] = await Promise.all([text(host.stdout), once(host, 'exit')])
  assert.deepEqual([code, signal], killedAt.length === 0 ? [0, null] : [null, 'SIGKILL'])
  return killedAt.length === 0 ? (JSON.parse(steps) as string[]) : []
}

suite('a drop that is killed', () => {
  let made: DataFolder
  before(async () => (made = await makeFolder()))
  after(() => made[Symbol.dispose]())

  async function isFinished(killedAt: readonly number[]): Promise<readonly string[]> {
    using folder = new DataFolder()
    cpSync(made.path, folder.path, { recursive: true })
    const steps = await drop(folder.path, killedAt)
    await using host = await openHost({ data: folder.path })
    const message = `killed at ${killedAt.join()}`
    await assert.rejects(host.database('anna'), { code: 'ERR_DATABASE_UNKNOWN' }, message)
    assert.deepEqual(folder.grep(`${secret} of anna`), [], message)
    assert.ok(!existsSync(folder.at('databases', 'anna')), message)
    assert.ok(!readdirSync(folder.at('log', '0')).some((name) => name.startsWith('erase')), message)
    const bert = await (await host.database('bert')).as({ subject: `${secret} of bert` })
    assert.equal(bert.rows('stamps').length, 1, message)
    const again = await host.database('anna', { create: true })
    await assert.rejects((await again.as({ subject: 'anna' })).call('stamp', { size: 1 }), { code: 'ERR_MODULE_MISSING' }, message)
    return steps
  }

  test('is finished by the next start, at whatever kind of step it was, and no other database notices', async (context) => {
    const steps = await isFinished([])
    // Of several of one kind in a row the first, and the second, when one is done and one is not.
    const chosen = steps.flatMap((step, index) => (step !== steps[index - 1] || step !== steps[index - 2] ? [index] : []))
    context.diagnostic(`${chosen.length} of ${steps.length} steps: ${steps.join(' ')}`)
    for (const kind of ['open', 'write', 'fdatasync', 'fsync', 'unlink', 'rmdir', 'answer']) assert.ok(steps.includes(kind), kind)
    for (const killedAt of chosen) await isFinished([killedAt])
  })
})

suite('a drop of a database whose note does not read', () => {
  let made: DataFolder
  before(async () => (made = await makeFolder()))
  after(() => made[Symbol.dispose]())

  const note = (folder: DataFolder, name: string): string => folder.at('databases', name, 'database.json')
  const state = (folder: DataFolder, name: string): string => folder.at('databases', name, 'state.sqlite')

  for (const [what, spoil] of [
    ['it is gone', (folder: DataFolder): void => rmSync(note(folder, 'anna'))],
    ['it is damaged', (folder: DataFolder): void => truncateSync(note(folder, 'anna'), 30)],
  ] as const) {
    test(`leaves nothing of it: ${what}`, async () => {
      using folder = new DataFolder()
      cpSync(made.path, folder.path, { recursive: true })
      spoil(folder)
      {
        await using shard = new OpenShard({ folder })
        await assert.rejects(shard.stamp('anna', 1), { code: 'ERR_STORAGE' })
        await shard.send('anna', 'drop', {})
        assert.equal(await shard.stamp('bert', 1), 'first')
      }
      assert.deepEqual(folder.grep(`${secret} of anna`), [])
      assert.ok(!existsSync(folder.at('databases', 'anna')))
    })
  }

  for (const [what, spoil, message] of [
    [
      'its state file is that of another',
      (folder: DataFolder): void => cpSync(state(folder, 'bert'), state(folder, 'anna')),
      /database anna: the files are those of bert/,
    ],
    ['its state file is gone too', (folder: DataFolder): void => rmSync(state(folder, 'anna')), /database anna: neither database.json nor another file says/],
  ] as const) {
    test(`is refused when ${what}, and nobody else is dropped in its place`, async () => {
      using folder = new DataFolder()
      cpSync(made.path, folder.path, { recursive: true })
      truncateSync(note(folder, 'anna'), 30)
      spoil(folder)
      await using shard = new OpenShard({ folder })
      await assert.rejects(shard.send('anna', 'drop', {}), { code: 'ERR_STORAGE', message })
      assert.equal(await shard.stamp('bert', 1), 'first')
    })
  }
})
