/** The API on a whole host: worker threads, files, the gate and a compiled module behind it. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'

import * as limits from '../../host/limits.ts'
import { buildDiary } from './diary-module.ts'
import { HostFixture } from './host-fixture.ts'
import { codeOf } from './http-client.ts'

const host = new HostFixture()
let diary: Uint8Array

before(async () => {
  diary = await buildDiary()
  await host.start()
  await host.publish('diary', diary)
  await host.publish('neighbour', diary)
})
after(() => host[Symbol.asyncDispose]())

/** Whatever a test did: the host logged no fault of its own, and the database next door answers. */
afterEach(async () => {
  assert.deepEqual(host.failures, [])
  const neighbour = await host.person('neighbour', 'innocent')
  assert.equal((await neighbour.call('remember', ['nothing happened here'])).status, 200)
})

let people = 0
/** Somebody whom no other test knows. */
function somebody(rights: readonly string[] = []) {
  return host.person('diary', `person-${++people}`, rights)
}

test('what one keeps, one gets back, in order', async () => {
  const sarah = await somebody()
  assert.partialDeepStrictEqual((await sarah.call('remember', { content: 'Water in the basement' })).body, { result: '1', version: 1 })
  assert.partialDeepStrictEqual((await sarah.call('remember', ['since Tuesday'])).body, { result: '2', version: 1 })
  const { body } = await sarah.query('recall', { limit: 10 })
  assert.deepEqual(
    body.result.map((note: { id: string; content: string }) => [note.id, note.content]),
    [
      ['1', 'Water in the basement'],
      ['2', 'since Tuesday'],
    ],
  )
  assert.equal(body.result[0].caller, await sarah.identity())
})

test('however a call ends, its caller learns what it burnt, and the same again', async () => {
  const diaries = await Promise.all([somebody(), somebody()])
  const ends: [reducer: string, args: unknown[], code: string][] = [
    ['remember', ['kept'], '200'],
    ['refuse', ['not like this'], '422 ERR_CALL_FAILED'],
    ['trap', [], '422 ERR_CALL_TRAPPED'],
    ['recurse', [40], '422 ERR_CALL_FUEL'],
    ['recurse', [40_000], '422 ERR_CALL_DEPTH'],
  ]
  for (const [reducer, args, code] of ends) {
    const replies = await Promise.all(diaries.map((diary) => diary.call(reducer, args)))
    assert.deepEqual(replies.map(codeOf), [code, code], reducer)
    const [burnt, again] = replies.map(({ body }) => body.fuel ?? body.error.detail.fuel)
    assert.ok(burnt > limits.fuelPerCallMax / 1e5, `${reducer} burnt ${burnt}`)
    assert.equal(burnt, again)
  }
})

test('a call sent again under its id runs once and answers the same', async () => {
  const sarah = await somebody()
  const once = (): ReturnType<typeof sarah.call> => sarah.call('remember', ['only once'], { id: 'a2c1' })
  const [one, two] = await Promise.all([once(), once()])
  assert.deepEqual([one.body.result, two.body.result], ['1', '1'])
  assert.equal((await sarah.query('recall', { limit: 10 })).body.result.length, 1)
  assert.equal(codeOf(await sarah.call('remember', ['something else'], { id: 'a2c1' })), '409 ERR_CALL_ID')
  assert.equal(codeOf(await sarah.call('remember', ['only once'], { id: 'a b' })), '409 ERR_CALL_ID')
})

test('a call that never began has burnt nothing', async () => {
  const sarah = await somebody()
  assert.equal('fuel' in (await sarah.call('remember', [7])).body.error.detail, false)
  assert.equal('fuel' in (await sarah.call('nothing')).body.error.detail, false)
})

test('nobody gets what another one kept, and its ids count apart', async () => {
  const [sarah, bob] = [await somebody(), await somebody()]
  await sarah.call('remember', ['hers'])
  const owner = await sarah.identity()
  assert.deepEqual((await bob.query('recall_of', { owner, id: '1' })).body.result, null)
  assert.deepEqual((await bob.query('recall_of', { owner: 'ab'.repeat(32), id: '1' })).body.result, null)
  assert.deepEqual((await bob.call('remember', ['his'])).body.result, '1')
  assert.deepEqual(await bob.notes(), ['his'])
})

