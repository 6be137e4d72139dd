/** Policies from version to version: they hold from the next call on, and no plan outlives them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

import { HostError } from '../../host/errors.ts'
import { buildModule } from '../../host/module/build.ts'
import { openHost } from '../../host/open-host.ts'
import { openModule } from '../../host/testing.ts'
import { ModuleFolder } from '../guest-sdk/module-fixture.ts'

interface Version {
  readonly policies: string
  readonly init?: string
}

async function component({ policies, init = '' }: Version): Promise<Uint8Array> {
  using folder = new ModuleFolder({
    'index.ts': `
import { Appender, Context, Identity, Reader, Writer } from "remembrancer/guest-sdk";

@table("notes")
@index("topic")
@readableByPolicies
${policies}
class Note {
  @autoIncrement id: u64;
  author: Identity;
  topic: string;
}

@reducer
export function add(ctx: Context, notes: Appender<Note>, topic: string): void {
  notes.insert(new Note(ctx.sender, topic));
}

@query
export function about(ctx: Context, notes: Reader<Note>, topic: string): u32 {
  return notes.where.topic.is(topic).all().length;
}

@query
export function counted(ctx: Context, notes: Reader<Note>, topic: string): u64 {
  return notes.where.topic.is(topic).count();
}
${init}`,
  })
  return (await buildModule(folder.path, { optimize: false })).component
}

const closed: Version = { policies: '@policy("all", "author = sender")' }
const open: Version = { policies: '@policy("insert", "author = sender")\n@policy("read", "true")' }
const inside: Version = { policies: '@policy("all", "author = sender")\n@policy("read", "true", { in: ["about"] })' }

test('a policy that changes holds from the next call on, through plans that were made before', async () => {
  await using module = await openModule(await component(closed))
  const [sarah, bob] = [await module.as('sarah'), await module.as('bob')]
  await sarah.call('add', ['tea'])
  const seen = (): unknown[] => [bob.query('about', ['tea']), bob.query('counted', ['tea']), bob.rows('notes', { where: { topic: 'tea' } }).length]
  assert.deepEqual(seen(), [0, 0n, 0])
  const opened = await module.publish(await component(open))
  assert.deepEqual(seen(), [1, 1n, 1])
  await module.publish(await component(closed))
  assert.deepEqual(seen(), [0, 0n, 0])
  await module.publish(await component(inside))
  assert.deepEqual(seen(), [1, 0n, 0])
  assert.deepEqual(opened.policiesAdded, ['notes: insert where author = sender', 'notes: read where true'])
  assert.deepEqual(opened.policiesRemoved, ['notes: all where author = sender'])
})

test('the policy version counts the publishes that change a policy, and the schema version does not', async () => {
  await using module = await openModule(await component(closed))
  const same = await module.publish(await component({ ...closed, init: '@query export function more(ctx: Context): u32 { return 1; }' }))
  const other = await module.publish(await component(open))
  const limited = await module.publish(await component(inside))
  assert.deepEqual(
    [module.report, same, other, limited].map(({ policyVersion, schemaChanges }) => [policyVersion, schemaChanges.length > 0]),
    [
      [1, true],
      [1, false],
      [2, false],
      [3, false],
    ],
  )
  assert.deepEqual([limited.grantsAdded, limited.policiesAdded], [['about may read notes where true'], ['notes: all where author = sender']])
})

test('a publish that is undone leaves no plan to the next one of its number', async () => {
  const init = '@init export function begin(ctx: Context, notes: Reader<Note>): void { notes.where.topic.is("tea").all(); ctx.fail("not today"); }'
  const data = mkdtempSync(path.join(tmpdir(), 'remembrancer-'))
  try {
    await using host = await openHost({ data })
    const database = await host.database('notes', { create: true })
    await assert.rejects(database.publish(await component({ ...open, init })), { code: 'ERR_CALL_FAILED' })
    await database.publish(await component(closed))
    const [sarah, bob] = [await database.as({ subject: 'sarah' }), await database.as({ subject: 'bob' })]
    await sarah.call('add', ['tea'])
    assert.deepEqual([sarah.query('about', ['tea']), bob.query('about', ['tea'])], [1, 0])
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
})

test('a build refuses a policy with the line, the text and a caret', async () => {
  await assert.rejects(component({ policies: '@policy("read", "author = sendr")' }), (error) => {
    assert(error instanceof HostError && error.code === 'ERR_BUILD')
    assert.match(error.message, /^index\.ts:\d+:\d+ Note: @policy\("read"\): notes has no column sendr; it has id, author, topic\n {2}author = sendr\n {11}\^$/)
    return true
  })
})
