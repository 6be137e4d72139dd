/** Clients' statements through the library: values, parameters, policies, order, what is counted, and when they may run. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { after, test } from 'node:test'

import { buildModule } from '../../host/module/build.ts'
import { openModule } from '../../host/testing.ts'
import { IMPORTS, ModuleFolder } from '../guest-sdk/module-fixture.ts'

const folder = (name: string): string => path.join(import.meta.dirname, '../..', name)
const module = await openModule((await buildModule(folder('modules/claims'), { optimize: false })).component)
const teams = await openModule((await buildModule(folder('modules/team-notes'), { optimize: false })).component)
after(() => Promise.all([module.close(), teams.close()]))

const [sarah, bob] = [await module.as('sarah'), await module.as('bob')]
for (const [index, content] of ['one', 'two', 'three'].entries()) {
  module.setTime(`2026-11-22T09:3${index}:00.000001Z`)
  await sarah.call('remember_turn', [content])
  await bob.call('remember_turn', [`${content} of bob's`])
}

const line = 'SELECT content FROM turns WHERE caller = $1 ORDER BY at DESC LIMIT 20'

test('the line that must feel right takes the identity as text and as bytes', () => {
  const expected = { columns: [{ name: 'content', type: 'string' }], rows: [['three'], ['two'], ['one']], examined: 3, returned: 3 }
  assert.deepEqual(sarah.sql(line, [sarah.identity]), expected)
  assert.deepEqual(sarah.sql(line, [Buffer.from(sarah.identity, 'hex')]), expected)
  assert.deepEqual(sarah.sql(line, [bob.identity]), { ...expected, rows: [], examined: 0, returned: 0 })
  assert.deepEqual(sarah.sql(line.replace('$1', 'sender()')), expected)
})

test('values are those of docs/types.md, with the types of their columns', () => {
  assert.deepEqual(sarah.sql('SELECT *, id / 2, id * 0.5, at IS NULL FROM turns WHERE id = $1', [2]), {
    columns: [
      { name: 'id', type: 'u64' },
      { name: 'caller', type: 'identity' },
      { name: 'role', type: 'string' },
      { name: 'content', type: 'string' },
      { name: 'at', type: 'timestamp' },
      { name: '?column?', type: 'i64' },
      { name: '?column?', type: 'f64' },
      { name: '?column?', type: 'bool' },
    ],
    rows: [[2n, sarah.identity, 'caller', 'two', 1_795_339_860_000_001n, 1n, 1, false]],
    examined: 1,
    returned: 1,
  })
})

test('a time is RFC 3339 or microseconds, a count of rows a number, a null of any type', () => {
  const since = 'SELECT content FROM turns WHERE at >= $1 ORDER BY at LIMIT $2'
  for (const time of ['2026-11-22T10:31:00.000001+01:00', 1_795_339_860_000_001n]) assert.deepEqual(sarah.sql(since, [time, 1]).rows, [['two']])
  assert.deepEqual(sarah.sql(since, ['2026-11-22T00:00:00Z', null]).returned, 3)
  assert.deepEqual(sarah.sql(since, [null, 5]).rows, [])
  assert.throws(() => sarah.sql(since, ['22 November', 1]), { code: 'ERR_ARGUMENT_TYPE' })
  assert.throws(() => sarah.sql(since, ['2026-11-22T00:00:00Z', -1]), { code: 'ERR_ARGUMENT_RANGE' })
})

test('an error of a row is told only where the caller sees that row', () => {
  assert.throws(() => sarah.sql('SELECT 1 / (id - 3) FROM turns'), { code: 'ERR_SQL_VALUE' })
  assert.equal(sarah.sql('SELECT 1 / (id - 3) FROM turns WHERE id < 3').returned, 2)
})

test('policies that look into other tables hold for statements, and claims count', async () => {
  const admin = await teams.as('admin', { claims: { role: 'admin' }, assurance: 'signed' })
  const [ada, eve] = [await teams.as('ada'), await teams.as('eve')]
  const team = await admin.call('found_team', ['claims desk'])
  await admin.call('add_member', [team, ada.identity, false])
  await ada.call('write_note', [team, 'call Sarah back'])
  const notes = 'SELECT n.text, t.name FROM notes AS n JOIN teams AS t ON t.id = n.team'
  assert.deepEqual(ada.sql(notes).rows, [['call Sarah back', 'claims desk']])
  assert.deepEqual(eve.sql(notes).rows, [])
  assert.deepEqual(eve.sql('SELECT count(*) FROM teams').rows, [[0n]])
  assert.deepEqual(admin.sql('SELECT count(*) FROM teams').rows, [[1n]])
  // Hidden rows are in no figure.
  assert.equal(eve.sql('SELECT text FROM notes').examined, 0)
})

test('an explanation has the plan, the policies in force, and what was looked at', () => {
  assert.deepEqual(sarah.sql(line, [sarah.identity], { explain: true }).explanation, {
    plan: ['SEARCH turns USING PRIMARY KEY (caller=?)', 'USE TEMP B-TREE FOR ORDER BY'],
    policies: [{ table: 'turns', policies: ['caller = sender'] }],
  })
})

test('a publish changes at once what a statement sees', async () => {
  await using notes = await openModule(await noteModule('"author = sender"'))
  const [ada, eve] = [await notes.as('ada'), await notes.as('eve')]
  await ada.call('write', ['hers'])
  const read = 'SELECT text FROM notes'
  assert.deepEqual(eve.sql(read).rows, [])
  await notes.publish(await noteModule('"true"'))
  assert.deepEqual(eve.sql(read).rows, [['hers']])
  await notes.publish(await noteModule('"author = sender"'))
  assert.deepEqual(eve.sql(read).rows, [])
})

test('a table without a policy is closed to statements, and a reducer of its own opens nothing', async () => {
  await using notes = await openModule(await noteModule('"true", { in: ["write"] }'))
  const ada = await notes.as('ada')
  await ada.call('write', ['hers'])
  assert.deepEqual(ada.sql('SELECT count(*) FROM notes').rows, [[0n]])
})

/** `policy` is how reading is declared. */
async function noteModule(policy: string): Promise<Uint8Array> {
  using written = new ModuleFolder({
    'index.ts': `${IMPORTS}
@table("notes")
@policy("read", ${policy})
@policy("insert", "author = sender")
class Note { @autoIncrement id: u64; author: Identity; text: string; }
@reducer
export function write(ctx: Context, notes: Writer<Note>, text: string): void { notes.insert(new Note(ctx.sender, text)); }
`,
  })
  return (await buildModule(written.path, { optimize: false })).component
}
