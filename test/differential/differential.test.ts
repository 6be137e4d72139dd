/** A share of `npm run differential`: PostgreSQL's row-level security as the oracle of ours. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { compare } from './compare.ts'
import { postgresMissing } from './postgres-server.ts'

const skip = postgresMissing !== undefined && process.env['CI'] !== 'true' ? postgresMissing : false

test('what is seen and which writes are let through are what PostgreSQL says', { skip }, async () => {
  const differences: string[] = []
  const { passed, kinds } = await compare(4_800, 1, (what) => differences.push(what))
  assert.deepEqual(differences, [])
  assert.ok(passed >= 4_800)
  // A comparison in which everything is closed would find nothing.
  for (const kind of ['some rows seen', 'everything seen', 'writes let through', 'writes denied', 'writes that find nothing']) {
    assert.ok((kinds[kind] ?? 0) > 50, `${kind}: ${kinds[kind] ?? 0}`)
  }
})
