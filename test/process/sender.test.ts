import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { openHost } from '../../host/index.ts'
import type { LocalDatabase, LocalHost, RowsOptions, Sender } from '../../host/index.ts'
import { buildModule } from '../../host/module/build.ts'

const data = mkdtempSync(join(tmpdir(), 'remembrancer-test-'))
let host: LocalHost
let claims: LocalDatabase
let sarah: Sender

before(async () => {
  host = await openHost({ data })
  claims = await host.database('claims', { create: true })
  await claims.publish((await buildModule('modules/claims', { optimize: false })).component)
  sarah = await claims.as({ subject: 'sarah' })
  await sarah.call('remember_conversation', { contents: ['one', 'two', 'three'] })
})
after(async () => {
  await host.close()
  rmSync(data, { recursive: true })
})

const contents = (options: RowsOptions): unknown[] => sarah.rows('turns', options).map((row) => row['content'])

test('latest rows come as they were written, newest ones newest first, oldest ones from the beginning', () => {
  assert.deepEqual(contents({ latest: 2 }), ['two', 'three'])
  assert.deepEqual(contents({ newest: 2 }), ['three', 'two'])
  assert.deepEqual(contents({ oldest: 2 }), ['one', 'two'])
  assert.deepEqual(contents({}), ['one', 'two', 'three'])
  assert.deepEqual(contents({ latest: 0 }), [])
})

test('what is no number of rows is refused, and never read as all of them', () => {
  const refusals: [unknown, string][] = [
    [{ latest: -1 }, 'ERR_ARGUMENT_RANGE'],
    [{ latest: 1.5 }, 'ERR_ARGUMENT_RANGE'],
    [{ newest: Number.NaN }, 'ERR_ARGUMENT_RANGE'],
    [{ oldest: '3' }, 'ERR_ARGUMENT_RANGE'],
    [{ latest: null }, 'ERR_ARGUMENT_RANGE'],
    [{ latest: undefined }, 'ERR_ARGUMENT_RANGE'],
    [{ limit: 3 }, 'ERR_ARGUMENT_TYPE'],
    [{ latest: 3, oldest: 2 }, 'ERR_ARGUMENT_TYPE'],
    [{ where: { colour: 'red' } }, 'ERR_ARGUMENT_TYPE'],
  ]
  for (const [options, code] of refusals) assert.throws(() => sarah.rows('turns', options as RowsOptions), { code }, JSON.stringify(options))
})

test('whoever is named wrongly in process is told how to name them', async () => {
  await assert.rejects(claims.as('sarah' as never), { code: 'ERR_ARGUMENT_TYPE', message: /for a login write \{ subject/ })
  for (const nobody of [null, 5, {}, { subject: 5 }, { subject: 'sarah', admin: true }]) {
    await assert.rejects(claims.as(nobody as never), { code: 'ERR_ARGUMENT_TYPE' }, JSON.stringify(nobody))
  }
  await assert.rejects(claims.as({ subject: '' }), { code: 'ERR_REQUEST_MALFORMED' })
  await assert.rejects(claims.as({ subject: 'sarah' }, { role: 'nurse' } as never), { code: 'ERR_ARGUMENT_TYPE' })
})

test('a folder, a database and a component of the wrong type are refused by name', async () => {
  await assert.rejects(openHost(undefined as never), { code: 'ERR_ARGUMENT_TYPE' })
  await assert.rejects(openHost({ data, instances: 'reused' as never }), { code: 'ERR_ARGUMENT_TYPE', message: /fresh, reset/ })
  await assert.rejects(host.database(5 as never, { create: true }), { code: 'ERR_DATABASE_NAME' })
  await assert.rejects(host.database('../../victim', { create: true }), { code: 'ERR_DATABASE_NAME' })
  await assert.rejects(host.database('nothing'), { code: 'ERR_DATABASE_UNKNOWN', message: /create: true/ })
  await assert.rejects(claims.publish('claims.wasm' as never), { code: 'ERR_ARGUMENT_TYPE' })
})

test('a closed host says that it is closed, whatever is asked of it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-test-'))
  const closed = await openHost({ data: folder })
  const database = await closed.database('claims', { create: true })
  const somebody = await database.as({ subject: 'sarah' })
  await closed.close()
  await closed.close()
  const code = 'ERR_HOST_CLOSED'
  await assert.rejects(closed.database('claims'), { code })
  await assert.rejects(database.as({ subject: 'bob' }), { code })
  await assert.rejects(somebody.call('remember_turn', ['late']), { code })
  assert.throws(() => somebody.query('greeting'), { code })
  assert.throws(() => somebody.rows('turns'), { code })
  await assert.rejects(database.unlink({ subject: 'sarah' }), { code })
  rmSync(folder, { recursive: true })
})
