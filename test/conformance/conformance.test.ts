/**
 * Every case of cases/ through the host's own adapter and through jco's glue, which must agree in
 * results, row operations, logs and errors, and then over HTTP alone. Strict cases go past jco, whose
 * glue clamps what the component model traps.
 */
import assert from 'node:assert/strict'
import test, { after, suite } from 'node:test'

import fc from 'fast-check'

import { parseDescription } from '../../host/schema/description.ts'
import { readTopics } from './case.ts'
import { ConformanceFixture } from './conformance-fixture.ts'
import { histories } from './histories.ts'
import { runCase, runHistory } from './run-case.ts'
import { assertSameAnswers } from './same-answers.ts'

const topics = readTopics()
const fixture = await ConformanceFixture.open()
after(() => fixture[Symbol.asyncDispose]())

test('the module describes itself through jco as its compiler described it', () => {
  assert.deepEqual(parseDescription(fixture.jco.describe()), fixture.module.description)
})

for (const { name: topic, cases } of topics) {
  suite(`${topic}, in process`, () => {
    for (const one of cases) {
      test(one.name, async () => {
        const own = await runCase(one, await fixture.process('adapter'))
        if (one.strict !== true) assertSameAnswers(own, await runCase(one, await fixture.process('jco')))
      })
    }
  })
}

suite('over HTTP', { concurrency: 4 }, () => {
  for (const { name: topic, cases } of topics) {
    for (const one of cases) {
      test(`${topic}: ${one.name}`, async () => {
        const door = await fixture.http()
        await runCase(one, door)
        await door.drop()
      })
    }
  }
})

test('any history of calls has the same answers through both', async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (steps) => {
      const own = await runHistory(steps, await fixture.process('adapter'))
      const others = await runHistory(steps, await fixture.process('jco'))
      assertSameAnswers(own, others)
    }),
    { numRuns: 12, seed: 2_026, interruptAfterTimeLimit: 20_000 },
  )
})
