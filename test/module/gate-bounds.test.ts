/** The bounds of one check, small enough to be reached: processor time, wall time behind it, and memory. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { gateBounds, GateProcess } from '../../host/module/gate-process.ts'
import type { CheckAnswer, GateBounds } from '../../host/module/gate-process.ts'
import { guestComponent } from './guests.ts'

const onLinux = { skip: process.platform === 'linux' ? false : 'only Linux tells the processor time of a child' }
let good: Uint8Array
/** Thousands of functions that the checks walk, the rewriter writes anew and V8 validates. */
let heavy: Uint8Array

before(async () => {
  good = await guestComponent()
  heavy = await guestComponent({
    more: `(func (param i32) (result i32) ${'(local.set 0 (i32.add (local.get 0) (i32.const 1)))'.repeat(60_000)} (local.get 0))`,
  })
})

/** The answer to one check, and the child's pid to stop it by. */
async function checking(component: Uint8Array, bounds: GateBounds, meanwhile: (pid: number) => Promise<void> = async () => undefined): Promise<CheckAnswer> {
  const gate = new GateProcess(bounds)
  try {
    await gate.ready()
    const answer = gate.check(component)
    await meanwhile(onlyChild())
    return await answer
  } finally {
    gate.kill()
  }
}

function onlyChild(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ')
  assert.equal(children.length, 1, 'one child at a time')
  return Number(children[0])
}

function reason(answer: CheckAnswer): string {
  return answer.kind === 'refused' ? `${answer.code} ${answer.message}` : answer.kind
}

test('a check that takes more processor time than it may is ended', onLinux, async () => {
  const answer = await checking(heavy, { ...gateBounds, processorMs: 10 })
  assert.match(reason(answer), /^ERR_COMPONENT_BUDGET .*took more than 10 ms of processor time/)
})

test('a check that takes more memory than it may is ended', onLinux, async () => {
  // Node and the tools alone hold more.
  const answer = await checking(heavy, { ...gateBounds, memoryBytes: 64 * 2 ** 20 })
  assert.match(reason(answer), /^ERR_COMPONENT_BUDGET .*took more than 64 MiB of memory/)
})

test('a child that does not run at all is ended by the clock on the wall', onLinux, async () => {
  const answer = await checking(good, { ...gateBounds, processorMs: 60_000, wallMs: 100 }, async (pid) => void process.kill(pid, 'SIGSTOP'))
  assert.match(reason(answer), /^ERR_COMPONENT_BUDGET .*took longer than 100 ms/)
})

test('a good module is accepted however long the machine had no time for it', onLinux, async () => {
  const answer = await checking(good, { ...gateBounds, processorMs: 1_000, wallMs: 60_000 }, async (pid) => {
    process.kill(pid, 'SIGSTOP')
    // The time itself is the fact: the child is kept waiting longer than its processor time may be.
    await setTimeout(1_100)
    process.kill(pid, 'SIGCONT')
  })
  assert.equal(reason(answer), 'accepted')
})