test('a row that is hidden and one that is absent burn the same fuel', async () => {
  const [sarah, bob] = [await somebody(), await somebody()]
  await sarah.call('remember', ['hers'])
  const hidden = await bob.query('recall_of', { owner: await sarah.identity(), id: '1' })
  const absent = await bob.query('recall_of', { owner: 'ab'.repeat(32), id: '1' })
  assert.deepEqual(hidden.body, absent.body)
  const own = await sarah.query('recall_of', { owner: await sarah.identity(), id: '1' })
  assert.ok(own.body.fuel > hidden.body.fuel)
})

test('a duplicate key is refused, and only for the one who has it', async () => {
  const [sarah, bob] = [await somebody(), await somebody()]
  assert.equal((await sarah.call('take', ['Sally'])).status, 200)
  assert.equal(codeOf(await sarah.call('take', ['Sally'])), '409 ERR_ROW_DUPLICATE')
  assert.equal((await bob.call('take', ['Sally'])).status, 200)
})

for (const [reducer, args, code] of [
  ['refuse', ['because'], '422 ERR_CALL_FAILED'],
  ['trap', [], '422 ERR_CALL_TRAPPED'],
  ['recurse', [4_000_000], '422 ERR_CALL_DEPTH'],
  ['remember', ['x'.repeat(limits.rowSizeBytesMax + 1)], '422 ERR_ROW_TOO_LARGE'],
] as const) {
  test(`a call that ends with ${code} leaves nothing, and the next one works`, async () => {
    const sarah = await somebody()
    assert.equal(codeOf(await sarah.call(reducer, args)), code)
    assert.deepEqual(await sarah.notes(), [])
    assert.equal((await sarah.call('remember', ['after'])).status, 200)
    assert.deepEqual(await sarah.notes(), ['after'])
  })
}

test("an author's refusal reaches the caller in the author's words", async () => {
  const reply = await (await somebody()).call('refuse', ['a turn is at most 4,000 characters'])
  assert.equal(reply.body.error.message, 'a turn is at most 4,000 characters')
})

test('a service acts for somebody only with the right to, and both are known', async () => {
  const [sarah, desk, bob] = [await somebody(), await somebody(['act-for']), await somebody()]
  const login = { subject: `person-${people - 2}` }
  assert.deepEqual((await desk.query('who', [], login)).body.result, [await sarah.identity(), await desk.identity()])
  assert.equal((await desk.call('remember', ['for Sarah'], { sender: login })).status, 200)
  assert.deepEqual(await sarah.notes(), ['for Sarah'])
  assert.deepEqual(await desk.notes(), [])
  assert.equal(codeOf(await bob.call('remember', ['for Sarah'], { sender: login })), '403 ERR_ACT_FOR_DENIED')
})

test('two linked logins are one person, and unlinked they are two again', async () => {
  const [phone, browser] = [await somebody(), await somebody()]
  await phone.call('remember', ['by phone'])
  const own = await browser.identity()
  const link = await host.request('POST', '/v1/databases/diary/identities/link', { token: phone.token, body: { token: browser.token } })
  assert.equal(link.body.identity, await phone.identity())
  assert.deepEqual(await browser.notes(), ['by phone'])
  const unlink = await host.request('POST', '/v1/databases/diary/identities/unlink', { token: browser.token, body: { login: { subject: `person-${people}` } } })
  assert.equal(unlink.body.identity, own)
  assert.deepEqual(await browser.notes(), [])
  const foreign = await host.request('POST', '/v1/databases/diary/identities/unlink', {
    token: browser.token,
    body: { login: { subject: `person-${people - 1}` } },
  })
  assert.equal(codeOf(foreign), '403 ERR_RIGHT_MISSING')
})

test('a login of another database cannot be linked into this one', async () => {
  const [phone, foreign] = [await somebody(), await host.person('neighbour', 'stranger')]
  const link = await host.request('POST', '/v1/databases/diary/identities/link', { token: phone.token, body: { token: foreign.token } })
  assert.equal(codeOf(link), '401 ERR_TOKEN_AUDIENCE')
})

test('what a module writes is in the log, one line an entry, whatever it writes', async () => {
  const sarah = await somebody()
  await sarah.call('shout', ['\u001b[2J\nforged {"seq":1}\u202e'])
  const reply = await host.request('GET', '/v1/databases/diary/logs', { token: host.operator })
  const entries = reply.body
    .trimEnd()
    .split('\n')
    .map((line: string) => JSON.parse(line))
  assert.equal(entries.at(-1).message, '\\u001b[2J\\u000aforged {"seq":1}\\u202e')
  assert.equal(entries.at(-1).reducer, 'shout')
})

