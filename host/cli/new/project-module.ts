/** The module that `new` writes, and its tests. */

export const projectModule = `import { Appender, Context, Identity, Reader, Timestamp } from "remembrancer/guest-sdk";

/** What was said. Each caller has turns of their own and sees no others: that is what @owner does. */
@table("turns")
class Turn {
  @autoIncrement id: u64;
  @owner caller: Identity;
  role: string;
  content: string;
  at: Timestamp;
}

/** Keeps what the caller said. A reducer reaches the tables that it takes, and nothing else. */
@reducer
export function rememberTurn(ctx: Context, turns: Appender<Turn>, content: string): void {
  if (content.length > 4_000) return ctx.fail("a turn is at most 4,000 characters");
  turns.insert(new Turn("caller", content, ctx.timestamp));
}

/** The caller's last turns, oldest of them first. */
@query
export function recall(ctx: Context, turns: Reader<Turn>, limit: u32): Turn[] {
  return turns.latest(limit);
}
`

export const projectTest = `import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { openModule } from 'remembrancer/testing'

const module = await openModule(import.meta.dirname)
after(() => module.close())

test('a caller gets back what they said, in order', async () => {
  const sarah = await module.as('sarah')
  await sarah.call('remember_turn', { content: 'Hello' })
  await sarah.call('remember_turn', { content: 'My basement is under water' })
  assert.deepEqual(contents(sarah.rows('turns')), ['Hello', 'My basement is under water'])
  assert.deepEqual(contents(sarah.query('recall', { limit: 1 })), ['My basement is under water'])
})

test('another caller gets none of it', async () => {
  const bob = await module.as('bob')
  assert.deepEqual(bob.query('recall', { limit: 20 }), [])
})

test('a turn that is too long is refused', async () => {
  const sarah = await module.as('sarah')
  await assert.rejects(sarah.call('remember_turn', { content: 'x'.repeat(4_001) }), { code: 'ERR_CALL_FAILED' })
})

function contents(rows) {
  return rows.map((row) => row.content)
}
`

export const projectPolicies = `# Who may see what

\`npx remembrancer policy test\` holds this page against the module, and tries on every channel that nobody learns of
another's rows. What the tables may say: docs/policies.md of the package.

| person |
| ------ |
| sarah  |
| bob    |

| who   | call                                          | kept as |
| ----- | --------------------------------------------- | ------- |
| sarah | \`remember_turn("My basement is under water")\` |         |

| rows of | where             | sarah | bob |
| ------- | ----------------- | ----- | --- |
| turns   | \`caller = $sarah\` | yes   | no  |

| call         | sarah | bob    |
| ------------ | ----- | ------ |
| \`recall(20)\` | 1 row | 0 rows |
`
