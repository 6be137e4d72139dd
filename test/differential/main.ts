/** `npm run differential -- --cases N --seed S`: random policies and questions, with --sql clients' statements, here and in PostgreSQL 15. */
import { parseArgs } from 'node:util'

import { compareSql } from './compare-sql.ts'
import { compare } from './compare.ts'
import { postgresMissing } from './postgres-server.ts'

const { values } = parseArgs({
  options: { cases: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' }, sql: { type: 'boolean', default: false } },
})

if (postgresMissing !== undefined) {
  console.error(postgresMissing)
  process.exit(1)
}
console.log(`seed ${values.seed}`)
const { passed, failed, kinds } = await (values.sql ? compareSql : compare)(Number(values.cases), Number(values.seed), (what) => console.log(`FAIL ${what}`))
for (const [kind, count] of Object.entries(kinds).toSorted(([left], [right]) => left.localeCompare(right))) console.log(`  ${kind.padEnd(26)} ${count}`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
