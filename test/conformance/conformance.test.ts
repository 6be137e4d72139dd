/**
 * Every case of cases/ through the host's own adapter and through jco's glue, which must agree in
 * results, row operations, logs and errors, and then over HTTP alone. Strict cases go past jco, whose
 * glue clamps what the component model traps.
 */
import assert from 'node:assert/strict'
import test, { after } from 'node:test'

import fc from 'fast-check'

import { readTopics } from './case.ts'
import { ConformanceFixture } from './conformance-fixture.ts'
import { histories } from './histories.ts'
import { runCase, runHistory } from './run-case.ts'
import { assertSameAnswers } from './same-answers.ts'

const topics = readTopics()
const fixture = await ConformanceFixture.open()
after(() => fixture[Symbol.asyncDispose]())

test('the module describes itself through jco as it does through the gate', async () => {
  const description: unknown = JSON.parse(Buffer.from(fixture.jco.describe()).toString('utf8'))
  const reducers = (description as { readonly reducers: readonly { readonly name: string }[] }).reducers.map((one) => one.name)
  assert.deepEqual(
    reducers,
    fixture.module.description.reducers.map((one) => one.name),
  )
})

for (const { name: topic, cases } of topics) {
  for (const one of cases) {
    test(`${topic}: ${one.name}`, async () => {
      const own = await runCase(one, await fixture.process('adapter'))
      if (one.strict !== true) assertSameAnswers(own, await runCase(one, await fixture.process('jco')))
    })

    test(`${topic}, over HTTP: ${one.name}`, async () => {
      const door = await fixture.http()
      await runCase(one, door)
      await door.drop()
    })
  }
}

test('any history of calls has the same answers through both', async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (steps) => {
      const own = await runHistory(steps, await fixture.process('adapter'))
      const others = await runHistory(steps, await fixture.process('jco'))
      assertSameAnswers(own, others)
    }),
    { numRuns: 12, seed: 2_026 },
  )
})
