/**
 * Interleaved measurement: the candidates take turns round after round in one process, so that a
 * machine that changes its speed changes it for all of them. Medians are quoted, and ratios of the
 * medians; single absolute times of a shared machine mean little.
 */
import { loadavg } from 'node:os'

export interface Candidate {
  readonly name: string
  /** Before each operation, and not part of it. */
  prepare?(): void
  /** One operation; awaited when it gives a promise. */
  run(): unknown
}

export interface Spread {
  readonly p50: number
  readonly p99: number
}

export interface Report {
  readonly bench: string
  /** Load average over one minute when the report was made. */
  readonly load: number
  /** Microseconds unless the name says otherwise. */
  readonly figures: Readonly<Record<string, number>>
  readonly ratios: Readonly<Record<string, number>>
}

export interface InterleaveOptions {
  readonly rounds: number
  /** Operations of one candidate before the next takes its turn. */
  readonly perRound: number
}

/** Microseconds of one operation of each candidate, after a warm-up of a tenth of the rounds. */
export async function interleave(candidates: readonly Candidate[], { rounds, perRound }: InterleaveOptions): Promise<Map<string, Spread>> {
  const times = new Map(candidates.map((candidate) => [candidate.name, [] as number[]]))
  for (let round = -Math.ceil(rounds / 10); round < rounds; round++) {
    for (const candidate of candidates) {
      const measured = await measureRound(candidate, perRound)
      if (round >= 0) times.get(candidate.name)?.push(...measured)
    }
  }
  return new Map([...times].map(([name, values]) => [name, spread(values)]))
}

async function measureRound(candidate: Candidate, perRound: number): Promise<number[]> {
  const measured: number[] = []
  for (let index = 0; index < perRound; index++) {
    candidate.prepare?.()
    const start = performance.now()
    const result = candidate.run()
    if (result instanceof Promise) await result
    measured.push((performance.now() - start) * 1_000)
  }
  return measured
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right)
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function report(bench: string, figures: Record<string, number>, ratios: Record<string, number>): Report {
  return { bench, load: rounded(loadavg()[0] ?? 0), figures: mapValues(figures), ratios: mapValues(ratios) }
}

/** `name` p50 and p99 of every candidate, as figures. */
export function spreadFigures(spreads: ReadonlyMap<string, Spread>): Record<string, number> {
  return Object.fromEntries(
    [...spreads].flatMap(([name, { p50, p99 }]) => [
      [`${name} p50`, p50],
      [`${name} p99`, p99],
    ]),
  )
}

export function ratio(spreads: ReadonlyMap<string, Spread>, of: string, to: string): number {
  return (spreads.get(of)?.p50 ?? Number.NaN) / (spreads.get(to)?.p50 ?? Number.NaN)
}

function mapValues(values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rounded(value)]))
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