test('a call that logs a gigabyte is bounded, and the log with it', async () => {
  const sarah = await somebody()
  await sarah.call('log_much')
  const reply = await host.request('GET', '/v1/databases/diary/logs', { token: host.operator })
  assert.ok(reply.body.length <= limits.logBytesKept + limits.logMessageBytesMax)
})

test('what is no module is refused with what it is, and the old one stays', async () => {
  const publish = (body: Uint8Array, token = host.operator) => host.request('PUT', '/v1/databases/diary/module', { token, body })
  const coreModule = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)
  assert.equal(codeOf(await publish(new Uint8Array(0))), '422 ERR_COMPONENT_MALFORMED')
  assert.equal(codeOf(await publish(Buffer.from('<html></html>'))), '422 ERR_COMPONENT_MALFORMED')
  assert.equal(codeOf(await publish(diary.slice(0, -100))), '422 ERR_COMPONENT_MALFORMED')
  assert.equal(codeOf(await publish(coreModule)), '422 ERR_COMPONENT_KIND')
  assert.equal(codeOf(await publish(new Uint8Array(limits.componentSizeBytesMax + 1))), '413 ERR_COMPONENT_TOO_LARGE')
  assert.equal(codeOf(await publish(diary, (await somebody()).token)), '403 ERR_RIGHT_MISSING')
  assert.equal((await (await somebody()).call('remember', ['still version 1'])).body.version, 1)
})

test('a publish while calls run loses none and mixes none', async () => {
  await host.publish('busy', diary)
  const sarah = await host.person('busy', 'sarah')
  const next = await buildDiary('\n@query\nexport function version(ctx: Context): u32 { return 2; }\n')
  const calls = Array.from({ length: 200 }, (_, index) => sarah.call('remember', [`note ${index}`]))
  const published = await host.request('PUT', '/v1/databases/busy/module', { token: host.operator, body: next })
  assert.equal(published.body.version, 2)
  const replies = await Promise.all(calls)
  assert.deepEqual(
    replies.filter((reply) => reply.status !== 200),
    [],
  )
  assert.partialDeepStrictEqual((await sarah.query('version')).body, { result: 2, version: 2 })
  assert.equal(new Set(replies.map((reply) => reply.body.result)).size, 200)
})

test('tokens and rows outlive the host that made them', async () => {
  await using other = new HostFixture()
  await other.start()
  await other.publish('diary', diary)
  const sarah = await other.person('diary', 'sarah')
  await sarah.call('remember', ['before'])
  await other.stop()
  await other.start()
  assert.deepEqual(await sarah.notes(), ['before'])
  const { body } = await other.request('GET', '/v1/databases', { token: other.operator })
  assert.deepEqual(body.databases, [{ name: 'diary', tenant: 'default', module: body.databases[0].module, version: 1 }])
})

test('a statement goes over HTTP as it does in process: JSON in the forms of its types, errors with their place', async () => {
  const [sarah, desk] = [await somebody(), await somebody(['act-for'])]
  await sarah.call('remember', ['Water in the basement'])
  const sql = 'SELECT id, caller, content, at < $1 AS is_past FROM notes WHERE caller = $2 ORDER BY at DESC LIMIT 20'
  const me = await sarah.identity()
  const { status, body } = await sarah.sql({ sql, params: ['9999-01-01T00:00:00Z', me], explain: true })
  assert.equal(status, 200)
  assert.deepEqual(body, {
    columns: [
      { name: 'id', type: 'u64' },
      { name: 'caller', type: 'identity' },
      { name: 'content', type: 'string' },
      { name: 'is_past', type: 'bool' },
    ],
    rows: [['1', me, 'Water in the basement', true]],
    examined: 1,
    returned: 1,
    explanation: {
      plan: ['SEARCH notes USING PRIMARY KEY (caller=?)', 'USE TEMP B-TREE FOR ORDER BY'],
      policies: [{ table: 'notes', policies: ['caller = sender'] }],
    },
  })
  assert.deepEqual((await desk.sql({ sql: 'SELECT content FROM notes' })).body.rows, [])
  assert.deepEqual(codeOf(await sarah.sql({ sql: 'SELECT content FROM notes', sender: { subject: 'bob' } })), '403 ERR_ACT_FOR_DENIED')
  assert.partialDeepStrictEqual((await sarah.sql({ sql: 'SELECT contnet FROM notes' })).body.error, { code: 'ERR_SQL_NAME', detail: { line: 1, column: 8 } })
  for (const bad of [{}, { sql: 1 }, { sql, params: [{}] }, { sql, more: 1 }]) assert.equal(codeOf(await sarah.sql(bad)), '400 ERR_REQUEST_MALFORMED')
})
