/** Publishing the claims module, step by step: build optimised and fast, the gate cold and warm, schema and code. */
import { buildModule } from '../host/module/build.ts'
import { claimsHost } from './claims-host.ts'
import { report, spread } from './measure.ts'
import type { Report } from './measure.ts'

const rounds = 9

export async function benchPublish(): Promise<Report> {
  const figures: Record<string, number[]> = {}
  const note = (group: string, timings: Readonly<Record<string, number>>): void => {
    for (const [step, ms] of Object.entries(timings)) (figures[`${group} ${step} ms`] ??= []).push(ms)
  }
  for (let round = 0; round < rounds; round++) {
    for (const optimize of [true, false]) {
      const built = await buildModule('modules/claims', { optimize })
      note(optimize ? 'build' : 'fast build', { ...built.timings })
    }
    // A new host has no warm child of the gate: its first publish is a cold one.
    await using fixture = await claimsHost()
    const start = performance.now()
    const counter = await buildModule('modules/counter', { optimize: false })
    note('counter', { build: performance.now() - start })
    const second = await fixture.host.database('counter', { create: true })
    const { timings } = await second.publish(counter.component)
    note('warm publish', timings)
  }
  const medians = Object.fromEntries(Object.entries(figures).map(([name, values]) => [name, spread(values).p50]))
  return report('publish', medians, {})
}
