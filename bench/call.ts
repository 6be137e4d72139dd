/**
 * A call with one insert: a fresh instance against one reused instance (the unsafe floor: nothing of
 * an earlier call is cleared), where its microseconds go, and durable calls a second with 1 and 64
 * callers.
 */
import { claimsHost } from './claims-host.ts'
import type { ClaimsHost } from './claims-host.ts'
import { interleave, ratio, report, spreadFigures } from './measure.ts'
import type { Report } from './measure.ts'
import { guestBench } from './guest-bench.ts'

const secondsOfLoad = 2

export async function benchCall(): Promise<Report> {
  await using fixture = await claimsHost()
  const guest = await guestBench('modules/claims', 'remember_turn')
  const sarah = await fixture.claims.as({ subject: 'sarah' })
  const spreads = await interleave(
    [
      { name: 'bare instance', run: () => guest.instantiate() },
      { name: 'fresh instance + insert', run: () => guest.fresh() },
      { name: 'reused instance + insert', run: () => guest.reused() },
      { name: 'whole call, undone', run: () => undone(() => sarah.call('remember_turn', { content: '' })) },
      { name: 'durable call', run: () => sarah.call('remember_turn', { content: 'the water is in the basement' }) },
    ],
    { rounds: 40, perRound: 50 },
  )
  const alone = await callsPerSecond(fixture, 1)
  const together = await callsPerSecond(fixture, 64)
  return report(
    'call',
    { ...spreadFigures(spreads), 'durable calls/s, 1 caller': alone, 'durable calls/s, 64 callers': together },
    {
      'fresh / reused': ratio(spreads, 'fresh instance + insert', 'reused instance + insert'),
      '64 callers / 1 caller': together / alone,
    },
  )
}

async function undone(work: () => Promise<unknown>): Promise<void> {
  await work().catch(() => undefined)
}

async function callsPerSecond({ claims }: ClaimsHost, callers: number): Promise<number> {
  const senders = await Promise.all(Array.from({ length: callers }, (_unused, index) => claims.as({ subject: `loader ${index}` })))
  const end = performance.now() + secondsOfLoad * 1_000
  let done = 0
  await Promise.all(
    senders.map(async (sender) => {
      while (performance.now() < end) {
        await sender.call('remember_turn', { content: 'the water is in the basement' })
        done++
      }
    }),
  )
  return done / secondsOfLoad
}
