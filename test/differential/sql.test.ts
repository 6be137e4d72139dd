/** A share of `npm run differential -- --sql`: PostgreSQL as the oracle of clients' statements. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { compareSql } from './compare-sql.ts'
import { postgresMissing } from './postgres-server.ts'

const skip = postgresMissing !== undefined && process.env['CI'] !== 'true' ? postgresMissing : false

test("a client's statement gives the rows, in the order, that PostgreSQL gives under the same policies", { skip }, async () => {
  const differences: string[] = []
  const { passed, kinds } = await compareSql(1_500, 1, (what) => differences.push(what))
  assert.deepEqual(differences, [])
  assert.ok(passed >= 1_500)
  // A comparison of statements that all fail, or find nothing, would find nothing.
  assert.ok((kinds['rows'] ?? 0) > 400, `rows: ${kinds['rows'] ?? 0}`)
  assert.ok((kinds['errors'] ?? 0) > 5, `errors: ${kinds['errors'] ?? 0}`)
  assert.ok((kinds['errors of one side'] ?? 0) < 30, `errors of one side: ${kinds['errors of one side'] ?? 0}`)
})
