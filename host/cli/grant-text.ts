/** Grants as a build and a publish print them: `remember_turn may append turns · recall may read claims, turns`. */
import type { Grant } from '../protocol/shard-protocol.ts'

export function grantText(grants: readonly Grant[]): string {
  return grants.map(reducerText).join(' · ')
}

function reducerText({ reducer, tables, policies }: Grant): string {
  if (tables.length === 0) return `${reducer} reaches no table`
  const modes = [...Map.groupBy(tables, ({ mode }) => mode)]
  const inside = policies.length === 0 ? '' : ` (inside of it: ${policies.join('; ')})`
  return `${reducer} may ${modes.map(([mode, of]) => `${mode} ${of.map(({ table }) => table).join(', ')}`).join(' and ')}${inside}`
}

/** `18.3 KB` */
export function sizeText(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** `1.92 s`, or `38 ms`. */
export function timeText(milliseconds: number): string {
  return milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(2)} s`
}

/** `parse 120 · compile 300 ms`: the steps that took any time. */
export function timingText(timings: Readonly<Record<string, number>>): string {
  const steps = Object.entries(timings).filter(([name, milliseconds]) => name !== 'totalMs' && milliseconds >= 1)
  return steps.map(([name, milliseconds]) => `${name.replace(/Ms$/, '')} ${Math.round(milliseconds)} ms`).join(' · ')
}
