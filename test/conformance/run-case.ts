/**
 * Runs the steps of one case through a door to a host, one after the other, and holds each answer
 * against what the case expects of it.
 */
import assert from 'node:assert/strict'

import type { Case, Expectation, LogLine, Operation, Step } from './case.ts'
import { fill, identitiesOf, Names, values } from './placeholders.ts'

/** What a host answered to one step. A door that cannot see something leaves it out. */
export interface Answer {
  readonly result?: unknown
  readonly error?: { readonly code: string; readonly message: string }
  readonly operations?: readonly Operation[]
  readonly logs?: readonly LogLine[]
}

/** One empty database with the reference module, as a host offers it. */
export interface Door {
  /** What ctx.channel says. */
  readonly channel: string
  /** The 64 hex digits of the identity that this login has now. */
  identityOf(subject: string): Promise<string>
  /** The one time of the next call, where the runner sets the clock. */
  nextTime(): string | undefined
  /** The answer, or undefined for a step that this door cannot take. */
  perform(step: Step): Promise<Answer | undefined>
}

export type Answers = readonly (Answer | undefined)[]

/** Runs every step and compares its answer with what the step expects. */
export async function runCase({ steps }: Case, door: Door): Promise<Answers> {
  const names = new Names(door.channel)
  return run(steps, door, names, (answer, step, index) => compare(answer, step, names, `step ${index + 1}, ${JSON.stringify(step).slice(0, 300)}`))
}

/** Runs steps that expect nothing: what they answer is for comparison with another door. */
export function runHistory(steps: readonly Step[], door: Door): Promise<Answers> {
  return run(steps, door, new Names(door.channel), () => undefined)
}

async function run(steps: readonly Step[], door: Door, names: Names, judge: (answer: Answer, step: Step, index: number) => void): Promise<Answers> {
  const answers: (Answer | undefined)[] = []
  for (const [index, step] of steps.entries()) {
    names.time = door.nextTime()
    await learnIdentities(step, door, names)
    const answer = await door.perform(withValues(step, names))
    // A link changes whose login it is, so that a name of the answer is another identity than before.
    await learnIdentities(step, door, names)
    if (answer !== undefined) judge(answer, step, index)
    answers.push(answer)
  }
  return answers
}

async function learnIdentities(step: Step, door: Door, names: Names): Promise<void> {
  for (const subject of identitiesOf(step)) names.identities.set(subject, await door.identityOf(subject))
}

function withValues(step: Step, names: Names): Step {
  if ('args' in step && step.args !== undefined) return { ...step, args: values(step.args, names) }
  if ('where' in step && step.where !== undefined) return { ...step, where: values(step.where, names) }
  return step
}

function compare(answer: Answer, expected: Expectation, names: Names, where: string): void {
  const shown = answer.error === undefined ? '' : ` (${answer.error.message})`
  assert.equal(answer.error?.code, expected.error, `${where}${shown}`)
  if (expected.message !== undefined) assert.equal(answer.error?.message, values<unknown>(expected.message, names), where)
  if (expected.error === undefined) assert.deepEqual(answer.result, fill(expected.result, answer.result, names), where)
  for (const part of ['operations', 'logs'] as const) {
    if (expected[part] !== undefined && answer[part] !== undefined)
      assert.deepEqual(answer[part], fill(expected[part], answer[part], names), `${part} of ${where}`)
  }
}
