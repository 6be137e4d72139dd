/** Two runs of the same steps on two databases, made comparable: what differs by nature gets a name. */
import assert from 'node:assert/strict'

import type { Answer, Answers } from './run-case.ts'

export function assertSameAnswers(left: Answers, right: Answers): void {
  assert.deepEqual(comparable(left), comparable(right))
}

/** Identities are random: each is known by the order in which it first appears. */
function comparable(answers: Answers): unknown {
  const names = new Map<string, string>()
  const name = (identity: string): string => {
    const known = names.get(identity) ?? `identity ${names.size + 1}`
    names.set(identity, known)
    return known
  }
  return JSON.parse(JSON.stringify(answers.map(withoutWords)).replace(/\b[0-9a-f]{64}\b/g, name))
}

/** Only a refusal's words are the module's own; what a host says of a trap or a limit is its affair. */
function withoutWords(answer: Answer | undefined): Answer | undefined {
  if (answer?.error === undefined || answer.error.code === 'ERR_CALL_FAILED') return answer
  return { ...answer, error: { code: answer.error.code, message: '' } }
}
