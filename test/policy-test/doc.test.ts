/** The sheet that docs/policies.md shows, held against the module that it is about. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

import { openModule } from '../../host/testing.ts'

const root = path.join(import.meta.dirname, '../..')

test('the sheet of the document is one, and every case of it holds', async () => {
  const [, sheet] = /```md\n([^]*?)```/.exec(readFileSync(path.join(root, 'docs/policies.md'), 'utf8')) ?? []
  await using module = await openModule(path.join(root, 'modules/team-notes'))
  const { cases, failed } = await module.testPolicies({ sheet })
  assert.deepEqual([cases.length, cases.filter(({ holds }) => !holds), failed], [20, [], 0])
})
