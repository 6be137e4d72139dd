/** Question sets drawn from a seed, asked of both sides, and what they answered differently. */
import fc from 'fast-check'

import { OurSide, PostgresSide } from './differential.ts'
import { PostgresServer } from './postgres-server.ts'
import { casesPerSet, questionSets, writesPerQuestion } from './questions.ts'
import type { QuestionSet } from './questions.ts'

export interface Compared {
  readonly passed: number
  readonly failed: number
  /** Cases by what came of them: rows that were seen, writes that were let through, refused, or found nothing. */
  readonly kinds: Readonly<Record<string, number>>
}

/** At least `cases` of them; `onDifference` is told the first of each set. */
export async function compare(cases: number, seed: number, onDifference: (what: string) => void): Promise<Compared> {
  await using server = await PostgresServer.start()
  const client = await server.connect()
  const postgres = await PostgresSide.prepare(client)
  using ours = new OurSide()
  const kinds: Record<string, number> = {}
  let [passed, failed] = [0, 0]
  for (let set = 0; passed + failed < cases; set++) {
    // With its bias a first draw is nearly always the smallest there is: one policy, and values that are alike.
    const [drawn] = fc.sample(fc.noBias(questionSets), { numRuns: 1, seed: seed * 1_000_003 + set })
    if (drawn === undefined) throw new Error('a sample of one has one')
    const [here, there] = [ours.answers(drawn), await postgres.answers(drawn)]
    const wrong = here.flatMap((answer, index) => (answer === there[index] ? [] : [index]))
    const [first] = wrong
    if (first !== undefined) onDifference(differenceText({ drawn, set, first, here: here[first], there: there[first] }))
    failed += wrong.length
    passed += casesPerSet - wrong.length
    for (const [index, answer] of here.entries()) {
      const kind = kindOf(answer, index % (1 + writesPerQuestion) === 0, drawn)
      kinds[kind] = (kinds[kind] ?? 0) + 1
    }
  }
  client.close()
  return { passed, failed, kinds }
}

function kindOf(answer: string, isRead: boolean, { stored }: QuestionSet): string {
  if (!isRead) return answer === 'denied' ? 'writes denied' : answer === '0' ? 'writes that find nothing' : 'writes let through'
  const seen = answer === '' ? 0 : answer.split(',').length
  return seen === 0 ? 'nothing seen' : seen === stored.length ? 'everything seen' : 'some rows seen'
}

interface Difference {
  readonly drawn: QuestionSet
  readonly set: number
  readonly first: number
  readonly here: string | undefined
  readonly there: string | undefined
}

function differenceText({ drawn, set, first, here, there }: Difference): string {
  const each = 1 + writesPerQuestion
  const question = drawn.questions[Math.floor(first / each)]
  const asked = first % each === 0 ? 'what is seen' : question?.writes[(first % each) - 1]
  const shown = { owner: drawn.owner, settable: drawn.isSettable, policies: drawn.policies, context: question?.context, asked, stored: drawn.stored }
  const text = JSON.stringify(shown, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
  return `set ${set}: here ${here ?? 'nothing'}, PostgreSQL ${there ?? 'nothing'}: ${text}`
}
