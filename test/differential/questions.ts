/**
 * Random questions about one set of policies: who asks, which rows they see, and which of their writes
 * are let through. The same question goes to a CallTable, as a guest's handle would put it, and to
 * PostgreSQL with FORCE ROW LEVEL SECURITY.
 */
import fc from 'fast-check'

import type { SqlRow } from '../../host/plan/plan.ts'
import type { PolicyContext } from '../../host/policy/context.ts'
import type { PolicyDescription } from '../../host/schema/description.ts'
import { columns, columnValue, contexts, expressions, owners, policies, rows } from '../policy/random-policies.ts'

export interface Write {
  readonly kind: 'insert' | 'update' | 'delete'
  /** Which of the stored rows, beyond their end one that is not there. */
  readonly target: number
  /** The new values, without the key. */
  readonly values: SqlRow
}

export interface Question {
  readonly context: PolicyContext
  readonly writes: readonly Write[]
}

export interface QuestionSet {
  readonly owner: (typeof owners)[number]
  readonly isSettable: boolean
  readonly policies: readonly PolicyDescription[]
  readonly stored: readonly SqlRow[]
  readonly inner: readonly SqlRow[]
  readonly questions: readonly Question[]
}

export const questionsPerSet = 4
export const writesPerQuestion = 5
/** One for what is seen, and one for each write. */
export const casesPerSet = questionsPerSet * (1 + writesPerQuestion)

const writes = fc.record({
  kind: fc.constantFrom('insert', 'update', 'update', 'delete'),
  target: fc.nat(10),
  values: fc.tuple(...columns.map(columnValue)),
})
const questions = fc.record({ context: contexts, writes: fc.array(writes, { minLength: writesPerQuestion, maxLength: writesPerQuestion }) })

/** Some of those that can have a check have one of their own. */
const checked: fc.Arbitrary<PolicyDescription[]> = fc
  .tuple(policies, fc.array(fc.option(expressions, { nil: undefined }), { minLength: 4, maxLength: 4 }))
  .map(([all, checks]) =>
    all.map((policy, index) => (policy.operation === 'update' || policy.operation === 'all' ? { ...policy, check: checks[index] } : policy)),
  )

export const questionSets: fc.Arbitrary<QuestionSet> = fc.record({
  owner: fc.constantFrom(...owners),
  isSettable: fc.boolean(),
  policies: checked,
  stored: rows,
  inner: rows,
  questions: fc.array(questions, { minLength: questionsPerSet, maxLength: questionsPerSet }),
})
