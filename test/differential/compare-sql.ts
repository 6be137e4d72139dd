/** Statements drawn from a seed, asked of both sides, and what they answered differently. */
import fc from 'fast-check'

import { loadParser } from '../../host/sql/parse-statement.ts'
import { contexts, owners, policies, rows } from '../policy/random-policies.ts'
import type { Compared } from './compare.ts'
import { PostgresServer } from './postgres-server.ts'
import { normalised, OurSqlSide, ourText, PostgresSqlSide } from './sql-sides.ts'
import type { SqlSet } from './sql-sides.ts'
import { statements } from './sql-statements.ts'

const statementsPerSet = 20

const open = { operation: 'read', expression: 'true', restrictive: false, check: undefined, in: undefined } as const

const sets: fc.Arbitrary<SqlSet> = fc.constantFrom(...owners).chain((owner) =>
  fc.record({
    owner: fc.constant(owner),
    // Random ones alone hide most rows, and a statement over none says little.
    policies: fc.oneof(
      policies,
      policies.map((all) => [open, ...all]),
    ),
    stored: rows,
    inner: rows,
    context: contexts,
    statements: fc.array(statements(owner), { minLength: statementsPerSet, maxLength: statementsPerSet }),
  }),
)

/** At least `cases` of them; `onDifference` is told each. */
export async function compareSql(cases: number, seed: number, onDifference: (what: string) => void): Promise<Compared> {
  await loadParser()
  await using server = await PostgresServer.start()
  const client = await server.connect()
  const postgres = await PostgresSqlSide.prepare(client)
  using ours = new OurSqlSide()
  const kinds: Record<string, number> = {}
  let [passed, failed] = [0, 0]
  for (let set = 0; passed + failed < cases; set++) {
    const [drawn] = fc.sample(fc.noBias(sets), { numRuns: 1, seed: seed * 1_000_003 + set })
    if (drawn === undefined) throw new Error('a sample of one has one')
    const here = ours.answers(drawn)
    const there = await postgres.answers(drawn)
    for (const [index, { text, columns }] of here.entries()) {
      const other = normalised(there[index] ?? 'nothing', columns)
      const kind = kindOf(text, other)
      kinds[kind] = (kinds[kind] ?? 0) + 1
      if (kind !== 'differ') passed++
      else {
        failed++
        onDifference(`set ${set}: ${ourText(drawn.statements[index] as never)}\n  here  ${JSON.stringify(text)}\n  there ${JSON.stringify(other)}`)
      }
    }
  }
  client.close()
  return { passed, failed, kinds }
}

function kindOf(here: string, there: string): string {
  if (here === there) return here === 'error' ? 'errors' : here === '' ? 'no rows' : 'rows'
  // The host has no NaN (docs/types.md).
  if (here === 'error' && there.includes('NaN')) return 'errors for NaN'
  // Which rows an expression of the list is computed for, and which term of a condition first, is PostgreSQL's to choose.
  if (here === 'error' || there === 'error') return 'errors of one side'
  return 'differ'
}
