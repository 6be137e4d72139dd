/** A module of another language's toolchain: through the same gate, in a serving host, against the same limits. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'

import { HostFixture } from '../api/host-fixture.ts'
import type { Person } from '../api/host-fixture.ts'
import { codeOf } from '../api/http-client.ts'
import { JcoRunner } from '../conformance/jco-runner.ts'
import * as limits from '../../host/limits.ts'
import { openHost } from '../../host/open-host.ts'
import { DataFolder, StoppedClock } from '../storage/folder.ts'
import { buildRustGuest, withoutRust } from './rust-guest.ts'

suite('a module in Rust', { skip: withoutRust }, () => {
  const host = new HostFixture()
  let component: Uint8Array
  let people = 0

  before(async () => {
    component = await buildRustGuest()
    await host.start()
    await host.publish('journal', component)
  })
  after(() => host[Symbol.asyncDispose]())

  const somebody = (): Promise<Person> => host.person('journal', `person-${++people}`)

  async function textsOf(person: Person): Promise<string[]> {
    return (await person.query('latest', [100])).body.result.map((note: { text: string }) => note.text)
  }

  test('passes the gate and is published with the grants of its description', async () => {
    const { body } = await host.request('GET', '/v1/databases/journal/schema', { token: (await somebody()).token })
    assert.equal(body.module, 'journal')
    assert.deepEqual(
      body.grants.map(({ reducer, tables }: { reducer: string; tables: { mode: string }[] }) => [reducer, ...tables.map(({ mode }) => mode)]),
      [
        ['write', 'append'],
        ['latest', 'read'],
        ['forget', 'write'],
        ['words', 'read'],
        ['whoami'],
        ['write_and_panic', 'append'],
        ['write_without_end', 'append'],
      ],
    )
  })

  test('keeps what its caller wrote, for that caller only', async () => {
    const [sarah, bob] = [await somebody(), await somebody()]
    assert.deepEqual((await sarah.call('write', ['naïve: 水'])).body.result, '1')
    await bob.call('write', { text: 'his' })
    const { body } = await sarah.query('latest', { limit: 10 })
    assert.deepEqual(
      body.result.map(({ id, author, text }: Record<string, string>) => ({ id, author, text })),
      [{ id: '1', author: await sarah.identity(), text: 'naïve: 水' }],
    )
    assert.equal((await bob.call('forget', ['1'])).body.result, true)
    assert.deepEqual([await textsOf(sarah), await textsOf(bob)], [['naïve: 水'], []])
  })

  test('knows its sender, the time and a number drawn for the call', async () => {
    using folder = new DataFolder()
    const clock = new StoppedClock()
    await using local = await openHost({ data: folder.path, clock })
    const database = await local.database('journal', { create: true })
    await database.publish(component)
    const sarah = await database.as({ subject: 'sarah' })
    for (let note = 0; note < 40; note++) await sarah.call('write', ['x'])
    const rows = sarah.rows('notes')
    assert.equal(sarah.query('whoami'), sarah.identity)
    assert.deepEqual(new Set(rows.map((row) => row['at'])), new Set([clock.micros]))
    assert.deepEqual(new Set(rows.map((row) => row['dice'])), new Set([1, 2, 3, 4, 5, 6]))
  })

  test('fails, panics and loops without leaving anything, and says what it burnt', async () => {
    const sarah = await somebody()
    await sarah.call('write', ['kept'])
    const failed = await sarah.call('write', [''])
    assert.deepEqual([codeOf(failed), failed.body.error.message], ['422 ERR_CALL_FAILED', 'a note has at least one character'])
    const panicked = await sarah.call('write_and_panic', ['never kept'])
    assert.equal(codeOf(panicked), '422 ERR_CALL_TRAPPED')
    const endless = await sarah.call('write_without_end')
    assert.deepEqual([codeOf(endless), endless.body.error.detail], ['422 ERR_CALL_FUEL', { fuel: limits.fuelPerCallMax }])
    for (const { body } of [failed, panicked]) assert.ok(body.error.detail.fuel > 10_000 && body.error.detail.fuel < 100_000, JSON.stringify(body))
    assert.deepEqual(await textsOf(sarah), ['kept'])
  })

  test('tells its author in the log where it panicked', async () => {
    await (await somebody()).call('write_and_panic', ['this'])
    const { body } = await host.request('GET', '/v1/databases/journal/logs', { token: host.operator })
    assert.match(body, /panicked at .*there is no note after this/)
  })

  test('burns the same fuel for the same call, and counts words in the same order', async () => {
    const [sarah, bob] = [await somebody(), await somebody()]
    const text = 'the quick brown fox jumps over the lazy dog while the slow one sleeps'
    const writes = [await sarah.call('write', [text]), await bob.call('write', [text])]
    assert.equal(writes[0]?.body.fuel, writes[1]?.body.fuel)
    const [hers, his] = [await sarah.query('words'), await bob.query('words')]
    assert.equal(hers.body.result.length, 12)
    assert.deepEqual([hers.body.result, hers.body.fuel], [his.body.result, his.body.fuel])
  })

  test('answers through jco’s glue what it answers through the host’s own adapter', async () => {
    using folder = new DataFolder()
    await using local = await openHost({ data: folder.path, clock: new StoppedClock() })
    const jco = await JcoRunner.of(component)
    const answers = []
    for (const options of [{}, { compile: async () => jco }]) {
      const database = await local.database(`journal-${answers.length}`, { create: true })
      await database.publish(component, options)
      const sarah = await database.as({ subject: 'sarah' })
      const refused = (error: { code: string }): string => error.code
      const written = await sarah.call('write', ['to be or not to be'])
      const failed = await sarah.call('write', ['']).catch(refused)
      const panicked = await sarah.call('write_and_panic', ['x']).catch(refused)
      const forgotten = [await sarah.call('forget', [2n]), sarah.query('words'), await sarah.call('forget', [1n])]
      answers.push([written, failed, panicked, ...forgotten, sarah.query('latest', [9])])
    }
    assert.deepEqual(answers[0], answers[1])
  })
})
